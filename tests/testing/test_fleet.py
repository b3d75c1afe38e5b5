"""Fleets of simulated meters, in a reactor of memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from twisted.internet.testing import MemoryReactorClock

from gateway_server.codec.codec import Frame
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.registry import load_codecs
from gateway_server.errors import OperatorError
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.fleet import Fleet, FleetOptions, caller_id, simulate_fleet
from tests.testing.memory import connect, started


def options(**changed: object) -> FleetOptions:
    return FleetOptions("127.0.0.1:4001", **{"meters": 3, "rate": 1.0, "days": 1, **changed})  # type: ignore[arg-type]


def cut(codec: ProfileCodec, data: bytes) -> list[Frame]:
    framer = codec.framer()
    framer.feed(data)
    return list(iter(framer.next_frame, None))


def read_one_block(reactor: MemoryReactorClock, call: int) -> None:
    """What a gateway does: signs on, reads a block of archive 3 and acknowledges it, signs off."""
    protocol, _ = connect(reactor, call)
    for data in (b"/?!\r\n", b"\x06061\r\n", b"\x01R3\x023:V.0(;;;10)\x03\x1a", b"\x06", b"\x01B0\x03q"):
        protocol.dataReceived(data)


def test_meters_call_at_the_given_rate_with_their_own_identifiers() -> None:
    reactor = started()
    fleet = Fleet(reactor, options())
    fleet.start()
    assert len(reactor.tcpClients) == 1
    reactor.pump([1, 1, 1, 1])
    assert len(reactor.tcpClients) == 3
    said = [connect(reactor, call)[1].value() for call in range(3)]
    assert said == [f"{caller_id(number)}\r\n".encode() for number in (1, 2, 3)]
    assert len(caller_id(1)) == 15
    assert [meter.kind for meter in fleet.meters] == ["ek260", "ek270", "ek280"]
    assert len({meter.serial for meter in fleet.meters}) == 3
    fleet.stop()


def test_fleet_ends_once_every_meter_was_read() -> None:
    reactor = started()
    ended: list[bool] = []
    fleet = Fleet(reactor, options(meters=2, rate=100.0), lambda: ended.append(True))
    fleet.start()
    reactor.pump([0.02, 0.02])
    read_one_block(reactor, 0)
    reactor.advance(1)
    assert ended == []
    read_one_block(reactor, 1)
    reactor.advance(0.5)
    assert ended == [True]
    statistics = fleet.statistics()
    assert (statistics.read, statistics.connected, statistics.rows_acknowledged) == (2, 2, 20)
    assert statistics.line() == "called 2/2, connected 2, failed 0, ended 0, read 2, rows acknowledged 20"


def test_fleet_ends_when_its_time_is_over() -> None:
    reactor = started()
    said: list[str] = []
    over = simulate_fleet(reactor, options(seconds=12), said.append)
    for _ in range(13):
        reactor.advance(1)
    assert over.called
    assert len(said) == 3, "two reports on the way and one at the end"
    assert [call for call in reactor.getDelayedCalls() if call.active()] == []


def test_acknowledged_rows_are_written_for_a_check_against_the_store(tmp_path: Path) -> None:
    reactor = started()
    place = tmp_path / "acknowledged.jsonl"
    fleet = Fleet(reactor, options(meters=1, models=("ek270",), acknowledged=place))
    fleet.start()
    read_one_block(reactor, 0)
    fleet.stop()
    (line,) = place.read_text("utf-8").splitlines()
    written = json.loads(line)
    assert written["serial"] == "50000001"
    meter = fleet.meters[0]
    assert isinstance(meter, FakeMeter)
    first = [row[1] for row in meter.archives[3].rows][:10]
    assert written["rows"] == [[3, int(order)] for order in first]


def test_fleet_that_pushes_by_a_profile_ends_once_all_is_acknowledged() -> None:
    reactor = started()
    codec = load_codecs().get("reference-push")
    assert isinstance(codec, ProfileCodec)
    fleet = Fleet(reactor, options(meters=1, profile=Path("reference-push"), registration=""))
    fleet.start()
    protocol, transport = connect(reactor, 0)
    acknowledged = 0
    while frames := cut(codec, transport.value()):
        transport.clear()
        for frame in frames:
            said = codec.machine.compiled.read(frame)
            if said.name in ("hourly", "happened"):
                acknowledged += len(said.values.get("hours", [None]))
                number = said.values["number"]
                protocol.dataReceived(codec.machine.compiled.encode("received", {"number": number}))
    assert fleet.statistics().rows_acknowledged == acknowledged == 25 + 5
    reactor.advance(0.5)
    assert fleet.statistics().read == 1
    fleet.stop()


@pytest.mark.parametrize("changed", [{"meters": 0}, {"rate": 0.0}, {"models": ("ek999",)}, {"call": "nowhere"}])
def test_impossible_fleet_is_refused(changed: dict[str, object]) -> None:
    wrong = FleetOptions(**{"call": "127.0.0.1:4001", **changed})  # type: ignore[arg-type]
    with pytest.raises(OperatorError):
        Fleet(started(), wrong)
