"""What a place for uploads allows: addresses, limits, accounts and the switches old clients need."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import NamedTuple

from gateway_server.transports.ftp.paths import raw_of, readable

Network = IPv4Network | IPv6Network

MEGABYTE = 1 << 20


class Allowance(NamedTuple):
    """What an account, or one meter of a shared account, may upload: at once, and bytes and files a day. ``of`` is the
    name under which that is counted."""

    of: str
    whose: str  # account, meter
    uploads: int
    quota: int
    files: int


def counted_as(login: str, serial: str) -> str:
    """The name under which one meter of a shared account is counted."""
    return f"{login}\0{serial}"


@dataclass(frozen=True, slots=True)
class SharedAccount:
    """One login for many meters; who uploads is told by the first rule that finds an ``id``.

    ``rules`` are tried in order over the file's name (``name``) or its directory (``directory``); without a match the
    content decides. ``secret`` is the argon2 hash of its password. ``uploads`` at once, ``quota`` and ``quota_files``
    a day are for all its meters together.
    """

    login: str
    secret: str
    rules: tuple[tuple[str, re.Pattern[str]], ...] = ()
    networks: tuple[Network, ...] = ()
    uploads: int = 1000
    quota: int = 100_000 * MEGABYTE
    quota_files: int = 1_000_000

    def identify(self, path: str) -> str:
        """The serial number or login that a path names, empty if no rule matches."""
        directory, _, name = readable(raw_of(path)).rpartition("/")
        for rule, pattern in self.rules:
            match = pattern.search(name if rule == "name" else directory)
            if match:
                return match["id"] or ""
        return ""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Certificate and key for `AUTH TLS`. ``oldest`` is the oldest TLS version that is spoken; ``goodbye``: a file is
    whole only with TLS's own end behind it."""

    certificate: Path
    key: Path
    required: bool = False
    oldest: str = "1.2"
    goodbye: bool = True


@dataclass(frozen=True, slots=True)
class Terms:
    """One listener's terms. Sizes in bytes, times in seconds.

    ``masquerade`` is what PASV says: the first network that holds the client decides, "" means our own address.
    ``data_networks``: a data connection may come from (or go to) another address than the control connection's if one
    of these holds both; an operator's gateway may use several. ``names`` is what a file's name must look like. A whole
    file of ``grow_to`` bytes grows no more: what is appended to its name is another one.
    """

    name: str
    host: str = "127.0.0.1"
    port: int = 0
    banner: str = "ready"
    passive_ports: range | None = None
    masquerade: tuple[tuple[Network, str], ...] = ()
    active: bool = True
    extended_passive: bool = True
    data_networks: tuple[Network, ...] = ()
    networks: tuple[Network, ...] = ()
    shared: tuple[SharedAccount, ...] = ()
    tls: TlsFiles | None = None
    names: re.Pattern[str] | None = None
    may_list: bool = True
    may_read: bool = False
    resume_seconds: float = 86400.0
    idle_timeout: float = 300.0
    login_timeout: float = 60.0
    data_timeout: float = 30.0
    stall_timeout: float = 120.0
    connections: int = 2000
    connections_per_address: int = 1000
    uploads_per_account: int = 10
    largest_file: int = 100 * MEGABYTE
    grow_to: int = 4 * MEGABYTE
    quota: int = 1000 * MEGABYTE
    quota_files: int = 10000
    failed_login_delay: float = 3.0
    failed_logins: int = 5
    failed_logins_per_address: int = 50
    ban: float = 600.0

    def allowances(self, login: str, shared: SharedAccount | None, serial: str) -> tuple[Allowance, ...]:
        """What an upload of this account counts for. ``serial`` is what a rule of a shared account found."""
        if shared is None:
            return (Allowance(login, "account", self.uploads_per_account, self.quota, self.quota_files),)
        whole = Allowance(login, "account", shared.uploads, shared.quota, shared.quota_files)
        if not serial:
            return (whole,)
        of = counted_as(login, serial)
        return whole, Allowance(of, "meter", self.uploads_per_account, self.quota, self.quota_files)

    def masquerade_for(self, client: str) -> str:
        """The address that PASV tells this client, empty for our own."""
        for network, address in self.masquerade:
            if within(client, (network,)):
                return address
        return ""

    def admits_data(self, control: str, data: str) -> bool:
        """Whether a data connection of the client at ``control`` may have its other end at ``data``."""
        return control == data or any(within(control, (n,)) and within(data, (n,)) for n in self.data_networks)


def address_of(text: str) -> IPv4Address | IPv6Address:
    """An address as it is compared: IPv4 within IPv6 is IPv4. Raises ValueError."""
    address = ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def within(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is of one of these networks."""
    try:
        found = address_of(address)
    except ValueError:
        return False
    return any(found in network for network in networks)


def network_of(text: str) -> Network:
    """A network as the operator writes it, ``10.0.0.0/8`` or one address. Raises ValueError."""
    return ip_network(text, strict=False)
