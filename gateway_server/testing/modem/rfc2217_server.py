"""The server's side of RFC 2217 without input or output: telnet, its com port option (44), and the modem's lines.

Numbers and answers: RFC 2217, sections 3 and 4; telnet's doubling of FF and its options: RFC 854, 856, 858.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

SE, SB, WILL, WONT, DO, DONT, IAC = 240, 250, 251, 252, 253, 254, 255
BINARY, SUPPRESS_GO_AHEAD, COM_PORT = 0, 3, 44
AGREED = frozenset({BINARY, SUPPRESS_GO_AHEAD, COM_PORT})
LONGEST_SUBNEGOTIATION = 256

SIGNATURE, SET_BAUDRATE, SET_DATASIZE, SET_PARITY, SET_STOPSIZE, SET_CONTROL = range(6)
NOTIFY_MODEMSTATE, SUSPEND, RESUME, SET_LINESTATE_MASK, SET_MODEMSTATE_MASK, PURGE_DATA = 7, 8, 9, 10, 11, 12
ANSWER = 100  # the server's codes are the client's and this

DTR_ASKED, DTR_ON, DTR_OFF, RTS_ASKED, RTS_ON, RTS_OFF = 7, 8, 9, 10, 11, 12
FLOW_ASKED, BREAK_ASKED, BREAK_OFF, INBOUND_FLOW_ASKED, NO_FLOW, NO_INBOUND_FLOW = 0, 4, 6, 13, 1, 14
CARRIER, RING, DATA_SET_READY, CLEAR_TO_SEND = 0x80, 0x40, 0x20, 0x10


class _At(enum.Enum):
    """Where in the stream we are."""

    DATA = "data"
    ESCAPE = "escape"
    OPTION = "option"
    SUB = "sub"
    SUB_ESCAPE = "sub escape"


@dataclass
class PortSettings:
    """What the client has set; parity and stop bits in the numbers of the RFC."""

    speed: int = 9600
    data_bits: int = 8
    parity: int = 1
    stop_bits: int = 1
    dtr: bool = True
    rts: bool = True


class Rfc2217Server:
    """One client's connection. ``write`` gets what goes to the client; ``to_modem`` and ``dtr_moved`` what is for the
    modem, in the order in which it came. ``agreed`` is whether the client speaks RFC 2217.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        to_modem: Callable[[bytes], None],
        dtr_moved: Callable[[bool], None],
    ) -> None:
        self.settings = PortSettings()
        self._write = write
        self._to_modem = to_modem
        self._dtr_moved = dtr_moved
        self._heard = bytearray()
        self.agreed = False
        self._at = _At.DATA
        self._command = 0
        self._sub = bytearray()
        self._ours: set[int] = set()
        self._theirs: set[int] = set()
        self._modem_state = DATA_SET_READY | CLEAR_TO_SEND
        self._mask = 0xFF

    def begin(self) -> None:
        """Offers what we can do."""
        for option in sorted(AGREED):
            self._theirs.add(option)
            self._write(bytes((IAC, DO, option)))
        for option in (BINARY, SUPPRESS_GO_AHEAD):
            self._ours.add(option)
            self._write(bytes((IAC, WILL, option)))

    def received(self, data: bytes) -> None:
        """Bytes from the client, cut anywhere."""
        for byte in data:
            self._take(byte)
        self._pass_on()

    def _pass_on(self) -> None:
        if self._heard:
            heard = bytes(self._heard)
            self._heard.clear()
            self._to_modem(heard)

    def send(self, data: bytes) -> None:
        """Bytes from the modem."""
        self._write(data.replace(b"\xff", b"\xff\xff"))

    def lines(self, *, carrier: bool, ring: bool) -> None:
        """DCD and RI have moved, perhaps: the client is told."""
        state = DATA_SET_READY | CLEAR_TO_SEND | (CARRIER if carrier else 0) | (RING if ring else 0)
        changed = (state ^ self._modem_state) & self._mask
        self._modem_state = state
        if changed and self.agreed:
            self._tell_modem_state(changed)

    def _agree(self) -> None:
        """The client speaks RFC 2217: he is told how the lines stand. He may say so by just using it: one whose request
        crosses our offer takes the offer for the answer (pyserial)."""
        if not self.agreed:
            self.agreed = True
            self._tell_modem_state(0)

    def _take(self, byte: int) -> None:
        if self._at is _At.DATA:
            if byte == IAC:
                self._at = _At.ESCAPE
            else:
                self._heard.append(byte)
        elif self._at is _At.ESCAPE:
            self._escaped(byte)
        elif self._at is _At.OPTION:
            self._at = _At.DATA
            self._negotiate(self._command, byte)
        elif self._at is _At.SUB:
            if byte == IAC:
                self._at = _At.SUB_ESCAPE
            elif len(self._sub) < LONGEST_SUBNEGOTIATION:
                self._sub.append(byte)
        elif byte == IAC:
            self._at = _At.SUB
            self._sub.append(byte)
        else:
            self._at = _At.DATA
            if byte == SE:
                self._subnegotiate(bytes(self._sub))

    def _escaped(self, byte: int) -> None:
        self._at = _At.DATA
        if byte == IAC:
            self._heard.append(IAC)
        elif byte in {WILL, WONT, DO, DONT}:
            self._at, self._command = _At.OPTION, byte
        elif byte == SB:
            self._at = _At.SUB
            self._sub.clear()

    def _negotiate(self, command: int, option: int) -> None:
        """Agrees to what we know, once; refuses the rest."""
        mine = command in {DO, DONT}
        active = self._ours if mine else self._theirs
        if command in {DO, WILL}:
            if option not in AGREED:
                self._write(bytes((IAC, WONT if mine else DONT, option)))
            elif option not in active:
                active.add(option)
                self._write(bytes((IAC, WILL if mine else DO, option)))
            if option == COM_PORT and not mine:
                self._agree()
        elif option in active:
            active.discard(option)
            self.agreed &= option != COM_PORT
            self._write(bytes((IAC, WONT if mine else DONT, option)))

    def _subnegotiate(self, sub: bytes) -> None:
        if len(sub) < 2 or sub[0] != COM_PORT:
            return
        self._agree()
        command, value = sub[1], sub[2:]
        settings = self.settings
        if command == SET_BAUDRATE:
            self._pass_on()
        if command == SIGNATURE:
            self._answer(SIGNATURE, b"" if value else b"simulated serial server")
        elif command == SET_BAUDRATE and len(value) == 4:
            settings.speed = int.from_bytes(value, "big") or settings.speed
            self._answer(command, settings.speed.to_bytes(4, "big"))
        elif command == SET_DATASIZE and value:
            settings.data_bits = value[0] or settings.data_bits
            self._answer(command, bytes((settings.data_bits,)))
        elif command == SET_PARITY and value:
            settings.parity = value[0] or settings.parity
            self._answer(command, bytes((settings.parity,)))
        elif command == SET_STOPSIZE and value:
            settings.stop_bits = value[0] or settings.stop_bits
            self._answer(command, bytes((settings.stop_bits,)))
        elif command == SET_CONTROL and value:
            self._answer(command, bytes((self._control(value[0]),)))
        elif command == SET_MODEMSTATE_MASK and value:
            self._mask = value[0]
            self._answer(command, value[:1])
        elif command == NOTIFY_MODEMSTATE:
            self._tell_modem_state(0)
        elif command in {SET_LINESTATE_MASK, PURGE_DATA} and value:
            self._answer(command, value[:1])

    def _control(self, wanted: int) -> int:
        """What a SET-CONTROL does; gives the state to answer with."""
        settings = self.settings
        if wanted in {DTR_ON, DTR_OFF}:
            self._pass_on()
            settings.dtr = wanted == DTR_ON
            self._dtr_moved(settings.dtr)
        elif wanted in {RTS_ON, RTS_OFF}:
            settings.rts = wanted == RTS_ON
        asked = {
            DTR_ASKED: DTR_ON if settings.dtr else DTR_OFF,
            RTS_ASKED: RTS_ON if settings.rts else RTS_OFF,
            FLOW_ASKED: NO_FLOW,
            INBOUND_FLOW_ASKED: NO_INBOUND_FLOW,
            BREAK_ASKED: BREAK_OFF,
        }
        return asked.get(wanted, wanted)

    def _tell_modem_state(self, changed: int) -> None:
        # A delta bit for each of the four lines, RI's on its trailing edge only.
        delta = changed >> 4
        if self._modem_state & RING:
            delta &= ~(RING >> 4)
        self._answer(NOTIFY_MODEMSTATE, bytes(((self._modem_state & self._mask) | delta,)))

    def _answer(self, command: int, value: bytes) -> None:
        doubled = value.replace(b"\xff", b"\xff\xff")
        self._write(bytes((IAC, SB, COM_PORT, command + ANSWER)) + doubled + bytes((IAC, SE)))
