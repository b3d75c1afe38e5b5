"""Where a call's time went."""

from __future__ import annotations

from gateway_server.model import Direction
from gateway_server.session.remarks import IDENTIFIED
from gateway_server.store.records import LogEntry
from gateway_server.workbench.waterfall import Phase, waterfall

TO, FROM, TO_MODEM, FROM_MODEM, NOTE = (
    Direction.TO_METER, Direction.FROM_METER, Direction.TO_MODEM, Direction.FROM_MODEM, Direction.NOTE,
)  # fmt: skip

CALL = (
    (0, TO_MODEM, b"AT+CSQ\r"),
    (20, FROM_MODEM, b"OK\r"),
    (100, TO_MODEM, b"ATD********4567\r"),
    (20_100, FROM_MODEM, b"CONNECT 9600\r"),
    (20_100, TO, bytes(53)),
    (22_000, TO, b"/?!\r\n"),
    (22_600, FROM, b"/Els6EK270\r\n"),
    (24_000, NOTE, IDENTIFIED.encode()),
    (24_000, TO, b"\x01R3"),
    (30_000, FROM, b"\x02(1)\x03"),
    (30_010, TO, b"\x01B0\x03q"),
    (31_200, TO_MODEM, b"+++"),
    (32_400, FROM_MODEM, b"OK\r"),
)


def log(*entries: tuple[int, Direction, bytes]) -> list[LogEntry]:
    return [LogEntry(*entry) for entry in entries]


def test_call_has_its_phases_with_what_they_took() -> None:
    assert waterfall(log(*CALL)) == [
        Phase("dial", 100, 20_000),
        Phase("wake-up", 20_100, 1_900),
        Phase("sign-on", 22_000, 2_000),
        Phase("data", 24_000, 6_010),
        Phase("hang-up", 30_010, 2_390),
    ]


def test_dial_that_failed_is_all_there_is() -> None:
    failed = (*CALL[:3], (15_100, FROM_MODEM, b"BUSY\r"))
    assert waterfall(log(*failed)) == [Phase("dial", 100, 15_000)]


def test_meter_that_never_said_who_it_is_has_no_sign_on() -> None:
    silent = [entry for entry in CALL if entry[1] is not NOTE]
    assert [phase.name for phase in waterfall(log(*silent))] == ["dial", "wake-up", "data", "hang-up"]


def test_session_that_was_no_call_has_none() -> None:
    assert waterfall(log((0, TO, b"/?!\r\n"), (100, FROM, b"/Els6EK270\r\n"))) == []
