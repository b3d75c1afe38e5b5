"""Play fails when the conversation differs from what the test says, and shows the conversation then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

import pytest

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.dialogue import (
    ChangeLine,
    Dialogue,
    Drain,
    Findings,
    Note,
    Partly,
    Pause,
    Progress,
    Receive,
    Remember,
    Send,
)
from gateway_server.errors import CodecError, LineLost, MeterRefused, MeterSilent
from gateway_server.model import (
    INTERVAL,
    Column,
    Event,
    Identify,
    KnownMeter,
    Outcome,
    Quantity,
    Reading,
    Row,
    Saved,
)
from gateway_server.testing.play import Play, play

VOLUME = Quantity("volume", unit="m3")
COLUMNS = (Column("volume", "m3", name="Vb"), Column("", "", name="St.2"))


def acknowledging() -> Dialogue:
    hello = yield Receive(timeout=30)
    meter = yield Identify(hello.text, model="Box")
    yield Progress("reading")
    saved = yield Reading(meter.serial, VOLUME, Decimal("7.50"), "m3", archive=INTERVAL)
    assert saved == Saved(new=1)
    yield Send(b"OK\n")
    return None


def begun() -> Play:
    return play(acknowledging(), framer=LineFramer())


def test_conversation_is_followed_and_found_things_can_be_looked_at() -> None:
    talk = begun().receives(b"41\n").identifies("41", model="Box").reads(VOLUME, "7.50", "m3", archive=INTERVAL)
    talk.sends(b"OK\n").ends()
    assert [reading.serial for reading in talk.readings] == ["41"]
    assert talk.story.splitlines() == [
        "< 34 31 0A                                         41.",
        "- identified: 41",
        f"- saved: {talk.readings[0]}",
        "> 4F 4B 0A                                         OK.",
        "- over: ",
    ]


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (
            lambda: begun().receives(b"41\n").sends(b"OK\n"),
            "expected it to send b'OK\\\\n'; the dialogue found Reading",
        ),
        (lambda: begun().receives(b"41\n").ends(), "the dialogue ends, but before that the dialogue found Reading"),
        (lambda: begun().receives(b"41\n").receives(b"4\n"), "the meter sends something, but before that"),
        (lambda: begun().receives(b"41\n").reads(VOLUME, "7.5"), "value is '7.50', expected '7.5'"),
        (lambda: begun().receives(b"41\n").reads("pressure", "7.50"), "quantity is 'volume', expected 'pressure'"),
        (lambda: begun().receives(b"41\n").reads(VOLUME, "7.50", "kWh"), "unit is 'm3', expected 'kWh'"),
        (lambda: begun().receives(b"41\n").saves_row(), "expected a row; the dialogue found Reading"),
        (lambda: begun().receives(b"41\n").identifies("42"), "serial is '41', expected '42'"),
        (lambda: begun().receives(b"41\n").identifies("41", model="Bax"), "model is 'Box', expected 'Bax'"),
        (lambda: begun().receives(b"41\n").notes("gap"), "expected a note"),
        (lambda: begun().receives(b"41\n").stays_silent(), "the meter stays silent, but before that"),
        (lambda: begun().sends(b"OK\n"), "the dialogue waits for the meter, 30 s"),
        (lambda: begun().ends(), "the dialogue is not over; the dialogue waits"),
        (lambda: begun().receives(b"41\n").reads(VOLUME, "7.50").sends(b"NO\n"), "expected\n    > 4E 4F 0A"),
        (lambda: begun().receives(b"41\n").reads(VOLUME, "7.50").ends(), "before that the dialogue sends"),
        (
            lambda: begun().receives(b"41\n").reads(VOLUME, "7.50").sends(b"OK\n").receives(b"41\n"),
            "but the dialogue is over",
        ),
        (
            lambda: begun().receives(b"41\n").reads(VOLUME, "7.50").sends(b"OK\n").ends(Outcome.PARTIAL),
            "the outcome is read, expected partial",
        ),
    ],
)
def test_what_differs_fails_with_the_conversation(says: Callable[[], object], why: str) -> None:
    with pytest.raises(AssertionError) as failure:
        says()
    assert why.replace("\\\\", "\\") in str(failure.value)
    assert "the conversation so far:" in str(failure.value)


def test_acknowledgement_before_the_reading_fails() -> None:
    def too_soon() -> Dialogue:
        yield Receive(timeout=1)
        yield Send(b"OK\n")
        yield Reading("41", VOLUME, Decimal(7), "m3")
        return None

    with pytest.raises(AssertionError, match="expected reading 7; the dialogue sends\n    > 4F 4B 0A"):
        play(too_soon(), framer=LineFramer()).receives(b"41\n").reads(VOLUME, "7")


def test_silence_reaches_the_dialogue_and_waits_its_time() -> None:
    def asking() -> Dialogue:
        yield Send(b"?\n")
        try:
            yield Receive(timeout=2.5)
        except MeterSilent:
            yield Send(b"again?\n")
            yield Receive(timeout=2.5)
        return None

    talk = play(asking(), framer=LineFramer()).sends(b"?\n").receives(b"half a li").stays_silent().sends(b"again?\n")
    talk.stays_silent().ends(Outcome.SILENT, because="within 2.5 s")
    assert "- silence for 2.5 s" in talk.story


def test_frames_of_one_piece_are_delivered_one_by_one() -> None:
    def two() -> Dialogue:
        first = yield Receive(timeout=1)
        yield Note(f"first {first.text}")
        second = yield Receive(timeout=1)
        yield Send(second.data)
        return None

    play(two(), framer=LineFramer()).receives(b"1\n2\n").notes("first 1").sends(b"2\n").ends()
    play(two(), framer=LineFramer()).receives(b"1\n2\n").sends(b"2\n").ends()


def test_noise_and_other_kinds_are_passed_over_unless_wanted() -> None:
    def picky() -> Dialogue:
        frame = yield Receive(timeout=1)
        yield Send(frame.data)
        frame = yield Receive(timeout=1, noise=True)
        yield Send(frame.data)
        yield Receive(timeout=1, kinds=frozenset({"answer"}))
        return None

    talk = play(picky(), framer=LineFramer()).receives(b"\xff1\n").sends(b"1\n").receives(b"\xff2\n").sends(b"\xff")
    talk.receives(b"3\n").stays_silent().ends(Outcome.SILENT)


def archive() -> Dialogue:
    row = Row(COLUMNS, (Decimal("1.0"), "14"), INTERVAL, datetime(2026, 8, 22, 10), 5, "St.2=14", "0x8104", "extra_row")
    saved = yield Findings(rows=(row, row._replace(order_number=6)), events=(Event("0x2504", "lock", order_number=9),))
    assert saved == Saved(new=3)
    yield Findings()
    yield Findings(rows=(row,) * 3)
    yield Findings(events=(Event("1"), Event("2")))
    return Partly("the daily archive is missing")


def test_rows_and_events_are_named_by_what_matters() -> None:
    talk = play(archive(), framer=LineFramer())
    talk.saves_row(
        {"volume": "1.0", "Vb": "1.0", "St.2": "14"},
        archive=INTERVAL,
        measured_at=datetime(2026, 8, 22, 10),
        order_number=5,
        status="St.2=14",
        event="0x8104",
        quality="extra_row",
    ).saves_row(order_number=6).saves_event("0x2504", "lock", order_number=9)
    talk.saves_rows(3).saves_events(2).ends(Outcome.PARTIAL, because="daily archive")
    assert [row.order_number for row in talk.rows] == [5, 6, 5, 5, 5]
    assert [event.code for event in talk.events] == ["0x2504", "1", "2"]


def test_row_without_the_column_fails() -> None:
    with pytest.raises(AssertionError, match=r"the row has no column 'Vm'; it has volume, Vb, St\.2"):
        play(archive(), framer=LineFramer()).saves_row({"Vm": "1"})
    with pytest.raises(AssertionError, match="order_number is 5, expected 7"):
        play(archive(), framer=LineFramer()).saves_row(order_number=7)


def asides() -> Dialogue:
    yield ChangeLine(9600, "7E1")
    yield Pause(1.5)
    yield Remember("parity", "even")
    yield Remember("layout", "V.2")
    yield Note("the clock is off")
    yield Drain(quiet=0.5)
    frame = yield Receive(timeout=1)
    yield Send(frame.data)
    return None


def test_what_need_not_be_named_may_be() -> None:
    talk = play(asides(), framer=LineFramer())
    talk.changes_line(9600, "7E1").pauses(1.5).remembers("layout", "V.2").notes("clock").drains(b"stale\nhalf")
    talk.receives(b"fresh\n").sends(b"fresh\n").ends()
    play(asides(), framer=LineFramer()).receives(b"1\n").sends(b"1\n").ends()


@pytest.mark.parametrize(
    "says",
    [
        lambda: play(asides(), framer=LineFramer()).changes_line(300),
        lambda: play(asides(), framer=LineFramer()).changes_line(9600, "8N1"),
        lambda: play(asides(), framer=LineFramer()).pauses(1),
        lambda: play(asides(), framer=LineFramer()).remembers("parity", "odd"),
        lambda: play(asides(), framer=LineFramer()).remembers("colour"),
        lambda: play(asides(), framer=LineFramer()).notes("dark"),
    ],
)
def test_what_is_named_and_does_not_happen_fails(says: Callable[[], object]) -> None:
    with pytest.raises(AssertionError, match="the conversation so far"):
        says()


def test_lost_line_is_heard_of_at_every_wish_that_needs_one() -> None:
    heard: list[str] = []

    def stubborn() -> Dialogue:
        for _ in range(2):
            try:
                yield Receive(timeout=1)
                yield Send(b"OK\n")
            except LineLost as error:
                heard.append(str(error))
        return Partly("the line was lost early")

    play(stubborn(), framer=LineFramer()).receives(b"1\n").sends(b"OK\n").hangs_up().ends(Outcome.PARTIAL, "early")
    assert heard == ["the line was lost"]


def test_lost_line_is_the_outcome_of_a_dialogue_that_does_not_answer_it() -> None:
    begun().hangs_up().ends(Outcome.LINE_LOST)


def test_unknown_meter_is_refused() -> None:
    begun().receives(b"41\n").identifies("41", unknown=True).ends(Outcome.UNKNOWN_METER, "41 is not in the register")


def test_known_meter_is_what_the_dialogue_gets() -> None:
    def asking() -> Dialogue:
        meter = yield Identify("1")
        yield Send(meter.address.encode())
        return None

    play(asking(), framer=LineFramer(), meter=KnownMeter("1", address="A")).sends(b"A").ends()
    play(asking(), framer=LineFramer()).identifies("1", meter=KnownMeter("1", address="B")).sends(b"B").ends()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(MeterRefused("no", code="18"), Outcome.REFUSED), (CodecError("what?"), Outcome.GARBLED)],
)
def test_error_that_leaves_the_dialogue_is_the_outcome(error: Exception, outcome: Outcome) -> None:
    def failing() -> Dialogue:
        yield Receive(timeout=1)
        raise error

    play(failing(), framer=LineFramer()).receives(b"1\n").ends(outcome, because=str(error))


def test_defect_of_the_codec_is_not_hidden() -> None:
    def defect() -> Dialogue:
        yield Receive(timeout=1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        play(defect(), framer=LineFramer()).receives(b"1\n").ends()


def test_secret_is_sent_in_full_and_shown_masked() -> None:
    def secret() -> Dialogue:
        yield Send(b"1234\n", shown=b"****\n")
        return None

    play(secret(), framer=LineFramer()).sends(b"1234\n", shown=b"****\n").ends()
    with pytest.raises(AssertionError, match="the log would show"):
        play(secret(), framer=LineFramer()).sends(b"1234\n", shown=b"1234\n")


class Both:
    """Asks and answers, so that a test chooses."""

    name = "both"
    version = "1"
    framer = LineFramer

    def read(self, expected: KnownMeter | None) -> Dialogue:
        yield Send(b"ask " + (expected.serial.encode() if expected else b"anybody"))
        return None

    def answer(self) -> Dialogue:
        yield Send(b"answer")
        return None

    def dissect(self, frame: object) -> Sequence[object]:
        return []


def test_codec_asks_whom_it_expects_and_answers_otherwise() -> None:
    play(Both(), expected=KnownMeter("7")).sends(b"ask 7").ends()  # type: ignore[arg-type]  # dissect is beside the point
    play(Both()).sends(b"answer").ends()  # type: ignore[arg-type]  # as above


def test_without_a_codec_there_is_nothing_to_play() -> None:
    with pytest.raises(AssertionError, match="import one as `codec`"):
        play()
    with pytest.raises(AssertionError, match="needs framer="):
        play(asides())
