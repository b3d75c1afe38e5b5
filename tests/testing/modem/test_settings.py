"""Settings and profiles of modems."""

from __future__ import annotations

from gateway_server.testing.modem.faults import modem_faults
from gateway_server.testing.modem.settings import Settings, stored_profile


def test_factory_settings_echo_and_speak_in_words() -> None:
    settings = Settings()
    assert (settings.echo, settings.verbose, settings.quiet, settings.extent) == (True, True, False, 4)
    assert settings.guard_s == 1.0
    assert settings.drop_s == 0.5


def test_bearer_is_known_whatever_zeros_lead_it() -> None:
    settings = Settings()
    settings.plus["CBST"] = "007,000,001"
    assert settings.bearer == "7"
    settings.plus["CBST"] = "0,0,1"
    assert settings.bearer == "0"


def test_copy_stands_apart() -> None:
    settings = Settings()
    other = settings.copy()
    other.registers[7] = 90
    other.plus["CMEE"] = "1"
    assert settings.registers[7] == 60
    assert settings.plus["CMEE"] == "0"


def test_stored_profile_may_say_digits_and_a_speed() -> None:
    settings = stored_profile(modem_faults(["numeric_profile", "fixed_speed=19200"]))
    assert not settings.verbose
    assert settings.plus["IPR"] == "19200"
