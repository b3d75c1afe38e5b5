"""Simulated meters as an operator starts them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock

from gateway_server.errors import OperatorError
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.simulate import (
    MeterOptions,
    SimulatedMeter,
    host_and_port,
    simulate_meter,
    unescaped,
)
from tests.testing.memory import started


def test_meter_says_where_it_is_and_ends_by_itself(tmp_path: Path) -> None:
    reactor = started()
    said: list[str] = []
    dump = tmp_path / "held.json"
    options = MeterOptions(listen="127.0.0.1:4001", days=1, dump=dump, seconds=7200, quirks=Quirks(slow=True))
    over = simulate_meter(reactor, options, said.append)
    assert said == ["ek270 41203377 tcp:127.0.0.1:4001"]
    assert len(json.loads(dump.read_text("utf-8"))["archives"]["3"]["rows"]) == 24
    reactor.advance(7200)
    assert over.called


def test_what_it_holds_is_written_again_at_the_end(tmp_path: Path) -> None:
    reactor = started()
    dump = tmp_path / "held.json"
    running = SimulatedMeter(reactor, MeterOptions(call="127.0.0.1:4001", days=1, dump=dump))
    assert running.where == "calling 127.0.0.1:4001"
    assert isinstance(running.meter, FakeMeter)
    running.meter.tick(running.meter.clock.replace(hour=15))
    running.stop()
    held = json.loads(dump.read_text("utf-8"))
    assert held["archives"]["3"]["rows"][-1]["time"] == "2024-04-03,15:00:00"


def test_meter_on_a_terminal_says_its_path() -> None:
    running = SimulatedMeter(started(), MeterOptions(pty=True, days=0))
    assert running.where.startswith("serial:/dev/")
    running.stop()


@pytest.mark.parametrize("options", [MeterOptions(), MeterOptions(listen="127.0.0.1:1", pty=True)])
def test_exactly_one_way_to_the_meter_is_wanted(options: MeterOptions) -> None:
    with pytest.raises(OperatorError, match="exactly one"):
        SimulatedMeter(started(), options)


@pytest.mark.parametrize("text", ["4001", ":4001", "host:", "host:99999", "host:port"])
def test_address_must_be_host_and_port(text: str) -> None:
    with pytest.raises(OperatorError, match="HOST:PORT"):
        host_and_port(text)


def test_port_in_use_is_said_in_words() -> None:
    class Taken(MemoryReactorClock):
        def listenTCP(self, port: int, factory: object, backlog: int = 50, interface: str = "") -> None:
            raise CannotListenError(interface, port, OSError("Address already in use"))

    reactor: MemoryReactorClock = Taken()  # type: ignore[no-untyped-call]  # Twisted's parent is not typed
    with pytest.raises(OperatorError, match="Address already in use"):
        SimulatedMeter(reactor, MeterOptions(listen="127.0.0.1:4001", days=0))


def test_place_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot write"):
        SimulatedMeter(started(), MeterOptions(call="h:1", days=0, dump=tmp_path / "no" / "such"))


def test_registration_is_written_with_escapes() -> None:
    assert unescaped(r"ID\r\n\x00") == b"ID\r\n\x00"


def test_meter_that_speaks_a_profile_is_what_the_profile_is_called(tmp_path: Path) -> None:
    dump = tmp_path / "held.json"
    said: list[str] = []
    options = MeterOptions(pty=True, profile=Path("reference-push"), serial="20000001", days=1, dump=dump, seconds=1)
    simulate_meter(started(), options, said.append)
    assert said[0].startswith("reference-push 20000001 serial:/dev/")
    held = json.loads(dump.read_text("utf-8"))
    assert held["serial"] == "20000001"
    assert [row["order_number"] for row in held["archives"]["interval"]] == list(range(1, 26))


def test_quirks_of_the_models_do_not_go_with_a_profile() -> None:
    options = MeterOptions(pty=True, profile=Path("reference-push"), quirks=Quirks(slow=True))
    with pytest.raises(OperatorError, match="a meter that speaks a profile has none"):
        SimulatedMeter(started(), options)
