"""The example of a codec test; it reads as docs and style show it."""

from __future__ import annotations

from gateway_server.model import Outcome
from gateway_server.testing.play import play
from tests.plugins.gasbox import CONVERTED_VOLUME, codec

__all__ = ["codec"]


def test_volume_is_stored_before_the_corrector_may_delete_it() -> None:
    (
        play()
        .receives(b"SN=41203377\r\n")
        .sends(b"V?\r\n")
        .receives(b"001042.5\r\n")
        .reads(CONVERTED_VOLUME, "1042.5", "m3")
        .sends(b"OK\r\n")
        .ends()
    )


def test_first_request_lost_in_the_wake_up_is_repeated() -> None:
    (
        play(codec)
        .receives(b"SN=41203377\r\n")
        .identifies("41203377")
        .sends(b"V?\r\n")
        .stays_silent()
        .sends(b"V?\r\n")
        .receives(b"7\r\n")
        .reads(CONVERTED_VOLUME, "7", "m3")
        .sends(b"OK\r\n")
        .ends()
    )


def test_corrector_that_sends_no_number_is_garbled_and_keeps_its_value() -> None:
    play().receives(b"SN=41203377\r\n").sends(b"V?\r\n").receives(b"ERR\r\n").ends(Outcome.GARBLED, "not a volume")
