"""``run`` and ``check-config``."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from tests.cli.desk import Desk
from tests.cli.programs import ran, started

LISTENER = """
[[listener]]
name = "gprs"
endpoint = "tcp:{port}:interface=127.0.0.1"
codec = "lis200"
identify = ["registration", "codec"]
registration = '(?P<id>\\d{{15}})\\r?\\n'
"""


def configure(desk: Desk, port: int = 0) -> None:
    (desk.folder / "gateway.toml").write_text(LISTENER.format(port=port), encoding="utf-8")


@pytest.mark.end_to_end
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_gateway_says_ready_with_its_addresses_and_ends_cleanly(desk: Desk, by: signal.Signals) -> None:
    configure(desk)
    with started(desk, "run", "-c", "gateway.toml") as gateway:
        ready = gateway.line("ready")
        port = int(ready.rsplit(":", 1)[1])
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        ended = gateway.end(by)
    assert ready == f"ready gprs=127.0.0.1:{port}"
    assert ended.status == 0
    assert "Traceback" not in ended.err


@pytest.mark.end_to_end
def test_port_in_use_is_a_message_and_status_2(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        configure(desk, taken.getsockname()[1])
        ended = ran(desk, "run", "-c", "gateway.toml")
    assert ended.status == 2
    assert str(taken) not in ended.err
    assert "gprs" in ended.err
    assert "Traceback" not in ended.err
    assert "ready" not in ended.out


@pytest.mark.end_to_end
def test_second_gateway_on_one_store_is_refused(desk: Desk) -> None:
    configure(desk)
    with started(desk, "run") as gateway:
        gateway.line("ready")
        second = ran(desk, "run")
    assert second.status == 2
    assert "another gateway" in second.err


def test_part_that_does_not_exist_is_refused(desk: Desk) -> None:
    configure(desk)
    ended = ran(desk, "run", "--only", "tcp,fax")
    assert ended.status == 2
    assert "scheduler" in ended.err


def test_good_configuration_is_ok_with_what_would_run(desk: Desk) -> None:
    configure(desk, 4001)
    checked = desk.run("check-config", "-c", "gateway.toml")
    assert checked.status == 0
    assert checked.out.startswith("ok: ")
    assert "tcp:4001:interface=127.0.0.1, lis200, the gateway asks, known by registration, then codec" in checked.out


def test_watched_folder_is_listed_and_a_way_in(desk: Desk) -> None:
    (desk.folder / "in").mkdir()
    (desk.folder / "gateway.toml").write_text('[[watch]]\nname = "old"\npath = "in"\nby_login = true\n')
    checked = desk.run("check-config", "-c", "gateway.toml")
    assert checked.status == 0
    assert f"{desk.folder}/in, every 60 s, its folders are accounts" in " ".join(checked.out.split())
    assert "no meter can reach us" not in checked.out


def test_gateway_without_a_way_in_is_told_so_and_one_with_uploads_alone_is_not(desk: Desk) -> None:
    config = desk.folder / "gateway.toml"
    config.write_text("")
    assert "no meter can reach us" in desk.run("check-config").out
    config.write_text('[[ftp]]\nname = "drop"\nlisten = "127.0.0.1:2121"\n')
    assert "no meter can reach us" not in desk.run("check-config").out
    config.write_text('[[modem]]\nname = "m1"\nport = "/dev/ttyUSB0"\nanswer = "never"\n')
    assert "no meter can reach us" in desk.run("check-config").out


@pytest.mark.end_to_end
def test_running_gateway_with_uploads_alone_has_no_note_that_nothing_comes(desk: Desk) -> None:
    (desk.folder / "gateway.toml").write_text('[[ftp]]\nname = "drop"\nlisten = "127.0.0.1:0"\n')
    with started(desk, "run", "-c", "gateway.toml") as gateway:
        gateway.line("ready")
        ended = gateway.end(signal.SIGTERM)
    assert ended.status == 0
    assert "note:" not in ended.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[watch]]\nname = 'old'\npath = 'gone'", "gone; make it, or mount what it is on"),
        ("[[watch]]\nname = 'old'\npath = 'gateway.toml'", "gateway.toml is a file; name the folder it is in"),
        ("listner = 1", "listner"),
        ("[store]\nurl = 5", "url"),
        ("[[listener]]\nname = 'a'\nendpoint = 'tcp:99999'\ncodec = 'lis200'", "endpoint"),
        ("[[listener]]\nname = 'a'\nendpoint = 'tcp:4001'\ncodec = 'gas'", "lis200"),
        ("[store", "TOML"),
    ],
)
def test_wrong_configuration_is_said_with_its_file_and_key(desk: Desk, text: str, said: str) -> None:
    (desk.folder / "gateway.toml").write_text(text, encoding="utf-8")
    checked = desk.run("check-config", "-c", "gateway.toml")
    assert checked.status == 2
    assert "gateway.toml" in checked.err
    assert said in checked.err


def test_example_that_is_printed_is_a_configuration_that_can_be_used(desk: Desk) -> None:
    printed = desk.run("check-config", "--example").out
    assert printed == (Path(__file__).parents[2] / "config" / "gateway.example.toml").read_text("utf-8")
    (desk.folder / "mine.toml").write_text(printed, "utf-8")
    assert desk.run("check-config", "-c", "mine.toml").status == 0
