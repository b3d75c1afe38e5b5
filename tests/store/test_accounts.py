"""Who may upload."""

from __future__ import annotations

from gateway_server.model import MeterState, Outcome
from gateway_server.store.records import MeterRecord, SessionClosing, SessionOpening, UploadAccount
from gateway_server.store.sql import SqlStore


def test_the_account_of_a_meter_is_its_route_and_the_hash_of_its_password(store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377", routes=("caller:7", "ftp:boiler4")))
    assert store.upload_account("boiler4") == UploadAccount("boiler4", "41203377", MeterState.ACTIVE, "")
    store.set_upload_secret("boiler4", "$argon2id$first")
    store.set_upload_secret("boiler4", "$argon2id$second")
    account = store.upload_account("boiler4")
    assert account is not None
    assert account.secret == "$argon2id$second"
    assert "argon2" not in repr(account)


def test_a_password_without_a_route_lets_nobody_in(store: SqlStore) -> None:
    store.set_upload_secret("boiler4", "$argon2id$first")
    assert store.upload_account("boiler4") is None
    store.put_meter(MeterRecord("41203377", routes=("ftp:boiler4",)))
    assert store.upload_account("boiler4") is not None
    assert store.upload_account("BOILER4") is None


def test_an_empty_secret_takes_the_password_away(store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377", routes=("ftp:boiler4",), state=MeterState.DISABLED))
    store.set_upload_secret("boiler4", "$argon2id$first")
    store.set_upload_secret("boiler4", "")
    assert store.upload_account("boiler4") == UploadAccount("boiler4", "41203377", MeterState.DISABLED, "")


def test_what_an_account_uploaded_in_a_time_is_counted_by_its_sessions(store: SqlStore) -> None:
    for login, transport, at_ms, size in (
        ("m1", "ftp", 10, 100), ("m1", "ftp", 11, 50), ("m2", "ftp", 19, 7), ("m1", "ftp", 20, 1), ("m1", "ftp", 9, 1),
        ("m1", "ftp", 12, 0), ("m1", "tcp", 12, 1),
    ):  # fmt: skip
        key = store.open_session(SessionOpening(transport, "10.0.0.1:4", at_ms, caller=login))
        store.close_session(key, SessionClosing(at_ms + 100, Outcome.READ, bytes_received=size))
    store.put_meter(MeterRecord("41203377"))
    for at_ms in (12, 13):
        key = store.open_session(SessionOpening("ftp", "10.0.0.1:4", at_ms, "41203377", caller="bpek"))
        store.close_session(key, SessionClosing(at_ms + 100, Outcome.READ, bytes_received=4))
    assert store.uploaded(10, 20) == {("m1", ""): (150, 2), ("m2", ""): (7, 1), ("bpek", "41203377"): (8, 2)}
