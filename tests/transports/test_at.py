"""What modems say, each case from a defect that kept a driver from its modem (dossier A.6)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.transports.at import (
    CALLING,
    MOST_LINE,
    RELEASING,
    AtCommand,
    AtEvent,
    AtReader,
    Data,
    Heard,
    Reply,
    Result,
    Unsolicited,
    result_of,
)

DIAL = AtCommand("ATD+79161234567", ends=CALLING)
SIGNAL = AtCommand("AT+CSQ", prefix="+CSQ")


def heard(command: AtCommand | None, *chunks: bytes) -> list[AtEvent]:
    """Events without the raw lines; the call's bytes joined."""
    reader = AtReader()
    if command is not None:
        reader.begin(command)
    events: list[AtEvent] = []
    for chunk in chunks:
        for event in reader.feed(chunk):
            if isinstance(event, Data) and events and isinstance(events[-1], Data):
                events[-1] = Data(events[-1].data + event.data)
            elif not isinstance(event, Heard):
                events.append(event)
    return events


def reply(command: AtCommand, *chunks: bytes) -> Reply:
    (found,) = [event for event in heard(command, *chunks) if isinstance(event, Reply)]
    return found


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        (b"\r\nOK\r\n", ()),
        (b"AT\r\r\nOK\r\n", ()),
        (b"\x1bAT\r\r\nOK\r\n", ()),
        (b"\x00\xff\xfeAT\r\r\nOK\r\n", ()),
        (b"AT\nOK\n", ()),
        (b"AT\rOK\r", ()),
        (b"0\r", ()),
        (b"\r\n\r\n\r\nOK\r\n\r\n", ()),
        (b"\r\nWAVECOM MODEM\r\n\r\nOK\r\n", ("WAVECOM MODEM",)),
    ],
)
def test_command_is_answered_whatever_stands_around_it(said: bytes, lines: tuple[str, ...]) -> None:
    assert reply(AtCommand("AT"), said) == Reply(Result.OK, "0" if said == b"0\r" else "OK", lines)


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("CONNECT", Result.CONNECT),
        ("CONNECT 9600", Result.CONNECT),
        ("CONNECT 9600/RLP", Result.CONNECT),
        ("CONNECT/V42", Result.CONNECT),
        ("NO CARRIER", Result.NO_CARRIER),
        ("NO DIAL TONE", Result.NO_DIALTONE),
        ("NO DIALTONE", Result.NO_DIALTONE),
        ("BUSY", Result.BUSY),
        ("NO ANSWER", Result.NO_ANSWER),
        ("DELAYED 00:45", Result.DELAYED),
        ("BLACKLISTED", Result.BLACKLISTED),
        ("1", Result.CONNECT),
        ("12", Result.CONNECT),
        ("3", Result.NO_CARRIER),
        ("6", Result.NO_DIALTONE),
        ("7", Result.BUSY),
        ("8", Result.NO_ANSWER),
        ("+CME ERROR: 30", Result.CME_ERROR),
    ],
)
def test_dial_ends_with_each_result_in_words_and_digits(line: str, result: Result) -> None:
    assert result_of(line, dialling=True)[0] is result
    assert reply(DIAL, f"{DIAL.text}\r\r\n{line}\r\n".encode()).result is result


@pytest.mark.parametrize("line", ["STRING", "DISCONNECT", "+CONNECT 9600", "CONNECTED", "OKAY", "NO CARRIER?", "R OK"])
def test_word_within_a_line_is_no_result(line: str) -> None:
    assert result_of(line, dialling=True) == (None, None)


def test_bytes_behind_connect_are_the_meters_exactly() -> None:
    events = heard(DIAL, b"\r\nCONNECT 9600\r\n\n/Els6EK270\r\nOK\r\n")
    assert events[1:] == [Data(b"\n/Els6EK270\r\nOK\r\n")]


def test_line_feed_of_connect_may_come_late_and_is_not_the_meters() -> None:
    assert heard(DIAL, b"\r\nCONNECT 9600\r", b"\n", b"/") == [Reply(Result.CONNECT, "CONNECT 9600"), Data(b"/")]


def test_digit_of_connect_ends_with_a_return_and_a_line_feed_behind_it_is_the_meters() -> None:
    assert heard(DIAL, b"1\r\n/") == [Reply(Result.CONNECT, "1"), Data(b"\n/")]


