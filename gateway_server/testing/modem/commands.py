"""What stands on a command line of a simulated modem (V.250 5.4: basic, extended and dial commands)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_EXTENDED = re.compile(r"\+([A-Za-z0-9]+)(=\?|\?|=)?")
_BASIC = re.compile(r"(&?[A-Za-z])(\d*)")
_REGISTER = re.compile(r"[Ss](\d+)(\?|=(\d+))")
_IGNORED_IN_NUMBER = frozenset("TtPp,Ww-() ")


@dataclass(frozen=True, slots=True)
class Command:
    """One command. ``name`` is ``E``, ``&C``, ``S7``, ``+CREG`` or ``D``; ``kind`` is ``set``, ``ask``, ``test`` or
    ``do``; ``value`` is what stands behind it."""

    name: str
    kind: str
    value: str = ""


class NotUnderstood(Exception):
    """The rest of the line is no command."""


def commands(line: str) -> list[Command]:
    """The commands behind ``AT``. Raises `NotUnderstood`."""
    found: list[Command] = []
    at = 0
    while at < len(line):
        if line[at] in " ;":
            at += 1
        elif line[at] == "+":
            command, at = _extended(line, at)
            found.append(command)
        elif line[at] in "Dd":
            found.append(Command("D", "do", line[at + 1 :]))
            break
        elif register := _REGISTER.match(line, at):
            found.append(_register(register))
            at = register.end()
        elif basic := _BASIC.match(line, at):
            found.append(Command(basic[1].upper(), "do", basic[2]))
            at = basic.end()
            if found[-1].name == "Z":
                break  # what follows ATZ on its line is lost
        else:
            raise NotUnderstood(line[at:])
    return found


def _register(found: re.Match[str]) -> Command:
    if found[2] == "?":
        return Command(f"S{int(found[1])}", "ask")
    return Command(f"S{int(found[1])}", "set", found[3])


def _extended(line: str, at: int) -> tuple[Command, int]:
    found = _EXTENDED.match(line, at)
    if found is None:
        raise NotUnderstood(line[at:])
    name, form = f"+{found[1].upper()}", found[2]
    if form != "=":
        return Command(name, {None: "do", "?": "ask", "=?": "test"}[form]), found.end()
    end, quoted = found.end(), False
    while end < len(line) and (quoted or line[end] != ";"):
        quoted ^= line[end] == '"'
        end += 1
    return Command(name, "set", line[found.end() : end]), end


def dialled(text: str) -> tuple[str, bool]:
    """The number behind ``ATD`` and whether it is a voice call; empty if there is none. Raises `NotUnderstood`."""
    voice = text.rstrip().endswith(";")
    number = "".join(character for character in text.rstrip().rstrip(";") if character not in _IGNORED_IN_NUMBER)
    if number.upper() == "L":
        return "L", voice
    if not re.fullmatch(r"\+?[0-9*#]+", number):
        raise NotUnderstood(text)
    return number, voice


def operands(text: str) -> list[str]:
    """The operands of an extended command, quotes taken off."""
    return [part.strip().strip('"') for part in text.split(",")]
