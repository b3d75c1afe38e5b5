"""The program as a whole: its help, its exit statuses, nothing but JSON where JSON was asked for."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from gateway_server.cli.program import PEOPLE, program
from gateway_server.store.records import MeterRecord
from tests.cli.desk import Desk


def verbs(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += verbs(command, (*path, name))
        else:
            found.append(((*path, name), command))
    return found


def test_every_verb_stands_under_somebody_in_the_help(desk: Desk) -> None:
    assert sorted(program.commands) == sorted(name for _, names in PEOPLE for name in names)
    out = desk.run("--help").out
    for name in program.commands:
        assert f"  {name} " in out


@pytest.mark.parametrize("path", [path for path, _ in verbs(program)], ids=" ".join)
def test_every_verb_has_help_whose_summary_is_not_cut(desk: Desk, path: tuple[str, ...]) -> None:
    ran = desk.run(*path, "--help")
    assert ran.status == 0
    assert ran.out.startswith("Usage: gateway-server")
    assert "..." not in dict(verbs(program))[path].get_short_help_str(60)


def test_verbs_of_the_contract_are_there() -> None:
    there = {" ".join(path) for path, _ in verbs(program)}
    assert there >= {
        "run", "demo", "check-config", "meter list", "meter show", "meter add", "meter import", "meter claim",
        "meter disable", "read", "session list", "session show", "session export", "session verify", "reading list",
        "reading export", "reprocess", "simulate meter", "simulate fleet", "store check",
    }  # fmt: skip


def test_every_verb_that_touches_the_store_takes_a_configuration() -> None:
    apart = {("demo",), ("workbench", "schema")} | {
        ("simulate", what) for what in ("meter", "fleet", "upload", "modems")
    }
    for path, command in verbs(program):
        options = {option for parameter in command.params for option in parameter.opts}
        assert ({"-c", "--config"} <= options) is (path not in apart), path


@pytest.mark.parametrize(
    "arguments",
    [("meters",), ("meter", "list", "--nonsense"), ("session", "show"), ("read",), ("session", "show", "x")],
)
def test_wrong_usage_is_status_2_with_a_message(desk: Desk, arguments: tuple[str, ...]) -> None:
    ran = desk.run(*arguments)
    assert ran.status == 2
    assert ran.err
    assert ran.out == ""


@pytest.mark.parametrize("verb", ["meter", "session", "reading"])
def test_json_of_nothing_is_an_empty_list(desk: Desk, verb: str) -> None:
    desk.run("meter", "disable", "41203377")
    filters = ("--state", "active") if verb == "meter" else ()
    ran = desk.run(verb, "list", "--json", *filters)
    assert (ran.status, ran.json, ran.err) == (0, [], "")


def test_module_is_the_same_program(desk: Desk) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "gateway_server", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env=desk.environment(),
    )
    assert ran.stdout.startswith("gateway-server, version ")


def test_reader_that_goes_away_is_no_error(desk: Desk) -> None:
    with desk.store() as store:
        store.put_meters((MeterRecord(f"{number:08}"), None) for number in range(3000))
    ran = subprocess.run(
        f"{sys.executable} -m gateway_server meter list --json | head -c 100",
        shell=True, capture_output=True, text=True, check=True, cwd=desk.folder, env=desk.environment(),
    )  # fmt: skip
    assert ran.stdout.startswith("[")
    assert ran.stderr == ""


@pytest.mark.end_to_end
@pytest.mark.parametrize("encoding", ["koi8-r", "latin-1"])
def test_terminal_that_does_not_know_a_character_is_no_fault_and_json_stays_json(desk: Desk, encoding: str) -> None:
    desk.run("meter", "add", "41203377", "--name", "ГРП-7 «Север» → №1")
    environment = {**desk.environment(), "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}

    def said(*arguments: str) -> bytes:
        command = [sys.executable, "-m", "gateway_server", *arguments]
        return subprocess.run(command, cwd=desk.folder, env=environment, capture_output=True, check=True).stdout

    assert b"\\u2116" in said("meter", "list")
    assert json.loads(said("meter", "list", "--json"))[0]["name"] == "ГРП-7 «Север» → №1"
    assert json.loads(said("meter", "show", "41203377", "--json"))["name"] == "ГРП-7 «Север» → №1"
