"""An import that is killed again and again, and ends with every file in the store, once."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from tests.end_to_end.programs import program, said_by

pytestmark = pytest.mark.end_to_end

FILES = 3000
KILLS = 5


def test_import_that_is_killed_goes_on_until_every_file_is_there_once(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    contents = {f"{number:05}.txt": b"file %d\n" % number * 50 for number in range(FILES)}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    config = tmp_path / "gateway.toml"
    config.write_text("")
    chance = random.Random(4)
    reached = []
    for _ in range(KILLS):
        with program("file", "import", "-c", str(config), "--no-decode", str(folder), "--json") as running:
            assert running.stdout is not None
            for _ in range(chance.randrange(50, 500)):
                running.stdout.readline()
            time.sleep(chance.random() / 50)  # noqa: TID251  # where in its work it dies is left to chance
            running.kill()
        reached.append(len(json.loads(said_by("file", "list", "-c", str(config), "--json"))))
    assert reached == sorted(reached)
    assert 0 < reached[0] < FILES
    said_by("file", "import", "-c", str(config), "--no-decode", str(folder))
    files = json.loads(said_by("file", "list", "-c", str(config), "--json"))
    assert sorted(one["name"] for one in files) == sorted(contents)
    assert {one["state"] for one in files} == {"stored"}
    assert json.loads(said_by("store", "check", "-c", str(config), "--json"))["problems"] == []
    for one in files[:5]:
        said_by("file", "export", "-c", str(config), str(one["id"]), "-o", str(tmp_path / "copy"))
        assert (tmp_path / "copy").read_bytes() == contents[one["name"]]
