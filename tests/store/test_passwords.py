"""Passwords of upload accounts: hashed by argon2, remembered for a while by those who were right."""

from __future__ import annotations

import argon2
import pytest

from gateway_server.store import passwords
from gateway_server.store.passwords import Verifier, hashed, verified

NOW = 1_700_000_000_000


def test_a_hash_is_argon2id_salted_and_verified_by_the_library_itself() -> None:
    one, two = hashed("00000000"), hashed("00000000")
    assert one != two
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert argon2.PasswordHasher().verify(one, "00000000")
    assert verified(two, "00000000")
    assert not verified(two, "00000001")


@pytest.mark.parametrize("secret", ["", "plain text", "$argon2id$v=19$m=65536,t=3,p=4$", "$1$salt$hash"])
def test_what_is_no_hash_lets_nobody_in(secret: str) -> None:
    assert not verified(secret, "plain text")
    assert not Verifier().verify("boiler4", secret, "plain text", NOW)


def test_bytes_that_are_no_text_are_a_password_like_any_other() -> None:
    password = b"\xcf\xe0\xf0\xee\xeb\xfc".decode("utf-8", "surrogateescape")  # CP1251
    assert verified(hashed(password), password)
    assert Verifier().verify("boiler4", hashed(password), password, NOW)


def test_who_was_right_is_not_asked_to_pay_again_until_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = Verifier(remembered_ms=1000)
    secret = hashed("00000000")
    assert not verifier.remembers("boiler4", secret, "00000000", NOW)
    assert verifier.verify("boiler4", secret, "00000000", NOW)
    hard_work: list[str] = []

    def work(_secret: str, password: str) -> bool:
        hard_work.append(password)
        return False

    monkeypatch.setattr(passwords, "verified", work)
    assert verifier.verify("boiler4", secret, "00000000", NOW + 999)
    assert hard_work == []
    assert not verifier.verify("boiler4", secret, "00000000", NOW + 1000)
    assert hard_work == ["00000000"]


def test_only_the_very_same_login_hash_and_password_are_remembered() -> None:
    verifier = Verifier()
    secret = hashed("b")
    assert verifier.verify("a", secret, "b", NOW)
    assert verifier.remembers("a", secret, "b", NOW)
    assert not verifier.remembers("a", hashed("b"), "b", NOW)
    assert not verifier.remembers("c", secret, "b", NOW)
    assert not verifier.remembers("a", secret, "c", NOW)
    assert not verifier.remembers("a", "", "b", NOW)


def test_a_wrong_password_is_never_remembered() -> None:
    verifier = Verifier()
    secret = hashed("b")
    assert not verifier.verify("a", secret, "wrong", NOW)
    assert not verifier.remembers("a", secret, "wrong", NOW)


def test_the_first_is_forgotten_when_too_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "verified", lambda _secret, _password: True)
    verifier = Verifier(most=2)
    for login in ("a", "b", "c"):
        verifier.verify(login, "hash", "p", NOW)
    assert [verifier.remembers(login, "hash", "p", NOW) for login in ("a", "b", "c")] == [False, True, True]


def test_nothing_remembered_shows_the_password() -> None:
    verifier = Verifier()
    verifier.verify("boiler4", hashed("secret-word"), "secret-word", NOW)
    assert "secret-word" not in repr(vars(verifier))
