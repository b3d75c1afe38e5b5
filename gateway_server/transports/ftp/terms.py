"""What a place for uploads allows: addresses, limits, accounts and the switches old clients need."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

from gateway_server.transports.ftp.paths import raw_of, readable

Network = IPv4Network | IPv6Network

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class SharedAccount:
    """One login for many meters; who uploads is told by the first rule that finds an ``id``.

    ``rules`` are tried in order over the file's name (``name``) or its directory (``directory``); without a match the
    content decides. ``secret`` is the argon2 hash of its password.
    """

    login: str
    secret: str
    rules: tuple[tuple[str, re.Pattern[str]], ...] = ()
    networks: tuple[Network, ...] = ()

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
    of these holds both; an operator's gateway may use several. ``names`` is what a file's name must look like.
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
    quota: int = 1000 * MEGABYTE
    quota_files: int = 10000
    failed_login_delay: float = 3.0
    failed_logins: int = 5
    failed_logins_per_address: int = 50
    ban: float = 600.0

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
