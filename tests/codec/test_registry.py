"""Plugins are found, and broken ones are survived."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gateway_server.codec.codec import Answers, Asks, Field, Frame, Interprets
from gateway_server.codec.registry import PluginProblem, bundled_plugins, load_codecs
from gateway_server.errors import OperatorError

GOOD = """
from gateway_server.codec.buffer import LineFramer

class Box:
    name = "{name}"
    version = "1"
    framer = LineFramer

    def answer(self):
        yield

    def dissect(self, frame):
        return []

codec = Box()
"""


def plugin(folder: Path, file: str, source: str) -> Path:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, "utf-8")
    return path


def test_bundled_plugins_are_the_folder_that_comes_with_the_program() -> None:
    assert bundled_plugins().name == "plugins"
    assert (bundled_plugins().parent / "gateway_server").is_dir() or bundled_plugins().parent.name == "gateway_server"


def test_every_bundled_plugin_is_usable() -> None:
    registry = load_codecs()
    assert registry.problems == []
    assert all(isinstance(codec, Asks | Answers | Interprets) for codec in registry)


def test_operators_file_and_folder_are_codecs(tmp_path: Path) -> None:
    plugin(tmp_path, "box.py", GOOD.format(name="box"))
    plugin(tmp_path, "crate/words.py", "NAME = 'crate'")
    plugin(tmp_path, "crate/__init__.py", GOOD.format(name="x").replace('"x"', "NAME") + "\n")
    (tmp_path / "crate/__init__.py").write_text(
        "from .words import NAME\n" + GOOD.format(name="x").replace('"x"', "NAME"), "utf-8"
    )
    registry = load_codecs([tmp_path])
    assert registry.problems == []
    assert {"box", "crate"} <= set(registry.names)
    assert registry.path("box") == tmp_path / "box.py"
    assert "box" in registry
    assert len(registry) == len(list(registry)) == len(registry.names)


def test_a_folder_loaded_twice_gives_the_same_codec(tmp_path: Path) -> None:
    plugin(tmp_path, "box.py", GOOD.format(name="box"))
    assert load_codecs([tmp_path]).get("box") is load_codecs([tmp_path]).get("box")


def test_two_folders_may_use_the_same_file_name(tmp_path: Path) -> None:
    plugin(tmp_path, "a/box.py", GOOD.format(name="red-box"))
    plugin(tmp_path, "b/box.py", GOOD.format(name="blue-box"))
    assert {"red-box", "blue-box"} <= set(load_codecs([tmp_path / "a", tmp_path / "b"]).names)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "import nothing_of_that_name",
            "line 1 of box.py: ModuleNotFoundError: No module named 'nothing_of_that_name'",
        ),
        ("x = 1\n1 / 0", "line 2 of box.py: ZeroDivisionError"),
        ("def :", "SyntaxError"),
        ("raise SystemExit(3)", "line 1 of box.py: SystemExit: 3"),
        ("x = 1", "no module-level name `codec`"),
        ("codec = None", "no text `name`"),
        (GOOD.format(name="box").replace("Box()", "Box"), "write codec = Box()"),
        (GOOD.format(name="Box 1"), "is called 'Box 1'"),
        (GOOD.format(name="box").replace('version = "1"', "version = 1"), "no text `version`"),
        (GOOD.format(name="box").replace("framer = LineFramer", ""), "no method `framer`"),
        (GOOD.format(name="box").replace("framer = LineFramer", "framer = dict"), "its framer has no method `feed`"),
        (GOOD.format(name="box").replace("def dissect(self, frame):\n        return []", "dissect = 1"), "`dissect`"),
        (
            GOOD.format(name="box")
            .replace("class Box:", "class Box:\n    __slots__ = ()")
            .replace('version = "1"', ""),
            "`version`",
        ),
        (GOOD.format(name="box").replace("def answer", "def answers"), "none of `read`, `answer`, `interpreter`"),
    ],
)
def test_broken_plugin_is_reported_and_the_others_work(tmp_path: Path, source: str, reason: str) -> None:
    broken = plugin(tmp_path, "box.py", source)
    plugin(tmp_path, "good.py", GOOD.format(name="good"))
    registry = load_codecs([tmp_path])
    assert "good" in registry.names
    assert "box" not in registry.names
    assert [problem.path for problem in registry.problems] == [broken]
    assert reason in registry.problems[0].reason


def test_shortest_codec_gets_its_version_from_its_file_and_frames_shown_whole(tmp_path: Path) -> None:
    short = GOOD.format(name="short").replace('version = "1"', "").split("    def dissect")[0] + "codec = Box()\n"
    versions = []
    for folder, source in (("a", short), ("b", short), ("c", f"{short}# changed\n")):
        plugin(tmp_path, f"{folder}/short.py", source)
        codec = load_codecs([tmp_path / folder]).get("short")
        versions.append(codec.version)
        assert codec.dissect(Frame("line", b"7\n")) == [Field("line", 0, 2)]
    assert versions[0] == versions[1] != versions[2]
    assert all(len(version) == 12 for version in versions)


def test_what_is_no_plugin_is_left_alone(tmp_path: Path) -> None:
    plugin(tmp_path, "_shared.py", "1 / 0")
    plugin(tmp_path, ".hidden.py", "1 / 0")
    plugin(tmp_path, "notes.txt", "these are notes")
    plugin(tmp_path, "captures/one.capture", "")
    assert load_codecs([tmp_path]).problems == []


def test_folder_without_init_and_dotted_name_are_reported(tmp_path: Path) -> None:
    plugin(tmp_path, "crate/box.py", GOOD.format(name="crate"))
    plugin(tmp_path, "box.v2.py", GOOD.format(name="box"))
    reasons = [problem.reason for problem in load_codecs([tmp_path]).problems]
    assert len(reasons) == 2
    assert "no dot" in reasons[0]
    assert "__init__.py" in reasons[1]


def test_missing_folder_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    problem = load_codecs([tmp_path / "gone"]).problems[0]
    assert str(problem) == f"{tmp_path / 'gone'}: there is no such folder of plugins"


def test_later_folder_wins_and_in_one_folder_the_first(tmp_path: Path) -> None:
    first = plugin(tmp_path, "a/box.py", GOOD.format(name="box"))
    later = plugin(tmp_path, "b/box.py", GOOD.format(name="box"))
    second = plugin(tmp_path, "b/box2.py", GOOD.format(name="box"))
    registry = load_codecs([tmp_path / "a", tmp_path / "b"])
    assert registry.path("box") == later
    assert [problem.path for problem in registry.problems] == [first, second]
    assert all(str(later) in problem.reason for problem in registry.problems)


def test_unknown_name_says_which_there_are_and_what_is_broken(tmp_path: Path) -> None:
    plugin(tmp_path, "box.py", GOOD.format(name="box"))
    plugin(tmp_path, "broken.py", "1 / 0")
    with pytest.raises(OperatorError, match=r"no codec 'bix'; there are: box.*broken\.py: line 1"):
        load_codecs([tmp_path]).get("bix")


def test_bundled_plugin_is_the_same_copy_that_others_import(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "gateway_server"
    program.mkdir()
    plugin(tmp_path, "plugins/box.py", GOOD.format(name="box"))
    monkeypatch.setattr("gateway_server.__file__", str(program / "__init__.py"))
    registry = load_codecs()
    assert registry.names == ("box",)
    module = type(registry.get("box")).__module__
    assert module.startswith("gateway_server_plugins_"), (
        "another folder called plugins is not taken for the bundled one"
    )
    assert sys.modules[module].codec is registry.get("box")


LINES = """
reads: meter_profile
framing: {{name: line, end: LF, characters: text}}
messages:
  - {{name: told, fields: [{{name: value, type: number}}], rows: {{values: {{value: value, quantity: {quantity}}}}}}}
