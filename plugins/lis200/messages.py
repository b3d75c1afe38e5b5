"""The telegrams of IEC 62056-21 mode C as LIS-200 devices use them: typed, and back to the same octets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway_server.codec.checksum import bcc, xor
from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.parity import add_even, strip
from gateway_server.errors import ChecksumError, CodecError

from . import frames

MASK = "*"
"""Stands for each character of an access code, and for the check character that would give it away."""


@dataclass(frozen=True, slots=True)
class Request:
    """``/?address!``: whoever is addressed may identify itself."""

    address: str = ""


@dataclass(frozen=True, slots=True)
class Identification:
    """``/XXXZident``: maker, the character of the highest speed it offers, and its own words (``\\2EK280``)."""

    manufacturer: str
    baud: str
    ident: str


@dataclass(frozen=True, slots=True)
class OptionSelect:
    """``ACK V Z Y``: protocol, speed and mode we choose; LIS-200 is always mode 1."""

    baud: str
    mode: str = "1"
    protocol: str = "0"


@dataclass(frozen=True, slots=True)
class Command:
    """``SOH C D [STX data] ETX BCC``: ``R1``, ``R3``, ``P1``, ``W1``, ``B0`` from us, ``P0`` from the device."""

    name: str
    data: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """``STX body ETX|EOT BCC``; ``last`` unless more blocks follow. ``wide``: its BCC was made over 8 bits."""

    body: str
    last: bool = True
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """``STX (#nnnn) ETX BCC``: the device's error telegram; ``code`` as on the wire, without ``#``."""

    code: str


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """ACK: a write was accepted; from us: the next block, please."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """NAK: the last telegram was not understood; from us: the same block again, please."""


@dataclass(frozen=True, slots=True)
class HungUp:
    """The modem's own words: the far end is gone."""


Message = Request | Identification | OptionSelect | Command | Block | Refusal | Acknowledge | Repeat | HungUp


@dataclass(frozen=True, slots=True)
class Wire:
    """A message and how its characters stood on the wire: ``even`` parity in bit 7, or plain octets."""

    message: Message
    even: bool = False


SIGN_OFF = Command("B0")

_REQUEST = re.compile(r"/\?([^!\r\n]*)!\r\n")
_IDENTIFICATION = re.compile(r"/([A-Za-z]{3})([0-9A-I])([^\x00-\x1f]*)\r\n")
_OPTION = re.compile(r"\x06(.)(.)(.)\r\n")
_COMMAND = re.compile(r"\x01([A-Z][0-9])(?:\x02([^\x01-\x04]*))?\x03")
_BLOCK = re.compile(r"\x02([^\x01-\x04]*)([\x03\x04])")
_REFUSAL = re.compile(r"\(#([^()]*)\)")


def characters(data: bytes) -> str:
    """The telegram's characters, without parity if its first octet shows that they carry it; one per octet."""
    return (strip(data) if data[:1] >= b"\x80" else data).decode("latin-1")


def command(text: str) -> Command | None:
    """The command in a telegram's characters, whatever its BCC: in a log an access code and its BCC are masked."""
    found = _COMMAND.fullmatch(text[:-1])
    return Command(found[1], found[2]) if found else None


def checked(text: str) -> bytes:
    """A telegram that begins with SOH or STX, with its BCC."""
    data = text.encode("latin-1")
    return data + bytes([bcc(data[1:])])


def encode(message: Message, *, even: bool = False) -> bytes:
    """The wire octets of a message."""
    match message:
        case Request(address):
            data = f"/?{address}!\r\n".encode("latin-1")
        case Identification(manufacturer, baud, ident):
            data = f"/{manufacturer}{baud}{ident}\r\n".encode("latin-1")
        case OptionSelect(baud, mode, protocol):
            data = f"\x06{protocol}{baud}{mode}\r\n".encode("latin-1")
        case Command(name, None):
            data = checked(f"\x01{name}\x03")
        case Command(name, operand):
            data = checked(f"\x01{name}\x02{operand}\x03")
        case Block(body, last, wide):
            data = checked(f"\x02{body}" + ("\x03" if last else "\x04"))
            if wide:
                data = data[:-1] + bytes([xor(data[1:-1])])
        case Refusal(code):
            data = checked(f"\x02(#{code})\x03")
        case Acknowledge():
            data = b"\x06"
        case Repeat():
            data = b"\x15"
        case HungUp():
            return frames.NO_CARRIER
    return add_even(data) if even else data


def decode(data: bytes) -> Wire:
    """The message in these octets, whoever sent them. Raises `CodecError`, `ChecksumError` if only the BCC is wrong."""
    if data in (b"\x06", b"\x15", b"\x95"):
        return Wire(Acknowledge() if data == b"\x06" else Repeat(), even=data == b"\x95")
    if data == frames.NO_CARRIER:
        return Wire(HungUp())
    even = data[:1] >= b"\x80" or (data[:1] == b"\x06" and not data.isascii())
    text = (strip(data) if even else data).decode("latin-1")
    message = _message(text)
    if message is None:
        raise CodecError(f"no LIS-200 telegram: {data[:40].hex(' ').upper()}")
    if even and add_even(data) != data:
        raise CodecError(f"a telegram whose characters do not all carry even parity: {data[:40].hex(' ').upper()}")
    if not isinstance(message, Command | Block | Refusal):
        return Wire(message, even)
    expected = xor(text[1:-1].encode("latin-1"))
    check = ord(text[-1])
    if check not in (expected, expected & 0x7F):
        raise ChecksumError(f"BCC is {check:02X}, its characters give {expected & 0x7F:02X}")
    if check > 0x7F:
        if not isinstance(message, Block):
            raise ChecksumError(f"BCC is {check:02X}, which is no 7-bit character")
        message = Block(message.body, message.last, wide=True)
    return Wire(message, even)


def _message(text: str) -> Message | None:
    if found := _REQUEST.fullmatch(text):
        return Request(found[1])
    if found := _IDENTIFICATION.fullmatch(text):
        return Identification(found[1], found[2], found[3])
    if found := _OPTION.fullmatch(text):
        return OptionSelect(found[2], found[3], found[1])
    if found := _COMMAND.fullmatch(text[:-1]):
        return Command(found[1], found[2])
    if found := _BLOCK.fullmatch(text[:-1]):
        refusal = _REFUSAL.fullmatch(found[1]) if found[2] == "\x03" else None
        return Refusal(refusal[1]) if refusal and text[-1] <= "\x7f" else Block(found[1], found[2] == "\x03")
    return None


def decode_frame(frame: Frame) -> Wire:
    """`decode`, for a frame: one with a fault raises `ChecksumError`, noise `CodecError`."""
    if frame.fault:
        raise ChecksumError(f"{frame.kind}: {frame.fault}")
    if frame.kind == NOISE:
        raise CodecError("noise is no telegram")
    return decode(frame.data)
