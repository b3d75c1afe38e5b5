"""The configuration file: every option, and every mistake in words."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from gateway_server.config import Config, ListenerSettings, bytes_of, load_config
from gateway_server.errors import OperatorError

EXAMPLE = Path(__file__).parent.parent / "config" / "gateway.example.toml"

LISTENER = """
[[listener]]
name = "gprs"
endpoint = "tcp:4001:interface=127.0.0.1"
codec = "lis200"
"""


@pytest.fixture
def written(tmp_path: Path):  # type: ignore[no-untyped-def]
    def write(text: str) -> Config:
        path = tmp_path / "gateway.toml"
        path.write_text(text)
        return load_config(path)

    return write


def mistakes(written, text: str) -> list[str]:  # type: ignore[no-untyped-def]
    with pytest.raises(OperatorError) as caught:
        written(text)
    return [line.partition("gateway.toml: ")[2] for line in str(caught.value).splitlines()]


def test_without_a_file_everything_has_its_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config(None)
    assert config.store.url == f"sqlite:///{tmp_path}/gateway.db"
    assert config.listener == []
    assert config.path is None


def test_contracts_example_is_accepted(written) -> None:  # type: ignore[no-untyped-def]
    config = written(
        r"""
        [store]
        url = "sqlite:///gateway.db"
        [[listener]]
        name = "gprs"
        endpoint = "tcp:4001:interface=127.0.0.1"
        codec = "lis200"
        identify = ["registration", "codec"]
        registration = '(?P<id>\d{15})\r?\n'
        role = "ask"
        [[ftp]]
        name = "drop"
        listen = "127.0.0.1:2121"
        passive_ports = "50000-50099"
        [[modem]]
        name = "m1"
        port = "/dev/ttyUSB0"
        speed = 9600
        [plugins]
        folders = ["plugins.d"]
        """
    )
    assert config.listener[0].codecs == ("lis200",)
    assert config.plugin_folders == (config.folder / "plugins.d",)
    assert config.store.url == f"sqlite:///{config.folder}/gateway.db"
    assert config.modem[0].speed == 9600


def test_paths_begin_at_the_files_folder(written, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    config = written(
        '[store]\nkey_file = "keys/k"\n[[listener]]\nname = "t"\ncodec = "x"\n'
        'endpoint = "ssl:0:privateKey=key.pem:certKey=/etc/c.pem"\n'
    )
    assert config.key_file == tmp_path / "keys" / "k"
    assert config.listener[0].endpoint == f"ssl:0:privateKey={tmp_path}/key.pem:certKey=/etc/c.pem"


def test_every_option_stands_in_the_example_with_its_default() -> None:
    uncommented = re.sub(r"(?m)^#(?=[a-z\[])", "", EXAMPLE.read_text())
    shown = tomllib.loads(uncommented)
    assert set(shown) == set(Config.model_fields)
    for table, value in shown.items():
        entries = value if isinstance(value, list) else [value]
        assert len(entries) == 1
        annotation: Any = Config.model_fields[table].annotation
        model: type[BaseModel] = annotation.__args__[0] if isinstance(value, list) else annotation
        assert set(entries[0]) == set(model.model_fields), table
        for key, field in model.model_fields.items():
            if not field.is_required():
                assert entries[0][key] == field.default, f"{table}.{key}"
                assert type(entries[0][key]) is type(field.default), f"{table}.{key}"
    Config.model_validate(shown)


def test_example_as_it_stands_changes_nothing() -> None:
    assert tomllib.loads(EXAMPLE.read_text()) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[store]\nulr = "x"', "[store]: unknown key `ulr`; did you mean `url`?"),
        ("[stor]\nx = 1", "unknown key `stor`; did you mean `store`?"),
        (LISTENER + 'rol = "ask"', 'listener 1 "gprs": unknown key `rol`; did you mean `role`?'),
        (
            LISTENER + 'role = "aks"',
            "listener 1 \"gprs\": `role`: \"aks\" is not allowed; allowed are 'ask' or 'listen'; did you mean 'ask'?",
        ),
        (LISTENER.replace("tcp:4001", "tcp:99999"), "behind tcp: or ssl: stands a port number"),
        (LISTENER.replace("tcp:4001", "udp:4001"), "is no endpoint; write tcp:PORT"),
        (LISTENER.replace('"lis200"', "[]"), "must name a codec"),
        (LISTENER.replace('"lis200"', "7"), "7 is not a text"),
        (LISTENER + 'idle_timeout = "long"', '"long" is not a number'),
        (LISTENER + "idle_timeout = -1", "is too small; the least is 0"),
        (LISTENER + "keep_open = 1", "1 is neither true nor false"),
        (LISTENER + 'identify = ["registration"]', "`registration` gives no pattern"),
        (LISTENER + "registration = '(?P<id>x)'", 'does not have the rule "registration"'),
        (LISTENER + "registration = '(?P<id>('", "is no regular expression"),
        (LISTENER + "registration = 'x'", "has no group (?P<id>...)"),
        (LISTENER + 'heartbeats = ["hex:F"]', "pairs of hex digits"),
        (LISTENER + 'heartbeats = [""]', "empty heartbeat"),
        ('[[listener]]\nname = "a"', 'listener 1 "a": `endpoint` is missing'),
        ('[store]\nurl = "postgres://x"', "cannot be opened; allowed is sqlite:///FILE"),
        (LISTENER + LISTENER.replace("4001", "4002"), "`name` is that of listener 1; give each its own"),
        (LISTENER + LISTENER.replace("gprs", "b"), 'port 4001 is that of listener 1 "gprs" already'),
        (LISTENER + '[[ftp]]\nname="d"\nlisten="0.0.0.0:4001"', 'ftp 1 "d": port 4001 is that of listener 1'),
        ('[[ftp]]\nname="d"\nlisten="x"', "is no HOST:PORT"),
        ('[[ftp]]\nname="d"\nlisten="x:1"\npassive_ports="9-1"', "is no range of ports"),
        ('[[modem]]\nname="m"\nport="/dev/x"\nspeed=1', "`speed`: 1 is not allowed"),
        ("[limits]\nsessions = 0", "[limits]: `sessions`: 0 is too small; the least is 1"),
        ("x = [", "this is not TOML"),
        ("listener = 3", "`listener`: 3 is not a list"),
        ("store = 3", "`store`: 3 is not a table"),
    ],
)
def test_mistake_is_told_in_words(written, text: str, words: str) -> None:  # type: ignore[no-untyped-def]
    lines = mistakes(written, text)
    assert any(words in line for line in lines), lines


def test_all_mistakes_are_told_at_once(written) -> None:  # type: ignore[no-untyped-def]
    assert len(mistakes(written, "[store]\nulr = 1\n[limits]\nsessions = 0\nfoo = 1\n" + LISTENER + "rol = 1")) == 4


def test_same_port_on_two_addresses_is_no_clash(written) -> None:  # type: ignore[no-untyped-def]
    other = LISTENER.replace("gprs", "b").replace("127.0.0.1", "127.0.0.2")
    assert len(written(LISTENER + other).listener) == 2


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be read: No such file"):
        load_config(tmp_path / "none.toml")


def test_heartbeats_are_characters_or_hex() -> None:
    assert bytes_of("LOG\r\n") == b"LOG\r\n"
    assert bytes_of("þ") == b"\xfe"
    assert bytes_of("hex:00 FE") == b"\x00\xfe"
    with pytest.raises(ValueError, match="above 255"):
        bytes_of("€")


def test_listener_knows_its_pattern_and_heartbeats() -> None:
    listener = ListenerSettings(
        name="a",
        endpoint="tcp:1",
        codec=["x", "y"],
        identify=["registration"],
        registration="(?P<id>.)",
        heartbeats=["L"],
    )
    pattern = listener.registration_pattern()
    assert pattern is not None
    assert listener.codecs == ("x", "y")
    assert listener.heartbeat_strings().strings == (b"L",)