"""


def test_changed_profile_counts_for_who_asks_from_now_on(tmp_path: Path) -> None:
    path = tmp_path / "lines.yaml"
    path.write_text(LINES.format(quantity="pressure"), "utf-8")
    registry = load_codecs([tmp_path])
    before = registry.get("lines")
    assert registry.get("lines") is before
    path.write_text(LINES.format(quantity="temperature"), "utf-8")
    after = registry.get("lines")
    assert (after is before, after.version == before.version) == (False, False)
    assert registry.get("lines") is after
    assert registry.problems == []


def test_profile_that_is_wrong_after_a_change_leaves_the_old_one_in_use_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "lines.yaml"
    good = LINES.format(quantity="pressure")
    path.write_text(good, "utf-8")
    registry = load_codecs([tmp_path])
    before = registry.get("lines")
    for wrong, why in (
        (good.replace("end: LF", "end: LFF"), "line 3: framing: end 'LFF' is no bytes"),
        (good + "name: other\n", "it is called 'other' now"),
    ):
        path.write_text(wrong, "utf-8")
        assert registry.get("lines") is before
        (problem,) = registry.problems
        assert why in str(problem)
    path.unlink()
    assert registry.get("lines") is before
    assert [str(problem) for problem in registry.problems] == [f"{path}: the file is gone"]
    path.write_text(good, "utf-8")
    assert registry.get("lines").version == before.version
    assert registry.problems == []


def test_profile_that_is_added_later_is_found_when_it_is_asked_for(tmp_path: Path) -> None:
    registry = load_codecs([tmp_path])
    assert "lines" not in registry
    (tmp_path / "lines.yaml").write_text("reads: nothing\n", "utf-8")
    assert "lines" not in registry
    assert "reads is 'nothing'" in str(registry.problems)
    (tmp_path / "lines.yaml").unlink()
    (tmp_path / "lines.yaml").write_text(LINES.format(quantity="pressure"), "utf-8")
    assert "lines" in registry
    assert registry.get("lines").name == "lines"
    with pytest.raises(OperatorError, match="there is no codec 'others'"):
        registry.get("others")


MAPPING = """
reads: table_file
time: {value: Time, format: "%Y-%m-%d %H:%M"}
values: [{value: V, quantity: QUANTITY}]
"""


def test_mappings_that_are_added_changed_and_mended_are_among_all_that_are_asked(tmp_path: Path) -> None:
    registry = load_codecs([tmp_path])
    path = tmp_path / "day.yaml"

    def versions() -> list[str]:
        return [codec.version for codec in registry if codec.name == "day"]

    assert versions() == []
    path.write_text(MAPPING.replace("QUANTITY", "no such thing"), "utf-8")
    assert versions() == []
    assert [problem.path for problem in registry.problems] == [path]
    path.write_text(MAPPING.replace("QUANTITY", "base_volume_total"), "utf-8")  # in place: its folder looks as before
    (first,) = versions()
    assert registry.problems == []
    path.write_text(MAPPING.replace("QUANTITY", "actual_volume_total"), "utf-8")
    (second,) = versions()
    assert first != second
    (tmp_path / "gone.yaml").write_text("reads: nothing", "utf-8")
    assert versions() == [second]
    (tmp_path / "gone.yaml").unlink()
    assert versions() == [second]
    assert registry.problems == []


def test_later_folder_wins_whichever_file_was_added_first(tmp_path: Path) -> None:
    early, late = tmp_path / "early", tmp_path / "late"
    early.mkdir()
    late.mkdir()
    registry = load_codecs([early, late])
    mapping = MAPPING.replace("QUANTITY", "base_volume_total")
    (late / "day.yaml").write_text(mapping, "utf-8")
    assert registry.path("day") == late / "day.yaml"
    (early / "day.yaml").write_text(mapping, "utf-8")
    assert [codec.name for codec in registry if codec.name == "day"] == ["day"]
    assert registry.path("day") == late / "day.yaml"
    assert [str(one) for one in registry.problems] == [
        f"{early / 'day.yaml'}: codec 'day' is not used: {late / 'day.yaml'} offers it too"
    ]


def test_folder_that_is_removed_leaves_what_was_read_in_use(tmp_path: Path) -> None:
    folder = tmp_path / "plugins.d"
    folder.mkdir()
    (folder / "day.yaml").write_text(MAPPING.replace("QUANTITY", "base_volume_total"), "utf-8")
    registry = load_codecs([folder])
    (folder / "day.yaml").unlink()
    folder.rmdir()
    assert "day" in [codec.name for codec in registry]
    assert "other" not in registry


def test_codec_of_a_declaration_is_made_without_being_taken_up(tmp_path: Path) -> None:
    registry = load_codecs()
    place = tmp_path / "boiler.yaml"
    place.write_text("reads: modbus\nregisters: [{at: 0, quantity: pressure}]\n")
    assert registry.made_of(place).name == "boiler"
    assert "boiler" not in registry
    place.write_text("reads: tea\n")
    with pytest.raises(OperatorError, match="line 1: reads is 'tea'; what can be declared is: meter_profile, modbus"):
        registry.made_of(place)


def test_every_mistake_of_a_plugin_is_told_with_its_file() -> None:
    problem = PluginProblem(Path("a.yaml"), "line 3: one\nline 5: other")
    assert str(problem).split("\n") == ["a.yaml: line 3: one", "a.yaml: line 5: other"]
