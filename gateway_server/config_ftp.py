"""The `[[ftp]]` tables: where files are uploaded, by whom and how much."""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gateway_server.config_tables import Named, Seconds, Table
from gateway_server.errors import OperatorError
from gateway_server.store.passwords import NO_UTF8, hashed
from gateway_server.transports.ftp.encryption import tls_context
from gateway_server.transports.ftp.terms import (
    MEGABYTE,
    SharedAccount,
    Terms,
    TlsFiles,
    network_of,
)

Positive = Annotated[int, Field(ge=1, le=1_000_000)]
Megabytes = Annotated[int, Field(ge=1, le=1_000_000)]

_ARGON2 = "$argon2"


class SharedAccountSettings(Table):
    """One login for many meters. Rules, tried in this order: "name", "directory", "content"."""

    login: str = Field(min_length=1)
    password_file: str = Field(min_length=1)
    identify: list[Literal["name", "directory", "content"]] = ["content"]
    name_pattern: str = ""
    directory_pattern: str = ""
    networks: list[str] = []
    uploads_at_once: Positive = 1000
    quota_mb_per_day: Megabytes = 100_000
    quota_files_per_day: Positive = 1_000_000

    @field_validator("name_pattern", "directory_pattern")
    @classmethod
    def _is_pattern(cls, text: str) -> str:
        if text and "id" not in _compiled(text).groupindex:
            raise ValueError("has no group (?P<id>...), which says which meter it is")
        return text

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, texts: list[str]) -> list[str]:
        return _networks(texts)

    @model_validator(mode="after")
    def _fits_together(self) -> SharedAccountSettings:
        for rule in ("name", "directory"):
            pattern = getattr(self, f"{rule}_pattern")
            if rule in self.identify and not pattern:
                raise ValueError(f'`identify` has the rule "{rule}", but `{rule}_pattern` gives no pattern')
            if pattern and rule not in self.identify:
                raise ValueError(f'`{rule}_pattern` gives a pattern, but `identify` does not have the rule "{rule}"')
        return self

    def account(self, folder: Path) -> SharedAccount:
        """As the transport takes it. Raises `OperatorError` for a password file that cannot be read."""
        rules = tuple(
            (rule, re.compile(getattr(self, f"{rule}_pattern"))) for rule in self.identify if rule != "content"
        )
        return SharedAccount(
            self.login,
            _secret(folder / self.password_file),
            rules,
            tuple(map(network_of, self.networks)),
            uploads=self.uploads_at_once,
            quota=self.quota_mb_per_day * MEGABYTE,
            quota_files=self.quota_files_per_day,
        )


