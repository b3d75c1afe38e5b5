"""The running gateway calls meters through simulated modems on every kind of port, and every kind of call fails.

The modems' time goes twenty times as fast. Each number fails in its own way, always: so it is known what must be said
of its call. Afterwards every modem must be fit to read a meter that fails in no way.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway_server.model import ReadOrder
from gateway_server.store.open import open_store
from gateway_server.store.records import MeterRecord
from tests.end_to_end.programs import first_line, program, said_by

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(200)]

PATIENCE_S = 120
FIRST_SERIAL = 41200000
DAYS = ReadOrder(frozenset({"archive"}), ("daily",))
CONFIG = """
[store]
url = "sqlite:///gateway.db"
"""
MODEM = """
[[modem]]
name = "{name}"
port = "{port}"
cool_down = 0.3
refused_within = 0.3
guard = 0.3
boot = 1
power_cycle = ["bash", "-c", "echo power modem1 > /dev/tcp/{control}"]
"""

# What befalls the calls of each modem, and what must be said of each: dossier A.3. The first fails in no way.
CALLS: dict[str, dict[str, set[str]]] = {
    "rfc2217": {
        "": {"ok"},
        "busy": {"busy"},
        "refused=57": {"barred"},
        "lost_silently_after=300": {"lost"},
        "hang_up=none": {"ok"},
        "hangs=hang-up": {"ok"},
        "unplugged_after=200": {"modem_fault"},
    },
    "tcp": {
        "": {"ok"},
        "refused=41": {"no_carrier"},
        "no_answer": {"no_answer"},
        "lost_after=300": {"lost"},
        "escape_lost=1": {"ok"},
        "hang_up=no-carrier": {"ok"},
        "no_carrier_in_data=60": {"ok"},
    },
    "pty": {
        "": {"ok"},
        "no_handshake=16": {"no_carrier"},
        "error": {"modem_fault"},
        "connect_without_speed": {"ok"},
        "noise_at_connect": {"ok"},
        "hang_up=no-carrier-ok": {"ok"},
        "no_dialtone": {"no_dialtone"},
    },
}


@dataclass(frozen=True, slots=True)
class Line:
    """A meter, the modem that reaches it, and what befalls its calls."""

    serial: str
    number: str
    modem: str
    fault: str

    @property
    def route(self) -> str:
        return f"csd:{self.number}@{self.modem}"


LINES = [
    Line(str(FIRST_SERIAL + place), f"+7916000{place:04}", modem, fault)
    for place, (modem, fault) in enumerate((modem, fault) for modem, faults in CALLS.items() for fault in faults)
]


@contextmanager
def bank(folder: Path, kind: str) -> Iterator[tuple[str, str]]:
    """One modem on one kind of port with its meters; gives its port and where its mains are switched."""
    book = folder / f"{kind}.toml"
    tables = []
    for line in LINES:
        if line.modem == kind:
            fails = [line.fault] if line.fault else []
            table = f'[[number]]\nnumber = "{line.number}"\nserial = "{line.serial}"\ndays = 3\nfails = {fails}\n'
            tables.append(table)
    book.write_text("\n".join(tables))
    held, links = str(folder / f"held-{kind}"), str(folder / "ports")
    order = ["simulate", "modems", f"--{kind}", "--book", str(book), "--dump", held, "--links", links]
    order += ["--speed-up", "20", "--control", "127.0.0.1:0", "--failures", "registration_s=1"]
    with program(*order) as running:
        port = first_line(running).partition(" ")[2]
        control = first_line(running).partition(" ")[2]
        while first_line(running) != "ready":
            pass
        yield port, control.replace(":", "/")


def ordered(folder: Path) -> None:
    """Registers the meters and orders each to be read."""
    with closing(open_store(f"sqlite:///{folder / 'gateway.db'}")) as store:
        for line in LINES:
            store.put_meter(MeterRecord(line.serial, "", "lis200", "ek270", (line.route,)), None)
            store.add_job(line.serial, DAYS.to_json(), "", 0)


def calls(config: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(said_by("call", "list", "--json", "-c", config))
    return found


def until_all_were_called(config: str) -> list[dict[str, Any]]:
    """The calls, once there is one of every meter and none in progress."""
    until = time.monotonic() + PATIENCE_S
    while True:
        made = calls(config)
        if {call["meter"] for call in made if call["result"]} >= {line.serial for line in LINES}:
            return made
        assert time.monotonic() < until, made
        time.sleep(1)  # noqa: TID251 - real programs take real time


def test_every_kind_of_failing_call_is_recorded_and_every_modem_reads_on(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    at = str(config)
    with ExitStack() as stack:
        text = CONFIG
        for kind in CALLS:
            port, control = stack.enter_context(bank(tmp_path, kind))
            text += MODEM.format(name=kind, port=port, control=control)
        config.write_text(text)
        ordered(tmp_path)
        gateway = stack.enter_context(program("run", "-c", at, log=tmp_path / "gateway.log"))
        assert first_line(gateway).startswith("ready")
        made = until_all_were_called(at)
        said = {call["meter"]: call["result"] for call in sorted(made, key=lambda call: -int(call["id"]))}
        wrong = {
            f"{line.modem} {line.fault}": (said[line.serial], CALLS[line.modem][line.fault])
            for line in LINES
            if said[line.serial] not in CALLS[line.modem][line.fault]
        }
        assert not wrong
        for line in LINES:
            if not line.fault:
                said_by("read", line.serial, "--via", line.route, "--what", "current", "-c", at)
    stored = json.loads(said_by("reading", "list", "--json", "--archive", "daily", "-c", at))
    seen = Counter((one["meter"], one["order_number"], one["quantity"]) for one in stored)
    assert set(seen.values()) == {1}, "a row came twice into the store"
    for line in LINES:
        if CALLS[line.modem][line.fault] == {"ok"}:
            held = json.loads((tmp_path / f"held-{line.modem}" / f"{line.serial}.json").read_text("utf-8"))
            rows = {row["order_number"] for row in held["archives"]["7"]["rows"]}
            assert rows == {order for meter, order, _ in seen if meter == line.serial}, line
