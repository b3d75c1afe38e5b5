"""What a reply may say of the frame that it answers, beside that frame's fields: its check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway_server.codec.codec import Frame
from gateway_server.codec.meter_profile.expressions import Expression
from gateway_server.codec.meter_profile.form import (
    Ask,
    Assign,
    Listen,
    Loop,
    MeterProfile,
    ReadArchive,
    Reply,
    Step,
)
from gateway_server.codec.meter_profile.framing import fold
from gateway_server.codec.meter_profile.layout import Layout
from gateway_server.codec.meter_profile.reading import Values
from gateway_server.errors import CodecError

CHECK = "check"


class Echo:
    """Puts the check of a frame among its values. A field of that name keeps it."""

    def __init__(self, profile: MeterProfile, layouts: Mapping[str, Layout]) -> None:
        self._profile = profile
        self._layouts = layouts
        steps = (*(profile.answer or ()), *(profile.read or ()))
        self.is_wanted = any(CHECK in one.names for one in _expressions(steps))
        """Whether any step looks at it: otherwise no frame pays for it."""

    def add(self, values: Values, frame: Frame) -> None:
        """Adds what a frame's check says, if it has one and that can be told."""
        layout = self._layouts.get(frame.kind)
        if layout is None or CHECK in values:
            return
        try:
            number = layout.check_of(fold(frame.data, self._profile.parity))
        except CodecError:
            return  # a damaged frame, which does not show it
        if number is not None:
            values[CHECK] = number


def _expressions(steps: Iterable[Step]) -> Iterator[Expression]:
    for step in steps:
        match step:
            case Listen(cases=cases, on_error=on_error):
                yield from _of_reply(on_error)
                for case in cases:
                    yield from _of_reply(case.reply)
                    yield from (one for _, one in case.assign)
            case Ask():
                yield from _of_question(step)
            case ReadArchive(ask=ask):
                yield from _of_question(ask)
                yield from (one for one in (step.first, step.next, step.done) if one is not None)
            case Loop(condition, inner):
                yield condition
                yield from _expressions(inner)
            case Assign(values):
                yield from (one for _, one in values)
            case _:
                continue


def _of_reply(reply: Reply | None) -> Iterator[Expression]:
    if reply is not None:
        yield from (one for _, one in reply.fields)


def _of_question(ask: Ask) -> Iterator[Expression]:
    yield from _of_reply(ask.send)
    yield from (one for _, one in ask.assign)
    if ask.condition is not None:
        yield ask.condition
