"""Learning from a device what stands in the columns of an archive, once per software version (lis200.md 2.5)."""

from __future__ import annotations

from gateway_server.codec.dialogue import Note
from gateway_server.errors import ChecksumError, MeterSilent

from . import errors, locks, messages
from .conversation import Conversation, Talk
from .interpreter import Refused


def learn_layout(talk: Conversation, number: int) -> Talk:
    """Asks once per software version for names, units and sources of an archive's columns.

    Whoever refuses the names may still give the sources, and with them it is worth asking for the units.
    """
    key = talk.listener.layout_key(number)
    if talk.meter is not None and key in talk.meter.memory:
        return
    wanted = ["2", "3", "4"]
    while wanted:
        attribute = wanted.pop(0)
        try:
            answer = yield from locks.ask(talk, messages.Command("R1", f"{number}:V.{attribute}(1)"))
        except (ChecksumError, MeterSilent) as error:
            if isinstance(error, MeterSilent) and attribute == "2":
                raise
            yield Note(f"archive {number}: its columns stay unknown for now: {error}")
            return
        if isinstance(answer, Refused):
            if errors.number(answer.error.code) == 100:
                raise answer.error
            if attribute == "2":
                wanted = ["4", "3"]
            elif attribute == "4" and wanted:
                yield Note(f"archive {number}: the device does not describe its columns (#{answer.error.code})")
                if isinstance(answer.error, errors.Absent):
                    yield from talk.remember(key, "")
                return
