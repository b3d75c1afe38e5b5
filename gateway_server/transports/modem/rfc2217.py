"""RFC 2217 without a socket: Telnet with COM-PORT-OPTION (44), as a client of a serial server speaks it.

Command numbers are RFC 2217's (clause 3); a server answers with the number plus 100. Nothing is waited for: a server
on a line without modem signals leaves SET-CONTROL unanswered (ser2net) or refuses it (sredird), and both serve.
"""

from __future__ import annotations

from dataclasses import dataclass

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
BINARY, ECHO, SUPPRESS_GO_AHEAD, COM_PORT = 0, 1, 3, 44
SET_BAUDRATE, SET_DATASIZE, SET_PARITY, SET_STOPSIZE, SET_CONTROL = 1, 2, 3, 4, 5
NOTIFY_MODEMSTATE, SET_MODEMSTATE_MASK, PURGE_DATA = 7, 11, 12
ANSWER = 100
DTR_ON, DTR_OFF, RTS_ON, NO_FLOW_CONTROL = 8, 9, 11, 1
DCD, ANY_LINE = 0x80, 0xF0
_MOST_SUBNEGOTIATION = 256
_OURS = frozenset({BINARY, SUPPRESS_GO_AHEAD, COM_PORT})
_THEIRS = frozenset({BINARY, SUPPRESS_GO_AHEAD})


@dataclass(frozen=True, slots=True)
class Payload:
    """Bytes of the modem."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Agreed:
    """The server takes orders for its port (or, if not ``ours``, it does not know the option)."""

    ours: bool


@dataclass(frozen=True, slots=True)
class ModemState:
    """The port's lines. ``carrier`` is DCD; ``any_line`` tells that at least one line is up."""

    carrier: bool
    any_line: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The server's answer to one of our orders: the order's number and what it did."""

    order: int
    value: bytes


TelnetEvent = Payload | Agreed | ModemState | Answered


def escaped(data: bytes) -> bytes:
    """Bytes for the modem as they travel: 255 is doubled."""
    return data.replace(b"\xff", b"\xff\xff")


def ordered(order: int, value: bytes) -> bytes:
    """One order to the server about its port."""
    return bytes((IAC, SB, COM_PORT, order)) + escaped(value) + bytes((IAC, SE))


def opening() -> bytes:
    """What we offer and ask for at first."""
    return bytes(
        (
            *(IAC, WILL, BINARY, IAC, DO, BINARY),
            *(IAC, WILL, SUPPRESS_GO_AHEAD, IAC, DO, SUPPRESS_GO_AHEAD),
            *(IAC, WILL, COM_PORT),
        )
    )


def settings(speed: int) -> bytes:
    """8N1 at this speed, no flow control, DTR and RTS up, and word of every change of the lines."""
    return b"".join(
        (
            ordered(SET_BAUDRATE, speed.to_bytes(4, "big")),
            ordered(SET_DATASIZE, b"\x08"),
            ordered(SET_PARITY, b"\x01"),
            ordered(SET_STOPSIZE, b"\x01"),
            ordered(SET_CONTROL, bytes((NO_FLOW_CONTROL,))),
            ordered(SET_CONTROL, bytes((DTR_ON,))),
            ordered(SET_CONTROL, bytes((RTS_ON,))),
            ordered(SET_MODEMSTATE_MASK, b"\xff"),
        )
    )


class TelnetReader:
    """Takes a server's stream apart. Never raises; ``replies`` has to be sent back after each `feed`."""

    def __init__(self) -> None:
        self._iac = False
        self._verb = 0
        self._sub: bytearray | None = None
        self._too_long = False
        self._answered: set[tuple[int, int]] = set()
        self.replies = bytearray()

    def feed(self, data: bytes) -> list[TelnetEvent]:
        """The next bytes, cut anywhere."""
        events: list[TelnetEvent] = []
        payload = bytearray()

        def flush() -> None:
            if payload:
                events.append(Payload(bytes(payload)))
                payload.clear()

        for byte in data:
            if self._verb:
                verb, self._verb = self._verb, 0
                flush()
                self._negotiated(verb, byte, events)
            elif self._iac:
                self._iac = False
                if byte == IAC:
                    self._take(byte, payload)
                elif byte == SB:
                    self._sub, self._too_long = bytearray(), False
                elif byte == SE:
                    flush()
                    self._subnegotiated(events)
                elif byte in (DO, DONT, WILL, WONT):
                    self._verb = byte
            elif byte == IAC:
                self._iac = True
            else:
                self._take(byte, payload)
        flush()
        return events

    def _take(self, byte: int, payload: bytearray) -> None:
        if self._sub is None:
            payload.append(byte)
        elif len(self._sub) < _MOST_SUBNEGOTIATION:
            self._sub.append(byte)
        else:
            self._too_long = True

    def _negotiated(self, verb: int, option: int, events: list[TelnetEvent]) -> None:
        if option == COM_PORT and verb in (DO, DONT):
            events.append(Agreed(verb == DO))
        if verb == DO and option not in _OURS:
            self._reply(WONT, option)
        elif verb == WILL and option not in _THEIRS:
            # COM-PORT offered the other way round is harmless; echo of what we say is not wanted.
            self._reply(DO if option == COM_PORT else DONT, option)

    def _reply(self, verb: int, option: int) -> None:
        """Once each: two sides that answer each other's answers never come to an end."""
        if (verb, option) not in self._answered:
            self._answered.add((verb, option))
            self.replies += bytes((IAC, verb, option))

    def _subnegotiated(self, events: list[TelnetEvent]) -> None:
        sub, self._sub = self._sub, None
        if sub is None or self._too_long or len(sub) < 2 or sub[0] != COM_PORT:
            return
        order, value = sub[1] - ANSWER, bytes(sub[2:])
        if order == NOTIFY_MODEMSTATE and value:
            events.append(ModemState(bool(value[0] & DCD), bool(value[0] & ANY_LINE)))
        elif order > 0:
            events.append(Answered(order, value))
