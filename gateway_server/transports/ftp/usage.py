"""What uploaders have used of what they may: uploads at once, and bytes and files of a day (UTC).

What is on its way counts as soon as it has come, so that many uploads at once are held to the same quota as one after
the other. On an account that many meters share each meter that a rule names has an allowance of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from gateway_server.transports.ftp.delivery import Delivery
from gateway_server.transports.ftp.terms import Allowance, counted_as

DAY_MS = 86_400_000
MOST_REMEMBERED = 10_000  # accounts and meters, before those of former days are forgotten


class Usage:
    """Belongs to the FTP thread."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._at_once: Counter[str] = Counter()
        self._coming: Counter[str] = Counter()  # bytes of uploads that go on
        self._used: dict[str, tuple[int, int, int]] = {}  # the day, bytes and files of it

    def recall(self, day: int, uploaded: Mapping[tuple[str, str], tuple[int, int]]) -> None:
        """Takes in what was uploaded on this day before this start of the gateway, by login and meter."""
        for (login, serial), (size, files) in uploaded.items():
            self._use(login, day, size, files)
            if serial:
                self._use(counted_as(login, serial), day, size, files)

    def begin(self, delivery: Delivery) -> None:
        """An upload begins."""
        for allowance in delivery.allowances:
            self._at_once[allowance.of] += 1

    def received(self, delivery: Delivery) -> None:
        """More of it came."""
        more = delivery.size - delivery.counted
        delivery.counted = delivery.size
        for allowance in delivery.allowances:
            self._coming[allowance.of] += more

    def end(self, delivery: Delivery) -> None:
        """It is over, whatever came of it."""
        day = self._now_ms() // DAY_MS
        for allowance in delivery.allowances:
            of = allowance.of
            _less(self._at_once, of, 1)
            _less(self._coming, of, delivery.counted)
            self._use(of, day, delivery.size, 1)

    def too_many(self, allowances: Sequence[Allowance]) -> str:
        """Why no further upload may begin while others go on, empty if it may."""
        for allowance in allowances:
            if self._at_once[allowance.of] >= allowance.uploads:
                return f"this {allowance.whose} has too many uploads at once"
        return ""

    def over_quota(self, allowances: Sequence[Allowance]) -> str:
        """Why nothing more may be uploaded today, empty if it may."""
        day = self._now_ms() // DAY_MS
        for allowance in allowances:
            of, used, files = self._used.get(allowance.of, (day, 0, 0))
            if of != day:
                used = files = 0
            if used + self._coming[allowance.of] > allowance.quota:
                return f"{allowance.quota} bytes a day are allowed"
            if files >= allowance.files:
                return f"{allowance.files} files a day are allowed"
        return ""

    def _use(self, of: str, day: int, size: int, files: int) -> None:
        then, used, before = self._used.get(of, (day, 0, 0))
        if then != day:
            used = before = 0
            if len(self._used) > MOST_REMEMBERED:
                self._used = {one: of_day for one, of_day in self._used.items() if of_day[0] == day}
        self._used[of] = (day, used + size, before + files)


def _less(counter: Counter[str], of: str, less: int) -> None:
    counter[of] -= less
    if not counter[of]:
        del counter[of]
