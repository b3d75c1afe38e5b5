"""What an error means for a session, and what is advised."""

from __future__ import annotations

import pytest

from gateway_server.errors import (
    ChecksumError,
    CodecError,
    GatewayError,
    LineError,
    LineLost,
    MeterRefused,
    MeterSilent,
    OperatorError,
    StoreError,
    StoreFull,
    UnknownMeter,
)
from gateway_server.model import Outcome
from gateway_server.session.endings import Ending, ending, masked, outcome_of


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, Outcome.READ),
        (MeterSilent("x"), Outcome.SILENT),
        (ChecksumError("x"), Outcome.GARBLED),
        (MeterRefused("x"), Outcome.REFUSED),
        (UnknownMeter("x"), Outcome.UNKNOWN_METER),
        (LineLost("x"), Outcome.LINE_LOST),
        (LineError("x"), Outcome.LINE_LOST),
        (StoreError("x"), Outcome.GATEWAY_FAULT),
        (OperatorError("x"), Outcome.GATEWAY_FAULT),
        (GatewayError("x"), Outcome.GATEWAY_FAULT),
        (KeyError("x"), Outcome.GATEWAY_FAULT),
    ],
)
def test_every_error_has_one_outcome(error: BaseException | None, outcome: Outcome) -> None:
    assert outcome_of(error) is outcome


def test_what_broke_with_something_stored_is_partial_unless_we_broke_it() -> None:
    assert ending(MeterSilent("x"), "", "1", 5, unclaimed=False).outcome is Outcome.PARTIAL
    assert ending(StoreError("x"), "", "1", 5, unclaimed=False).outcome is Outcome.GATEWAY_FAULT
    assert ending(UnknownMeter("x"), "", "1", 5, unclaimed=False).outcome is Outcome.UNKNOWN_METER


def test_everything_obtained_needs_no_advice() -> None:
    assert ending(None, "", "1", 5, unclaimed=False) == Ending(Outcome.READ, "", "1", 5)


def test_not_all_obtained_says_what_is_missing() -> None:
    how = ending(None, "archive daily is empty", "1", 5, unclaimed=False)
    assert how.outcome is Outcome.PARTIAL
    assert how.detail.startswith("archive daily is empty; what came is stored")


def test_meter_that_refused_is_quoted_with_its_meaning() -> None:
    how = ending(MeterRefused("lock 4", code="0017", meaning="wrong access code"), "", "1", 0, unclaimed=False)
    assert how.detail == "lock 4: wrong access code; check the access code and the meter's locks"


def test_full_disk_is_told_with_what_to_do() -> None:
    assert "make room" in ending(StoreFull("disk is full"), "", "1", 0, unclaimed=False).detail


def test_unclaimed_meter_is_to_be_claimed_however_it_ended() -> None:
    for error in (None, LineLost("gone"), MeterSilent("nothing")):
        how = ending(error, "", "7", 0, unclaimed=True)
        assert how.outcome is Outcome.UNKNOWN_METER
        assert "gateway-server meter claim 7" in how.detail
    assert ending(StoreError("x"), "", "7", 0, unclaimed=True).outcome is Outcome.GATEWAY_FAULT


def test_access_code_is_masked_with_and_without_its_lock() -> None:
    how = Ending(Outcome.REFUSED, "code 3:4711 (4711) refused")
    assert masked(how, "3:4711").detail == "code ******** (********) refused"
    assert masked(how, "4711").detail == "code 3:******** (********) refused"


def test_error_that_says_what_to_do_is_not_followed_by_the_general_advice() -> None:
    silent = "meter 1 does not answer 8 sign-on requests: check that it is powered, in its call window"
    assert ending(MeterSilent(silent), "", "1", 0, unclaimed=False).detail == silent
    refused = MeterRefused("meter 1: code refused; store the right code with `meter add`", code="0017")
    assert ending(refused, "", "1", 0, unclaimed=False).detail == str(refused)
    assert ending(MeterSilent(silent), "", "1", 5, unclaimed=False).detail.endswith("behind the last stored row")


def test_meters_text_in_an_ending_is_cut() -> None:
    assert len(ending(CodecError("7" * 4000), "", "1", 0, unclaimed=False).detail) < 700
