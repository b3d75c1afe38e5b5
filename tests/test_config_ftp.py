"""The `[[ftp]]` tables: their words, their mistakes, and what becomes of them."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from gateway_server.config import check_uploads, load_config
from gateway_server.errors import OperatorError
from gateway_server.store.passwords import hashed, verified
from gateway_server.transports.ftp.terms import MEGABYTE, Terms, TlsFiles, network_of

PLAIN = '[[ftp]]\nname = "drop"\nlisten = "127.0.0.1:2121"\n'
ACCOUNT = (
    '[[ftp.account]]\nlogin = "bpek"\npassword_file = "bpek.password"\nidentify = ["name", "content"]\n'
    "name_pattern = '^(?P<id>\\d{8})_'\nnetworks = [\"10.8.0.0/16\"]\n"
    "uploads_at_once = 16\nquota_mb_per_day = 17\nquota_files_per_day = 18\n"
)


def terms(folder: Path, text: str) -> Terms:
    path = folder / "gateway.toml"
    path.write_text(text)
    return load_config(path).ftp[0].terms(folder)


def test_defaults_are_those_of_the_transport(tmp_path: Path) -> None:
    made = terms(tmp_path, PLAIN)
    plain = Terms("drop", port=2121, passive_ports=range(50000, 50100))
    for field in fields(Terms):
        assert getattr(made, field.name) == getattr(plain, field.name), field.name


def test_every_word_reaches_the_transport(tmp_path: Path) -> None:
    (tmp_path / "bpek.password").write_text("correct horse\n")
    made = terms(
        tmp_path,
        '[[ftp]]\nname = "drop"\nlisten = "[::]:21"\npassive_ports = ""\nbanner = "hello"\nnetworks = ["10.0.0.0/8"]\n'
        'masquerade = "203.0.113.7"\nmasquerade_networks = { "10.8.0.0/16" = "" }\nactive = false\n'
        'extended_passive = false\ndata_networks = ["10.9.0.0/16"]\ncertificate = "a.crt"\nprivate_key = "a.key"\n'
        'tls_required = true\ntls_oldest = "1.0"\ntls_goodbye = false\nnames = "dat$"\n'
        "list_own = false\nread_own = true\n"
        "resume_within = 1\nidle_timeout = 2\nlogin_timeout = 3\ndata_timeout = 4\nstall_timeout = 5\nconnections = 6\n"
        "connections_per_address = 7\nuploads_per_account = 8\ngrow_to_mb = 19\n"
        "largest_file_mb = 9\nquota_mb_per_day = 10\n"
        "quota_files_per_day = 11\nfailed_login_delay = 12\nfailed_logins = 13\nfailed_logins_per_address = 14\n"
        "ban = 15\n" + ACCOUNT,
    )
    plain = Terms("drop")
    same = [field.name for field in fields(Terms) if getattr(made, field.name) == getattr(plain, field.name)]
    assert same == ["name", "passive_ports"]
    assert (made.host, made.port) == ("::", 21)
    assert made.masquerade_for("10.8.1.1") == ""
    assert made.masquerade_for("198.51.100.1") == "203.0.113.7"
    assert made.tls is not None
    assert made.tls == TlsFiles(tmp_path / "a.crt", tmp_path / "a.key", required=True, oldest="1.0", goodbye=False)
    assert (made.largest_file, made.quota, made.grow_to) == (9 * MEGABYTE, 10 * MEGABYTE, 19 * MEGABYTE)
    (account,) = made.shared
    assert (account.login, account.networks) == ("bpek", (network_of("10.8.0.0/16"),))
    assert (account.uploads, account.quota, account.quota_files) == (16, 17 * MEGABYTE, 18)
    assert account.identify("/x/41203377_1.dat") == "41203377"
    assert verified(account.secret, "correct horse")


def test_password_file_may_hold_the_hash(tmp_path: Path) -> None:
    secret = hashed("correct horse")
    (tmp_path / "bpek.password").write_text(secret + "\n")
    assert terms(tmp_path, PLAIN + ACCOUNT).shared[0].secret == secret


def test_password_file_in_another_encoding_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "bpek.password").write_bytes("пароль".encode("cp1251"))
    with pytest.raises(OperatorError, match=r"bpek\.password: is no UTF-8 text: save it as UTF-8"):
        terms(tmp_path, PLAIN + ACCOUNT)


def test_accounts_that_meters_share_are_known_by_their_logins(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(PLAIN + ACCOUNT)
    assert load_config(path).shared_logins == {"bpek"}


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), ("\n", "holds no password")])
def test_password_file_that_is_none_is_told(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "bpek.password").write_text(content)
    with pytest.raises(OperatorError, match=rf"bpek\.password: {words}"):
        terms(tmp_path, PLAIN + ACCOUNT)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('masquerade = "router"', "is no IPv4 address, such as 203.0.113.7"),
        ('masquerade_networks = { "10.0.0.0/8" = "x" }', "is no IPv4 address"),
        ('masquerade = "2001:db8::7"', "is no IPv4 address"),
        ('masquerade_networks = { "10" = "" }', "is no network, such as 10.8.0.0/16"),
        ('networks = ["all"]', "is no network"),
        ('data_networks = ["10.0.0.0/99"]', "is no network"),
        ('passive_ports = "2-1"', "is no range of ports"),
        ('names = "("', "is no regular expression"),
        ('certificate = "a"', "`certificate` and `private_key` go together"),
        ("tls_required = true", "needs `certificate`"),
        ('tls_oldest = "0.9"', "1.0"),
        ("largest_file_mb = 0", "largest_file_mb"),
        ('banner = "two\\nlines"', "banner"),
        ('account = [{ login = "a", password_file = "b", identify = ["name"] }]', "gives no pattern"),
        ('account = [{ login = "a", password_file = "b", name_pattern = "(?P<id>x)" }]', "does not have the rule"),
        ('account = [{ login = "a", password_file = "b", identify = ["name"], name_pattern = "x" }]', "has no group"),
        ('account = [{ login = "a", password_file = "b" }, { login = "a", password_file = "c" }]', "each `login` once"),
    ],
)
def test_mistakes_are_told_in_words(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(OperatorError, match=re.escape(words)) as told:
        terms(tmp_path, PLAIN + line + "\n")
    assert "ftp" in str(told.value)


def test_mistake_in_an_account_names_its_place(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as said:
        terms(tmp_path, PLAIN + '[[ftp.account]]\nlogin = "a"\npassword_fil = "b"\n')
    assert "password_fil" in str(said.value)


def test_files_that_are_named_and_not_there_are_told_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(
        PLAIN
        + 'certificate = "a.crt"\nprivate_key = "a.key"\n'
        + PLAIN.replace("drop", "b").replace("2121", "2122")
        + ACCOUNT
    )
    with pytest.raises(OperatorError) as told:
        check_uploads(load_config(path))
    first, second = str(told.value).split("\n")
    assert first.startswith(f'{tmp_path}/gateway.toml: ftp 1 "drop": {tmp_path}/a.crt: there is no such file')
    assert second.startswith(f'{tmp_path}/gateway.toml: ftp 2 "b": {tmp_path}/bpek.password: cannot be read')
