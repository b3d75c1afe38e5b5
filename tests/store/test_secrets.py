from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.errors import OperatorError
from gateway_server.store.secrets import KEY_BYTES, NONCE_BYTES, Vault, make_key_file, new_key, read_key_file

KEY = bytes(range(KEY_BYTES))


@given(st.text(max_size=40), st.text(max_size=20))
def test_an_access_code_opens_with_the_same_key_for_the_same_meter(code: str, serial: str) -> None:
    assert Vault(KEY).open(Vault(KEY).seal(code, serial), serial) == code


def test_an_access_code_is_aes_gcm_bound_to_the_serial_number() -> None:
    sealed = Vault(KEY).seal("87654321", "41203377")
    assert AESGCM(KEY).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], b"41203377") == b"87654321"
    assert Vault(KEY).seal("87654321", "41203377") != sealed


@pytest.mark.parametrize("place", [0, 15, -1])
def test_an_access_code_that_was_changed_does_not_open(place: int) -> None:
    sealed = bytearray(Vault(KEY).seal("87654321", "41203377"))
    sealed[place] ^= 1
    with pytest.raises(OperatorError, match="meter 41203377: its access code does not decrypt with the key"):
        Vault(KEY).open(bytes(sealed), "41203377")


def test_another_meters_number_or_another_key_does_not_open_it() -> None:
    sealed = Vault(KEY).seal("87654321", "41203377")
    with pytest.raises(OperatorError):
        Vault(KEY).open(sealed, "41203378")
    with pytest.raises(OperatorError, match="key file /etc/other"):
        Vault(new_key(), "key file /etc/other").open(sealed, "41203377")


def test_a_key_knows_its_own_check_value_and_no_other() -> None:
    assert Vault(KEY).fits(Vault(KEY).check_value())
    assert not Vault(new_key()).fits(Vault(KEY).check_value())


def test_a_key_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db.key"
    key = make_key_file(path)
    assert len(key) == KEY_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key_file(path) == key
    assert make_key_file(path) == key, "a second process takes the key that is there"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    make_key_file(path)
    path.chmod(mode)
    with pytest.raises(OperatorError, match=f"others may read it .*chmod 600 {path}"):
        read_key_file(path)


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch(0o600)
    for contents in (b"", bytes(KEY_BYTES - 1), bytes(KEY_BYTES + 1)):
        path.write_bytes(contents)
        with pytest.raises(OperatorError, match="not a key file"):
            read_key_file(path)
    with pytest.raises(OperatorError, match="No such file"):
        read_key_file(tmp_path / "none")
    with pytest.raises(OperatorError, match="cannot be made"):
        make_key_file(tmp_path / "no folder" / "key")
