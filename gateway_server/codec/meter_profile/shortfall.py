"""What a session of a profile did not do or keep, for its outcome: nothing of that may look as if all were well."""

from __future__ import annotations

from gateway_server.codec.codec import Frame
from gateway_server.codec.dialogue import Partly
from gateway_server.errors import CodecError

MOST_REASONS = 20
_MOST_REJECTED = 100


class Shortfall:
    """Counts what was left out while a dialogue goes on."""

    def __init__(self) -> None:
        self._reasons: list[str] = []
        self._unsent = 0
        self._why_unsent = ""
        self._rejected: dict[bytes, str] = {}
        self._rejections = 0
        self._kept = False

    def leave_out(self, why: str) -> None:
        """Something that was wanted was not obtained."""
        if len(self._reasons) < MOST_REASONS:
            self._reasons.append(why)

    def kept(self) -> None:
        """Something that the meter told is in the store."""
        self._kept = True

    def damaged(self, number: int) -> None:
        """So many frames were damaged, and nothing whole came behind them."""
        if number:
            self.leave_out(f"{_count(number, 'frame')} damaged at the end, and nothing whole came behind")

    def unsent(self, why: str) -> None:
        """A reply could not be put together: the meter does not know that it was understood."""
        self._unsent += 1
        self._why_unsent = self._why_unsent or why

    def rejected(self, frame: Frame, why: str) -> None:
        """A whole frame was not understood, or not kept; the same bytes may still come again (`understood`)."""
        if frame.data not in self._rejected:
            self._rejections += 1
            if len(self._rejected) < _MOST_REJECTED:
                self._rejected[frame.data] = why

    def understood(self, frame: Frame) -> None:
        """A frame was read, and what it tells is kept."""
        if self._rejected and self._rejected.pop(frame.data, None) is not None:
            self._rejections -= 1

    def result(self) -> Partly | None:
        """What the dialogue returns. Raises `CodecError` if what came was understood, but nothing of it was of use."""
        reasons = list(self._reasons)
        if self._rejections:
            first = next(iter(self._rejected.values()), "")
            reasons.append(f"{_count(self._rejections, 'message')} not kept; the first: {first}")
        if self._unsent:
            reasons.append(f"{_count(self._unsent, 'reply', 'replies')} not sent; the first: {self._why_unsent}")
        if not reasons:
            return None
        why = "; ".join(reasons)
        if not self._kept and (self._rejections or self._unsent):
            raise CodecError(why)
        return Partly(why)


def _count(number: int, one: str, many: str = "") -> str:
    return f"1 {one} was" if number == 1 else f"{number} {many or one + 's'} were"
