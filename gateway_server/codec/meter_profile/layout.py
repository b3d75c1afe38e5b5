"""How one frame lies between its start and its end: coded or plain, its header, its checks; taken apart and built.

Plain here is without start, end and check behind the end, with byte stuffing and hex digits undone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from gateway_server.codec.meter_profile.checks import compute
from gateway_server.codec.meter_profile.expressions import Constant
from gateway_server.codec.meter_profile.form import Check, Escape, Field, Framing, Order, Written
from gateway_server.codec.meter_profile.leaves import leaf_of
from gateway_server.errors import CodecError

_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2})*")


class Coding:
    """Byte stuffing or hex digits: wire bytes to plain ones and back."""

    def __init__(self, escape: Escape | None, hex_digits: bool) -> None:
        self._escape = escape
        self._hex = hex_digits
        self.changes = hex_digits or escape is not None
        if escape is not None:
            mark = bytes([escape.byte])
            self._meant = {bytes([sent]): bytes([meant]) for meant, sent in escape.table}
            self._sent = {bytes([meant]): mark + bytes([sent]) for meant, sent in escape.table}
            if escape.xor:
                for byte in (escape.byte, *escape.also):
                    self._sent.setdefault(bytes([byte]), mark + bytes([byte ^ escape.xor]))
            self._mark, self._filler = mark, bytes([escape.byte ^ 0xFF])
            self._pair = re.compile(re.escape(mark) + b".", re.DOTALL)
            self._find = re.compile(re.escape(mark) + b"(.?)", re.DOTALL)
            self._replace = re.compile(b"[" + re.escape(b"".join(self._sent)) + b"]")

    def wire_size(self, wire: bytes, count: int) -> int | None:
        """How many of these wire bytes say ``count`` plain ones; None if all of them do not."""
        if self._hex or self._escape is None:
            size = 2 * count if self._hex else count
            return size if len(wire) >= size else None
        size = count
        while size <= len(wire):
            # Every pair as one byte that is no escape: what is left of an escape at the end lacks its second byte.
            said = self._pair.sub(self._filler, wire[:size])
            missing = count - len(said) + said.endswith(self._mark)
            if not missing:
                return size
            size += missing
        return None

    def plain(self, wire: bytes) -> bytes:
        """What the wire bytes say. Raises `CodecError`."""
        if self._hex:
            if not _HEX.fullmatch(wire):
                raise CodecError("the frame is not made of pairs of hex digits")
            return bytes.fromhex(wire.decode("ascii"))
        if self._escape is None or self._escape.byte not in wire:
            return wire
        return self._find.sub(self._undone, wire)

    def _undone(self, found: re.Match[bytes]) -> bytes:
        assert self._escape is not None
        sent = found.group(1)
        if sent in self._meant:
            return self._meant[sent]
        if self._escape.xor and sent:
            return bytes([sent[0] ^ self._escape.xor])
        raise CodecError(f"the escape {found.group().hex(' ').upper()} means nothing")

    def wire(self, plain: bytes) -> bytes:
        """The wire bytes that say this."""
        if self._hex:
            return plain.hex().upper().encode("ascii")
        if self._escape is None:
            return plain
        return self._replace.sub(lambda found: self._sent[found.group()], plain)

    def places(self, wire: bytes) -> list[int]:
        """Where each plain byte begins on the wire, and where the last one ends."""
        if self._hex:
            return list(range(0, len(wire) + 1, 2))
        if self._escape is None:
            return list(range(len(wire) + 1))
        places, at = [], 0
        while at < len(wire):
            places.append(at)
            at += 2 if wire[at] == self._escape.byte else 1
        return [*places, min(at, len(wire))]


class Seal:
    """One check: computed, written, found again."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self._compute = compute(check.rule)
        self._mask = check.mask if check.mask >= 0 else (1 << check.rule.width) - 1
        octets = (check.rule.width + 7) // 8
        self.size = octets if check.written is Written.BINARY else 2 * octets
        self.whole = len(check.separator) + self.size
        self._endian: Literal["little", "big"] = "little" if check.order is Order.LITTLE else "big"
        self._binary = check.written is Written.BINARY

    def written(self, covered: bytes) -> bytes:
        """The check of some bytes as it stands in the frame, without its separator."""
        number = self._compute(covered) & self._mask
        data = number.to_bytes((self.check.rule.width + 7) // 8, self._endian)
        if self.check.written is Written.BINARY:
            return data
        text = data.hex().encode("ascii")
        return text if self.check.written is Written.LOWER_HEX else text.upper()

    def number(self, found: bytes) -> int:
        """What a check that stands in a frame says. Raises `CodecError` if that is no number."""
        try:
            data = found if self._binary else bytes.fromhex(found.decode("ascii"))
        except ValueError:
            raise CodecError(f"the check {name_of(self.check)} is not made of hex digits") from None
        if len(found) < self.size:
            raise CodecError(f"the frame ends before its check {name_of(self.check)}")
        return int.from_bytes(data, self._endian)

    def matches(self, covered: bytes, found: bytes) -> bool:
        """Whether a check that stands in a frame is that of the covered bytes."""
        if self._binary:
            return int.from_bytes(found, self._endian) == self._compute(covered) & self._mask
        if self._endian == "big" and found == b"%0*X" % (self.size, self._compute(covered) & self._mask):
            return True
        return found.upper() == self.written(covered).upper()

    def fault(self, covered: bytes, found: bytes, *, discreet: bool = False) -> str:
        """What is wrong with a check that stands in a frame; empty if nothing is."""
        if self.matches(covered, found):
            return ""
        if discreet:
            return f"the check {name_of(self.check)} does not match"
        wanted = self.written(covered)
        said = (found.hex(" ") if self._binary else found.decode("latin-1")).upper()
        meant = (wanted.hex(" ") if self._binary else wanted.decode("ascii")).upper()
        return f"the check {name_of(self.check)} is {said}, but should be {meant}"


def name_of(check: Check) -> str:
    """A check's rule in a word."""
    return check.rule.name


class Layout:
    """One framing, compiled. A ``discreet`` one says of no check what it should be: that would give secrets away."""

    def __init__(self, framing: Framing, *, discreet: bool = False) -> None:
        self.framing = framing
        self._discreet = discreet
        self.coding = Coding(framing.escape, framing.hex)
        seals = [Seal(check) for check in framing.checks]
        self.inner: Sequence[Seal] = [seal for seal in seals if not seal.check.after_end]
        self.outer: Sequence[Seal] = [seal for seal in seals if seal.check.after_end]
        self.header_size = sum(size_of(field) for field in framing.header)
        self.tail = sum(seal.whole for seal in self.inner)
        self.behind = len(framing.end) + sum(seal.whole for seal in self.outer)
        self._front = len(framing.start)
        self._straight = self._straight_check()
        self.least = len(framing.start) + self.behind + (0 if self.coding.changes else self.header_size + self.tail)

    def _straight_check(self) -> tuple[Seal, int] | None:
        """The only check, and where on the wire what it covers begins, if that is one piece of the wire bytes."""
        if len(self.inner) != 1 or self.outer or self.coding.changes or self.framing.shared_end:
            return None
        check = self.inner[0].check
        if check.skip or check.trim or check.on_wire:
            return None
        front = {"start": 0, "header": self._front, "body": self._front + self.header_size}[check.covers]
        return self.inner[0], front

    def opening(self, wire: bytes) -> int:
        """How many start bytes this frame has: with a shared end mark it may have none."""
        return self._front if wire.startswith(self.framing.start) else 0

    def coded(self, wire: bytes) -> bytes:
        """What stands between start and end."""
        return wire[self.opening(wire) : len(wire) - self.behind if self.behind else None]

    def plain(self, wire: bytes) -> bytes:
        """Header, body and checks, plain. Raises `CodecError`."""
        return self.coding.plain(self.coded(wire))

    def size(self, contents: bytes) -> int:
        """The size that the frame of header and body tells of itself, if its header does."""
        if self.coding.changes and not (self.framing.length is not None and self.framing.length.on_wire):
            return self._front + len(contents) + self.tail + self.behind
        return len(self.build(contents))

    def contents(self, wire: bytes) -> bytes:
        """Header and body, plain. Raises `CodecError`."""
        if self._straight is not None and len(wire) >= self.least:
            return wire[self._front : len(wire) - self.behind - self.tail]
        plain = self.plain(wire)
        if len(plain) < self.header_size + self.tail:
            raise CodecError(f"the frame has {len(plain)} bytes where its header and check take more")
        return plain[: len(plain) - self.tail] if self.tail else plain

    def fault(self, wire: bytes) -> str:
        """What is wrong with a whole frame's form; empty if its checks match."""
        if not (self.inner or self.outer or self.coding.changes):
            return ""
        if self._straight is not None:
            seal, front = self._straight
            end = len(wire) - self.behind
            split = end - seal.size
            if wire.endswith(seal.check.separator, 0, split) and seal.matches(
                wire[front : end - seal.whole], wire[split:end]
            ):
                return ""
        try:
            plain = self.plain(wire)
        except CodecError as error:
            return str(error)
        if len(plain) < self.header_size + self.tail:
            return "it is too short"
        at = len(plain) - self.tail
        for seal in self.inner:
            covered = self._covered(seal, wire, plain[:at])
            at += seal.whole
            separator = plain[at - seal.whole : at - seal.size]
            if separator != seal.check.separator:
                return f"its check does not stand behind {seal.check.separator!r}"
            if fault := seal.fault(covered, plain[at - seal.size : at], discreet=self._discreet):
                return fault
        at = len(wire) - sum(seal.whole for seal in self.outer)
        for seal in self.outer:
            covered = self._covered(seal, wire[:at], plain)
            at += seal.whole
            if fault := seal.fault(covered, wire[at - seal.size : at], discreet=self._discreet):
                return fault
        return ""

    def check_of(self, wire: bytes) -> int | None:
        """The number that stands in a frame as its first check; None if it has none. Raises `CodecError`."""
        if not self.framing.checks:
            return None
        wanted = self.framing.checks[0]
        where, at, seals = wire, len(wire) - sum(seal.whole for seal in self.outer), self.outer
        if not wanted.after_end:
            where, seals = self.plain(wire), self.inner
            at = len(where) - self.tail
        for seal in seals:
            at += seal.whole
            if seal.check is wanted:
                return seal.number(where[max(0, at - seal.size) : max(0, at)])
        return None

    def _covered(self, seal: Seal, wire: bytes, plain: bytes) -> bytes:
        """The bytes a check covers: of the plain ones before it, or of the wire for one behind the end."""
        check, start = seal.check, self.framing.start
        if check.on_wire:
            covered = (start if check.covers == "start" else b"") + self.coding.wire(plain)
        else:
            covered = plain if check.covers != "body" else plain[self.header_size :]
            if check.covers == "start":
                covered = start + covered
            if check.after_end:
                covered += self.framing.end
        end = len(covered) - check.trim
        return covered[check.skip : end] if check.skip or check.trim else covered

    def build(self, contents: bytes) -> bytes:
        """The frame of header and body that stand ready."""
        plain = contents
        for seal in self.inner:
            plain += seal.check.separator + seal.written(self._covered(seal, b"?", plain))
        wire = self.framing.start + self.coding.wire(plain) + self.framing.end
        for seal in self.outer:
            wire += seal.check.separator + seal.written(self._covered(seal, wire, plain))
        return wire


def size_of(field: Field) -> int:
    """The bytes of a header field, which always has as many."""
    size = leaf_of(field.type).size
    if size is None:
        extent = field.extent.size
        assert extent is not None  # parse sees to it that a header field has one, and that it is a number
        assert isinstance(extent.tree, Constant)
        size = int(extent.tree.value)
    return size
