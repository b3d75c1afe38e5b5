"""The contract's route strings: how a meter is reached, or by what it is known when it reaches us."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway_server.errors import OperatorError
from gateway_server.transports.numbers import is_emergency

DEFAULT_BAUD = 19200
DEFAULT_FORMAT = "8N1"
BAUDS = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)

_TCP = re.compile(r"(\[[0-9A-Fa-f:.%\w]+\]|[^\s:\[\]]+):(\d{1,5})")
_FORMAT = re.compile(r"[78][NEO][12]")


@dataclass(frozen=True, slots=True)
class TcpRoute:
    """We connect to it: ``tcp:HOST:PORT``."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class CallerRoute:
    """It calls in and registers as this: ``caller:ID``."""

    id: str


@dataclass(frozen=True, slots=True)
class SerialRoute:
    """A local port: ``serial:PORT[:BAUD[:FORMAT]]``."""

    port: str
    baud: int = DEFAULT_BAUD
    format: str = DEFAULT_FORMAT


@dataclass(frozen=True, slots=True)
class CsdRoute:
    """Dialled through the modem pool: ``csd:NUMBER``, or by one modem of it: ``csd:NUMBER@MODEM``."""

    number: str
    modem: str = ""


@dataclass(frozen=True, slots=True)
class FtpRoute:
    """Uploads under this login: ``ftp:LOGIN``."""

    login: str


Route = TcpRoute | CallerRoute | SerialRoute | CsdRoute | FtpRoute


def parse_route(text: str) -> Route:
    """A route from its string. Raises `OperatorError` that says what is wrong and what is allowed."""
    kind, colon, rest = text.partition(":")
    if not colon or not rest.strip():
        raise _wrong(text, "a route is tcp:HOST:PORT, caller:ID, serial:PORT[:BAUD[:FORMAT]], csd:NUMBER or ftp:LOGIN")
    match kind:
        case "tcp":
            return _tcp(text, rest)
        case "caller":
            return CallerRoute(rest)
        case "serial":
            return _serial(text, rest)
        case "csd":
            number, at, modem = rest.partition("@")
            if not re.fullmatch(r"\+?[0-9]{3,20}", number) or (at and not re.fullmatch(r"[^\s:@]+", modem)):
                raise _wrong(
                    text, "behind csd: stands a phone number, such as csd:+79161234567, or csd:+79161234567@MODEM"
                )
            if is_emergency(number):
                raise _wrong(text, f"{number} is an emergency number, and no meter's: the gateway must not call it")
            return CsdRoute(number, modem)
        case "ftp":
            if re.search(r"[\s:/]", rest):
                raise _wrong(text, "behind ftp: stands a login without blanks, colons and slashes")
            return FtpRoute(rest)
        case _:
            raise _wrong(text, f"{kind!r} is none of tcp, caller, serial, csd and ftp")


def _tcp(text: str, rest: str) -> TcpRoute:
    match = _TCP.fullmatch(rest)
    if match is None or not 0 < int(match[2]) < 65536:
        raise _wrong(text, "behind tcp: stand host and port, such as tcp:10.8.0.17:4001 or tcp:[fd00::17]:4001")
    return TcpRoute(match[1].strip("[]"), int(match[2]))


def _serial(text: str, rest: str) -> SerialRoute:
    port, *line = rest.split(":")
    if not port or len(line) > 2:
        raise _wrong(text, "behind serial: stand port, speed and format, such as serial:/dev/ttyACM0:19200:8N1")
    baud, format = DEFAULT_BAUD, DEFAULT_FORMAT
    if line:
        if not line[0].isdigit() or int(line[0]) not in BAUDS:
            raise _wrong(text, f"{line[0]!r} is no speed; allowed are {', '.join(map(str, BAUDS))}")
        baud = int(line[0])
    if len(line) == 2:
        format = line[1].upper()
        if not _FORMAT.fullmatch(format):
            raise _wrong(text, f"{line[1]!r} is no format; it is written like 8N1, 7E1 or 8E1")
    return SerialRoute(port, baud, format)


def _wrong(text: str, why: str) -> OperatorError:
    return OperatorError(f"route {text!r}: {why}")
