"""Sessions as pcapng, so that Wireshark and tshark open them: one packet per chunk, in its direction.

pcapng knows no serial lines and no modems, so every session is dressed as one TCP conversation between the gateway
and the meter: Ethernet, IPv4 and TCP headers are ours, with right checksums and numbers that grow with the bytes, so
that "follow stream" works. There is no handshake: nothing stands in the file that the session did not carry, except
these headers. Notes become comments of the packet behind them. Blocks: draft-ietf-opsawg-pcapng, clauses 4.1-4.3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from ipaddress import AddressValueError, IPv4Address

from gateway_server.model import Direction
from gateway_server.store.records import LogEntry

GATEWAY = (IPv4Address("192.0.2.1"), 40001)  # TEST-NET-1: an address that can be nobody's
METER = (IPv4Address("198.51.100.1"), 40002)  # TEST-NET-2: stands for a meter that has no IPv4 address

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_ETHERNET = 1
_COMMENT, _NAME, _APPLICATION = 1, 2, 4
_PUSH_ACK = 0x18
_LONGEST = 65535 - 20 - 20  # what fits into one IPv4 packet behind its headers

End = tuple[IPv4Address, int]


def pcapng(entries: Iterable[LogEntry], *, remote: str = "", about: str = "") -> Iterator[bytes]:
    """The file, block by block. ``remote`` gives the meter's side its address if it is ``IPv4:PORT``.

    A chunk longer than an IPv4 packet may be becomes several packets.
    """
    yield _block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _options((_APPLICATION, "gateway-server")))
    yield _block(
        _INTERFACE,
        struct.pack("<HHI", _ETHERNET, 0, 0) + _options((_NAME, remote or "meter"), (_COMMENT, about)),
    )
    conversation = _Conversation(_end(remote))
    comments: list[str] = []
    held: list[str] = []
    waiting: tuple[int, bytes] | None = None  # held until we know that it is not the last: it gets the last notes
    for entry in entries:
        if entry.direction is Direction.NOTE:
            comments.append(entry.data.decode("utf-8", "replace"))
            continue
        if entry.direction.of_modem:
            comments.append(f"modem {entry.direction.value} {entry.data.decode('latin-1').strip()}")
            continue
        for at in range(0, len(entry.data), _LONGEST):
            if waiting:
                yield _packet(*waiting, held)
            waiting = entry.at_ms, conversation.packet(entry.direction, entry.data[at : at + _LONGEST])
            held, comments = comments, []
    if waiting:
        yield _packet(*waiting, held + comments)


class _Conversation:
    """Dresses chunks as packets of one TCP conversation."""

    def __init__(self, meter: End) -> None:
        self._ends = {Direction.TO_METER: (GATEWAY, meter), Direction.FROM_METER: (meter, GATEWAY)}
        self._next = {Direction.TO_METER: 1, Direction.FROM_METER: 1}
        self._number = 0

    def packet(self, direction: Direction, data: bytes) -> bytes:
        """An Ethernet frame with these bytes."""
        (source, source_port), (target, target_port) = self._ends[direction]
        other = Direction.FROM_METER if direction is Direction.TO_METER else Direction.TO_METER
        ports = struct.pack("!HHII", source_port, target_port, self._next[direction], self._next[other])
        self._next[direction] = (self._next[direction] + len(data)) & 0xFFFFFFFF
        pseudo = source.packed + target.packed + struct.pack("!HH", 6, 20 + len(data))
        window = struct.pack("!BBH", 5 << 4, _PUSH_ACK, 65535)
        check = _checksum(pseudo + ports + window + bytes(4) + data)
        segment = ports + window + struct.pack("!HH", check, 0) + data

        self._number = (self._number + 1) & 0xFFFF
        begin = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(segment), self._number, 0x4000, 64, 6)
        addresses = source.packed + target.packed
        header = begin + struct.pack("!H", _checksum(begin + bytes(2) + addresses)) + addresses
        return _MACS[direction] + b"\x08\x00" + header + segment


# Locally administered addresses: destination, then source.
_MACS = {
    Direction.TO_METER: bytes.fromhex("02 00 00 00 00 02 02 00 00 00 00 01"),
    Direction.FROM_METER: bytes.fromhex("02 00 00 00 00 01 02 00 00 00 00 02"),
}


def _end(remote: str) -> End:
    host, _, port = remote.removeprefix("tcp:").rpartition(":")
    try:
        number = int(port)
        return (IPv4Address(host), number) if 0 < number < 65536 else METER
    except (AddressValueError, ValueError):
        return METER


def _packet(at_ms: int, frame: bytes, comments: Iterable[str]) -> bytes:
    at_us = at_ms * 1000
    head = struct.pack("<IIIII", 0, at_us >> 32, at_us & 0xFFFFFFFF, len(frame), len(frame))
    return _block(_PACKET, head + _padded(frame) + _options(*((_COMMENT, text) for text in comments)))


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _options(*options: tuple[int, str]) -> bytes:
    written = [(code, text.encode()[:0xFFFC]) for code, text in options if text]
    if not written:
        return b""
    return b"".join(struct.pack("<HH", code, len(data)) + _padded(data) for code, data in written) + bytes(4)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    words = data + bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