@pytest.mark.parametrize(
    "unasked",
    ["RING", "+CRING: REL ASYNC", '+CLIP: "+79161234567",145', "+CREG: 1", "Call Ready", "^SYSSTART", "NO CARRIER"],
)
def test_what_nobody_asked_for_is_kept_apart_from_the_answer(unasked: str) -> None:
    said = f"AT+CSQ\r\r\n{unasked}\r\n\r\n+CSQ: 17,99\r\n\r\n{unasked}\r\n\r\nOK\r\n".encode()
    events = heard(SIGNAL, said)
    assert events == [Unsolicited(unasked), Unsolicited(unasked), Reply(Result.OK, "OK", ("+CSQ: 17,99",))]


def test_registration_that_is_asked_for_is_an_answer() -> None:
    asked = AtCommand("AT+CREG?", prefix="+CREG")
    assert reply(asked, b"\r\n+CREG: 0,1\r\n\r\nOK\r\n").value("+CREG") == "0,1"


def test_connect_that_comes_when_nobody_dials_is_unasked() -> None:
    assert heard(AtCommand("AT"), b"\r\nCONNECT 9600\r\n") == [Unsolicited("CONNECT 9600")]


def test_pin_state_without_its_ok_is_an_answer_when_the_time_is_over() -> None:
    reader = AtReader()
    reader.begin(AtCommand("AT+CPIN?", prefix="+CPIN"))
    reader.feed(b"\r\n+CPIN: READY\r\n")
    assert reader.half_answered
    assert reader.give_up() == Reply(Result.OK, "", ("+CPIN: READY",))
    assert not reader.busy


def test_value_behind_its_ok_is_waited_for() -> None:
    assert reply(SIGNAL, b"\r\nOK\r\n", b"\r\n+CSQ: 9,99\r\n").value("+CSQ") == "9,99"
    reader = AtReader()
    reader.begin(SIGNAL)
    reader.feed(b"\r\nOK\r\n")
    assert reader.half_answered
    assert reader.give_up() == Reply(Result.OK, "OK")


def test_silence_is_no_answer() -> None:
    reader = AtReader()
    reader.begin(SIGNAL)
    reader.feed(b"\r\nRING\r\n+CS")
    assert reader.flush() == b"+CS"
    assert reader.give_up() is None


def test_error_in_words_has_no_number() -> None:
    found = reply(AtCommand("AT+CPIN?"), b"+CME ERROR: SIM not inserted\r\n")
    assert (found.result, found.code, str(found)) == (Result.CME_ERROR, None, "+CME ERROR: SIM not inserted")
    assert reply(AtCommand("AT"), b"+CME ERROR: 14\r\n").code == 14


def test_no_carrier_ends_a_hang_up_and_nothing_else() -> None:
    assert reply(AtCommand("ATH", ends=RELEASING), b"\r\nNO CARRIER\r\n").result is Result.NO_CARRIER
    assert heard(AtCommand("AT"), b"\r\nNO CARRIER\r\n") == [Unsolicited("NO CARRIER")]


def test_line_without_end_does_not_grow() -> None:
    reader = AtReader()
    reader.begin(AtCommand("AT"))
    for _ in range(100):
        assert reader.feed(b"x" * MOST_LINE) == []
    assert len(reader.flush()) <= MOST_LINE
    assert [event for event in reader.feed(b"\r\nOK\r\n") if isinstance(event, Reply)]


def test_half_typed_line_before_the_echo_is_no_part_of_the_answer() -> None:
    assert reply(SIGNAL, b"ATAT+CSQ\r\r\n+CSQ: 3,99\r\n\r\nOK\r\n").lines == ("+CSQ: 3,99",)


SAID = st.lists(
    st.sampled_from(
        [b"\r\n", b"\r", b"\n", b"OK", b"RING", b"+CSQ: 1,2", b"CONNECT 9600", b"1", b"NO CARRIER", b"\x00\xff",
         b"AT+CSQ", b"+CME ERROR: 3", b"ATD+79161234567", b"meter"]
    ),
    max_size=30,
).map(b"".join)  # fmt: skip


@given(SAID, st.lists(st.integers(0, 200), max_size=8), st.sampled_from([DIAL, SIGNAL, AtCommand("AT"), None]))
def test_cut_anywhere_it_says_the_same(said: bytes, cuts: list[int], command: AtCommand | None) -> None:
    places = sorted({0, len(said), *(cut for cut in cuts if cut < len(said))})
    pieces = [said[start:end] for start, end in itertools.pairwise(places)]
    assert heard(command, *pieces) == heard(command, said)


@given(st.lists(st.binary(max_size=80), max_size=10), st.sampled_from([DIAL, SIGNAL, None]))
def test_arbitrary_bytes_raise_nothing(chunks: list[bytes], command: AtCommand | None) -> None:
    heard(command, *chunks)
