"""What one side of a capture came to, frame by frame, when a meter profile read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway_server.codec.meter_profile.form import Side
from gateway_server.workbench.verify import Check

MOST_TOLD = 5


@dataclass(slots=True)
class Tally:
    """Counts of one side; of what was wrong the first few reasons, by what it was."""

    frames: int = 0
    noise: int = 0
    masked: int = 0
    unread: int = 0
    unkept: int = 0
    unlike: int = 0
    unanswered: int = 0
    explained: int = 0
    size: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    why_noise: str = ""
    why: dict[str, list[str]] = field(default_factory=dict)

    def tell(self, what: str, why: str) -> None:
        """Keeps the first few reasons."""
        reasons = self.why.setdefault(what, [])
        if len(reasons) < MOST_TOLD and why not in reasons:
            reasons.append(why)

    def checks(self, side: Side) -> Iterator[Check]:
        """What there is to say about this side, nothing if it said nothing."""
        if not self.size:
            return
        who = f"the {side.value}'s"
        why_noise = f"; no {self.why_noise}" if self.why_noise else ""
        yield Check(f"{who} frames", self.frames > 0, f"{self.frames} frames, {self.noise} bytes of noise{why_noise}")
        yield self._messages(who)
        if self.unkept:
            told = f"what {self.unkept} messages tell cannot be kept"
            yield Check(f"{who} meaning", False, f"{told}{self._reasons('unkept')}")
        yield self._bytes(who)
        if self.unanswered:
            told = f"{self.unanswered} could not be put together"
            yield Check(f"{who} replies", False, f"{told}{self._reasons('unanswered')}")
        yield self._share(who)

    def _messages(self, who: str) -> Check:
        names = ", ".join(f"{count} {name}" for name, count in self.messages.most_common())
        masked = f"; {self.masked} not checked: they hold a secret that is masked here" if self.masked else ""
        detail = f"{names or 'none'}; {self.unread} not read{self._reasons('unread')}{masked}"
        return Check(f"{who} messages", not self.unread, detail, remark=not self.messages)

    def _bytes(self, who: str) -> Check:
        if self.unlike:
            told = f"{self.unlike} frames would be put together otherwise"
            return Check(f"{who} bytes", False, f"{told}{self._reasons('unlike')}")
        if not self.messages:
            return Check(f"{who} bytes", True, "nothing to check: no message was read", remark=True)
        return Check(f"{who} bytes", True, "every message put together again gives its bytes")

    def _share(self, who: str) -> Check:
        if not self.messages:
            return Check(f"{who} share", True, "nothing to check: no message was read", remark=True)
        share = 100 * self.explained / self.size
        return Check(f"{who} share", True, f"{share:.1f} % of the bytes have a name")

    def _reasons(self, what: str) -> str:
        return f": {'; '.join(self.why[what])}" if what in self.why else ""
