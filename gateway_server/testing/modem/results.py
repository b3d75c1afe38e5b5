"""The results a simulated modem gives, in words and in digits, and the network's causes behind them."""

from __future__ import annotations

import enum

from gateway_server.testing.modem.faults import ModemFaults
from gateway_server.testing.modem.settings import Settings


class Result(enum.Enum):
    """A result code: its word and its digit (V.250 6.2.7; 24 and 32 as Conexant's modems give them)."""

    OK = ("OK", 0)
    CONNECT = ("CONNECT", 1)
    RING = ("RING", 2)
    NO_CARRIER = ("NO CARRIER", 3)
    ERROR = ("ERROR", 4)
    NO_DIALTONE = ("NO DIALTONE", 6)
    BUSY = ("BUSY", 7)
    NO_ANSWER = ("NO ANSWER", 8)
    CONNECT_9600 = ("CONNECT 9600", 12)
    DELAYED = ("DELAYED", 24)
    BLACKLISTED = ("BLACKLISTED", 32)

    @property
    def word(self) -> str:
        """Said with V1."""
        return self.value[0]

    @property
    def digit(self) -> int:
        """Said with V0."""
        return self.value[1]


# 3GPP TS 24.008 annex H, in the words modems use.
CAUSES = {
    0: "No cause information available",
    1: "Unassigned (unallocated) number",
    3: "No route to destination",
    8: "Operator determined barring",
    16: "Normal call clearing",
    17: "User busy",
    18: "No user responding",
    19: "User alerting, no answer",
    21: "Call rejected",
    22: "Number changed",
    27: "Destination out of order",
    28: "Invalid number format (incomplete number)",
    31: "Normal, unspecified",
    34: "No circuit/channel available",
    38: "Network out of order",
    41: "Temporary failure",
    42: "Switching equipment congestion",
    47: "Resources unavailable, unspecified",
    50: "Requested facility not subscribed",
    57: "Bearer capability not authorized",
    58: "Bearer capability not presently available",
    63: "Service or option not available, unspecified",
    65: "Bearer service not implemented",
    68: "ACM equal to or greater than ACMmax",
    69: "Requested facility not implemented",
    70: "Only restricted digital information bearer capability is available",
    79: "Service or option not implemented, unspecified",
    88: "Incompatible destination",
}
CME_TEXTS = {
    3: "operation not allowed",
    4: "operation not supported",
    10: "SIM not inserted",
    11: "SIM PIN required",
    12: "SIM PUK required",
    13: "SIM failure",
    14: "SIM busy",
    16: "incorrect password",
    30: "no network service",
    31: "network timeout",
    32: "network not allowed - emergency calls only",
}


def as_far_as_told(result: Result, settings: Settings) -> Result:
    """What X leaves of a result (V.250 6.2.8): with X0 BUSY and NO DIALTONE are NO CARRIER, CONNECT has no speed."""
    extent = settings.extent
    if result is Result.CONNECT_9600 and extent == 0:
        return Result.CONNECT
    if result is Result.BUSY and extent < 3:
        return Result.NO_CARRIER
    if result is Result.NO_DIALTONE and extent not in {2, 4}:
        return Result.NO_CARRIER
    return result


def said(result: Result, settings: Settings, faults: ModemFaults, suffix: str = "") -> bytes:
    """A result on the wire; nothing with Q1."""
    if settings.quiet:
        return b""
    result = as_far_as_told(result, settings)
    if not settings.verbose:
        return f"{result.digit}\r".encode("ascii")
    return line(result.word + (suffix if result is Result.CONNECT_9600 else ""), faults)


def line(text: str, faults: ModemFaults) -> bytes:
    """A line of words on the wire."""
    end = "\n" if faults.lf_only else "\r" if faults.cr_only else "\r\n"
    return f"{end}{text}{end}".encode("latin-1")


def cause_line(cause: int, form: str) -> str:
    """What +CEER says of the last call."""
    if form == "number":
        return f"+CEER: {cause}"
    if form == "text":
        return f"+CEER: {CAUSES.get(cause, 'Interworking, unspecified')}"
    return f"+CEER: 8,{cause},0" if cause else "+CEER: 0,0,0"