class FtpSettings(Named):
    """One place for uploads. The contract's keys, then ours; times in seconds."""

    listen: str
    passive_ports: str = "50000-50099"
    banner: str = Field(default="ready", max_length=70, pattern=r"^[ -~]+$")
    networks: list[str] = []
    masquerade: str = ""
    masquerade_networks: dict[str, str] = {}
    active: bool = True
    extended_passive: bool = True
    data_networks: list[str] = []
    certificate: str = ""
    private_key: str = ""
    tls_required: bool = False
    tls_oldest: Literal["1.0", "1.1", "1.2", "1.3"] = "1.2"
    tls_goodbye: bool = True
    names: str = ""
    list_own: bool = True
    read_own: bool = False
    resume_within: Seconds = 86400.0
    idle_timeout: Seconds = 300.0
    login_timeout: Seconds = 60.0
    data_timeout: Seconds = 30.0
    stall_timeout: Seconds = 120.0
    connections: Positive = 2000
    connections_per_address: Positive = 1000
    uploads_per_account: Positive = 10
    largest_file_mb: Megabytes = 100
    grow_to_mb: Megabytes = 4
    quota_mb_per_day: Megabytes = 1000
    quota_files_per_day: Positive = 10000
    failed_login_delay: Annotated[float, Field(ge=0, le=60, strict=False)] = 3.0
    failed_logins: Positive = 5
    failed_logins_per_address: Positive = 50
    ban: Seconds = 600.0
    account: list[SharedAccountSettings] = []

    @field_validator("listen")
    @classmethod
    def _is_place(cls, text: str) -> str:
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise ValueError("is no HOST:PORT, such as 127.0.0.1:2121")
        return text

    @field_validator("passive_ports")
    @classmethod
    def _is_range(cls, text: str) -> str:
        match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text)
        if text and (match is None or not 1 <= int(match[1]) <= int(match[2]) <= 65535):
            raise ValueError("is no range of ports, such as 50000-50099")
        return text

    @field_validator("masquerade")
    @classmethod
    def _is_address(cls, text: str) -> str:
        return text and _address(text)

    @field_validator("masquerade_networks")
    @classmethod
    def _are_addresses(cls, pairs: dict[str, str]) -> dict[str, str]:
        _networks(list(pairs))
        for text in filter(None, pairs.values()):
            _address(text)
        return pairs

    @field_validator("networks", "data_networks")
    @classmethod
    def _are_networks(cls, texts: list[str]) -> list[str]:
        return _networks(texts)

    @field_validator("names")
    @classmethod
    def _is_pattern(cls, text: str) -> str:
        _compiled(text)
        return text

    @model_validator(mode="after")
    def _fits_together(self) -> FtpSettings:
        if bool(self.certificate) != bool(self.private_key):
            raise ValueError("`certificate` and `private_key` go together")
        if self.tls_required and not self.certificate:
            raise ValueError("`tls_required` needs `certificate` and `private_key`")
        logins = [account.login for account in self.account]
        if len(set(logins)) < len(logins):
            raise ValueError("`account`: each `login` once")
        return self

    def terms(self, folder: Path) -> Terms:
        """As the transport takes them; paths are relative to ``folder``. Raises `OperatorError`."""
        host, _, port = self.listen.rpartition(":")
        first, _, last = self.passive_ports.partition("-")
        masquerade = [(network_of(network), address) for network, address in self.masquerade_networks.items()]
        if self.masquerade:
            masquerade += [(network_of("0.0.0.0/0"), self.masquerade), (network_of("::/0"), self.masquerade)]
        return Terms(
            name=self.name,
            host=host.strip("[]"),
            port=int(port),
            banner=self.banner,
            passive_ports=range(int(first), int(last) + 1) if first else None,
            masquerade=tuple(masquerade),
            active=self.active,
            extended_passive=self.extended_passive,
            data_networks=tuple(map(network_of, self.data_networks)),
            networks=tuple(map(network_of, self.networks)),
            shared=tuple(account.account(folder) for account in self.account),
            tls=self._tls(folder),
            names=re.compile(self.names) if self.names else None,
            may_list=self.list_own,
            may_read=self.read_own,
            resume_seconds=self.resume_within,
            idle_timeout=self.idle_timeout,
            login_timeout=self.login_timeout,
            data_timeout=self.data_timeout,
            stall_timeout=self.stall_timeout,
            connections=self.connections,
            connections_per_address=self.connections_per_address,
            uploads_per_account=self.uploads_per_account,
            largest_file=self.largest_file_mb * MEGABYTE,
            grow_to=self.grow_to_mb * MEGABYTE,
            quota=self.quota_mb_per_day * MEGABYTE,
            quota_files=self.quota_files_per_day,
            failed_login_delay=self.failed_login_delay,
            failed_logins=self.failed_logins,
            failed_logins_per_address=self.failed_logins_per_address,
            ban=self.ban,
        )

    def check(self, folder: Path) -> None:
        """Reads every file that is named. Raises `OperatorError` for one that does not do."""
        terms = self.terms(folder)
        if terms.tls is not None:
            tls_context(terms.tls)

    def _tls(self, folder: Path) -> TlsFiles | None:
        if not self.certificate:
            return None
        return TlsFiles(
            folder / self.certificate,
            folder / self.private_key,
            required=self.tls_required,
            oldest=self.tls_oldest,
            goodbye=self.tls_goodbye,
        )


def _secret(path: Path) -> str:
    """The hash of the password in a file, which may hold the hash itself."""
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise OperatorError(f"{path}: {NO_UTF8}") from None
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read: {error.strerror or error}") from None
    if not text:
        raise OperatorError(f"{path}: holds no password")
    return text if text.startswith(_ARGON2) else hashed(text)


def _compiled(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None


def _address(text: str) -> str:
    try:
        return str(IPv4Address(text))  # PASV knows no other
    except ValueError:
        raise ValueError(f"holds {text!r}, which is no IPv4 address, such as 203.0.113.7") from None


def _networks(texts: list[str]) -> list[str]:
    for text in texts:
        try:
            network_of(text)
        except ValueError:
            raise ValueError(f"holds {text!r}, which is no network, such as 10.8.0.0/16") from None
    return texts
