"""The parts of a telegram in words, for whoever audits a session: every octet belongs to exactly one field."""

from __future__ import annotations

import re

from gateway_server.codec.checksum import xor
from gateway_server.codec.codec import NOISE, SENT, Field, Frame
from gateway_server.model import INTERVAL, MONTHLY

from . import addresses, errors, frames, layouts, messages, models, objects, status, values
from .events import EVENT
from .events import in_words as event_words

_CONTROL = {0x01: "SOH", 0x02: "STX", 0x03: "ETX", 0x04: "EOT", 0x06: "ACK", 0x15: "NAK"}
_COMMANDS = {
    "P0": "password operand",
    "P1": "log in",
    "R1": "read a value",
    "R3": "read rows in blocks",
    "W1": "write a value",
    "B0": "sign off",
}
_ATTRIBUTES = {
    "0": "rows",
    "1": "access rights",
    "2": "names of the columns",
    "3": "units of the columns",
    "4": "sources of the columns",
    "5": "unit codes",
    "6": "formats",
    "7": "data types",
    "8": "settable source",
    "A": "number of rows in the range",
}
_SPEEDS = {"0": 300, "1": 600, "2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19200}
_CELL = re.compile(r"\(([^()]*)\)")
_ADDRESSED = re.compile(r"([^()]+)\(([^()]*)\)")
_LOCK_CODE = re.compile(r"0*([1-5]):0*171\.0\(([^()]*)\)")
_LOGIN = re.compile(r"\(([1-5]):([^()]*)\)")


class _Fields:
    """Fields laid end to end over a frame."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.done: list[Field] = []

    def add(self, name: str, size: int, value: str | None = None, meaning: str = "", *, secret: bool = False) -> None:
        """The next ``size`` octets, or what there is of them."""
        size = min(size, len(self.text) - self.at)
        if size <= 0:
            return
        end = self.at + size
        said = self.text[self.at : end] if value is None else value
        self.done.append(Field(name, self.at, end, "" if secret else said, meaning, secret))
        self.at = end

    def control(self) -> None:
        """One control character."""
        octet = ord(self.text[self.at])
        self.add(_CONTROL.get(octet, "character"), 1, f"{octet:02X}")

    def rest(self, name: str = "unknown") -> None:
        """Everything that is left."""
        self.add(name, len(self.text) - self.at)


def dissect(frame: Frame) -> list[Field]:
    """The fields of a frame from the device, or of what we sent (``frame.kind`` is ``sent``)."""
    text = messages.characters(frame.data)
    if frame.kind == SENT and text[:1] == "\x06" and len(text) > 1:
        text = "".join(chr(ord(char) & 0x7F) for char in text)
    fields = _Fields(text)
    if not text:
        return []
    if frame.kind == NOISE:
        fields.add("noise", len(text), "", "belongs to no telegram")
    elif frame.kind == frames.HANGUP:
        fields.add("modem", len(text), None, "the far end hung up or was lost")
    elif text[0] in "\x01\x02":
        _telegram(fields, frame)
    elif text[0] == "/":
        _line(fields)
    elif text[0] == "\x06":
        _acknowledgement(fields)
    elif text == "\x15":
        fields.add("NAK", 1, "15", "again, please" if frame.kind == SENT else "not understood")
    elif not text.strip("\0"):
        fields.add("wake-up", len(text), f"{len(text)} NUL")
    else:
        fields.rest()
    return fields.done


def _line(fields: _Fields) -> None:
    text = fields.text
    end = len(text) - len(text.lstrip("/").rstrip("\r\n")) - 1
    if text[1:2] == "?":
        body = len(text.rstrip("\r\n"))
        fields.add("request", 2, None, "who is there?")
        bang = text.rfind("!", 2, body)
        size = (bang if bang >= 0 else body) - 2
        fields.add("address", size, None, "only this device" if size else "")
        fields.add("end", len(text) - fields.at, "!")
        return
    fields.add("start", 1, "/")
    fields.add("maker", 3, None, "reacts within 20 ms" if text[3:4].islower() else "reacts within 200 ms")
    speed = _SPEEDS.get(text[4:5])
    fields.add("speed", 1, None, f"up to {speed} baud" if speed else "")
    model = models.profile_of(text[5:]).model
    fields.add("identification", len(text) - end - 5, None, f"taken for {model}" if model else "model unknown")
    fields.add("end", len(text) - fields.at, "CR LF")


def _acknowledgement(fields: _Fields) -> None:
    fields.control()
    text = fields.text
    if len(text) >= 4:
        fields.add("protocol", 1, None, "normal" if text[1] == "0" else "")
        speed = _SPEEDS.get(text[2])
        fields.add("speed", 1, None, f"{speed} baud" if speed else "")
        fields.add("mode", 1, None, "programming" if text[3] == "1" else "")
        fields.add("end", len(text) - fields.at, "CR LF")
    fields.rest()


def _telegram(fields: _Fields, frame: Frame) -> None:
    text = fields.text
    cut = frame.fault.startswith("cut off") or len(text) < 4 or text[-2] not in "\x03\x04"
    end = len(text) if cut else len(text) - 2
    fields.control()
    secret = False
    if text[0] == "\x01" and fields.at + 2 <= end:
        name = text[1:3]
        fields.add("command", 2, None, _COMMANDS.get(name, ""))
        if fields.at < end and text[fields.at] == "\x02":
            fields.control()
            secret = _operand(fields, name, end)
    elif text[0] == "\x02":
        _body(fields, end)
    if fields.at < end:
        fields.add("unknown", end - fields.at)
    if cut:
        return
    fields.control()
    check, expected = ord(text[-1]), xor(text[1:-1].encode("latin-1"))
    if secret:
        fields.add("BCC", 1, secret=True, meaning="would give the access code away")
    else:
        good = check in (expected, expected & 0x7F)
        meaning = frame.fault or ("ok" if good else f"wrong, expected {expected & 0x7F:02X}")
        fields.add("BCC", 1, f"{check:02X}", meaning)


def _operand(fields: _Fields, command: str, end: int) -> bool:
    """What stands behind a command's STX; True if it holds an access code."""
    operand = fields.text[fields.at : end]
    if found := (_LOCK_CODE.fullmatch(operand) if command == "W1" else None):
        start = operand.index("(") + 1
        fields.add("address", start - 1, None, objects.words(addresses.core(operand[: start - 1])))
        fields.add("(", 1)
        fields.add("access code", len(found[2]), secret=True)
        fields.add(")", 1)
        return True
    if found := (_LOGIN.fullmatch(operand) if command == "P1" else None):
        fields.add("(", 1)
        fields.add("lock", 1, None, objects.LOCKS[found[1]])
        fields.add(":", 1)
        fields.add("access code", len(found[2]), secret=True)
        fields.add(")", 1)
        return True
    if command == "P0":
        fields.add("operand", len(operand), None, "a dummy on LIS-200, not answered")
        return False
    if command in ("P1", "P2", "W1") and "(" in operand:
        start = operand.index("(") + 1
        fields.add("address", start - 1, None, objects.words(addresses.core(operand[: start - 1])))
        known = command == "W1" and addresses.core(operand[: start - 1]).partition(":")[2] == "170"
        fields.add("value", len(operand) - start + 1, secret=not known)
        return not known
    found = _ADDRESSED.fullmatch(operand)
    if found is None:
        return False
    archive = addresses.archive(found[1])
    if archive is not None:
        number, attribute = archive
        fields.add("archive", len(found[1]), None, f"archive {number}: {_ATTRIBUTES.get(attribute, '')}")
        fields.add("range", len(found[2]) + 2, None, _range(found[2]))
    else:
        fields.add("address", len(found[1]), None, objects.words(addresses.core(found[1])))
        fields.add("parameter", len(found[2]) + 2)
    return False


def _range(text: str) -> str:
    parts = text.split(";")
    if len(parts) != 4:
        return ""
    position, lower, upper, rows = parts
    block = f", {rows} rows a block" if rows else ""
    return f"column {position or 1} from {lower or 'the oldest'} to {upper or 'the newest'}{block}"


def _body(fields: _Fields, end: int) -> None:
    """An answer: an error, a value, or rows."""
    body = fields.text[fields.at : end]
    if body.startswith("(#") and body.endswith(")") and body.count("(") == 1:
        code = body[2:-1]
        known = errors.CODES.get(errors.number(code))
        fields.add("error", len(body), f"#{code}", f"{known.meaning}: {known.advice}" if known else "unknown code")
        return
    value = _ADDRESSED.fullmatch(body)
    if value is not None and ":" in value[1] and addresses.archive(value[1]) is None:
        _value(fields, value[1], value[2])
        return
    while fields.at < end:
        line_end = fields.text.find("\n", fields.at, end)
        stop = line_end + 1 if line_end >= 0 else end
        _row(fields, stop)


def _value(fields: _Fields, address: str, content: str) -> None:
    core = addresses.core(address)
    fields.add("address", len(address), None, f"{core} {objects.words(core)}".rstrip())
    fields.add("(", 1)
    text, unit = values.split_unit(content)
    fields.add("value", len(text), values.plain(text), _value_words(core, text))
    if unit or "*" in content:
        fields.add("*", 1)
        fields.add("unit", len(unit), values.unit(unit))
    fields.add(")", 1)


def _value_words(core: str, text: str) -> str:
    entity, _, number = core.partition(":")
    if number == "170":
        return "open" if text == "1" else "closed"
    if number == "171":
        return ""
    if number in ("100", "110", "101", "111"):
        name = f"St.{entity}" if number in ("110", "111") else ("St.Sy" if entity == "2" else "Stat")
        return status.in_words(name, text) or ("none" if text == "0" else "")
    return ""


def _archive_like(cells: list[str]) -> str:
    """Which archive a row looks like: a telegram alone does not say where its rows come from."""
    if any(EVENT.fullmatch(cell) for cell in cells):
        return INTERVAL
    return {22: MONTHLY, 36: models.MONTHLY_2}.get(len(cells), "")


def _row(fields: _Fields, stop: int) -> None:
    """One row's cells, named by the fixed layout that fits them; line ends and what is between them included."""
    text = fields.text
    start = text.find("(", fields.at, stop)
    if start < 0:
        fields.add("line end" if not text[fields.at : stop].strip() else "unknown", stop - fields.at, "")
        return
    if start > fields.at:
        fields.add("address", start - fields.at)
    line = text[start:stop]
    cells = _CELL.findall(line)
    layout = layouts.fitting(_archive_like(cells), cells)
    for at, found in enumerate(_CELL.finditer(line)):
        begin = start + found.start()
        if begin > fields.at:
            fields.add("unknown", begin - fields.at)
        name, meaning = f"column {at + 1}", ""
        if layout is not None and at < layout.size:
            name = layout.cells[at].name
            if layout.cells[at].role is layouts.Role.STATUS:
                meaning = status.in_words(name, found[1])
        if EVENT.fullmatch(found[1]):
            meaning = event_words(found[1])
        fields.add(name, len(found[0]), values.plain(found[1]), meaning)
    if fields.at < stop:
        tail = text[fields.at : stop]
        fields.add("line end" if not tail.strip() else "unknown", stop - fields.at, "" if not tail.strip() else None)
