"""Does a codec say what captures hold? For those that are no meter profile: what it sees, and what it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gateway_server.codec.codec import NOISE, Codec, Frame
from gateway_server.model import Direction
from gateway_server.session.intake import Intake
from gateway_server.workbench.capture import Capture
from gateway_server.workbench.readings import Told
from gateway_server.workbench.tally import MOST_TOLD
from gateway_server.workbench.verify import Check
from gateway_server.workbench.verify_profile import Verified
from gateway_server.workbench.verify_readings import check_readings, what_was_read


def verify_codec(codec: Codec, capture: Capture, expected: list[Told] | None = None) -> Verified:
    """One capture against a codec; ``expected`` is what it is known to say."""
    read = what_was_read(codec, capture)
    return Verified((*_frames(codec, capture), *check_readings(read, expected)), tuple(read.readings))


def _frames(codec: Codec, capture: Capture) -> Iterator[Check]:
    kinds: Counter[str] = Counter()
    faults: list[str] = []
    noise = 0
    for frame in _cut(codec, capture):
        if frame.kind == NOISE:
            noise += len(frame.data)
        elif frame.fault:
            faults.append(f"{frame.kind} at {frame.start}: {frame.fault}")
        else:
            kinds[frame.kind] += 1
    names = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    yield Check("the meter's frames", bool(kinds), f"{names or 'none'}; {noise} bytes of noise")
    if faults:
        more = f" and {len(faults) - MOST_TOLD} more" if len(faults) > MOST_TOLD else ""
        yield Check("the meter's faults", False, "; ".join(faults[:MOST_TOLD]) + more)


def _cut(codec: Codec, capture: Capture) -> Iterator[Frame]:
    """The frames of what the meter said; what it had not finished when it was spoken to, it will not."""
    intake = Intake(codec.framer())
    received = 0
    for entry in capture.entries:
        if entry.direction is Direction.TO_METER:
            while frame := intake.flush():
                yield frame
        elif entry.direction is Direction.FROM_METER:
            intake.feed(entry.data, received)
            received += len(entry.data)
            while frame := intake.next_frame():
                yield frame
    while frame := intake.flush():
        yield frame
