"""From what a device says of itself to how it is spoken to: archives, locks, codes, times (lis200.md 1.4, 2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway_server.model import CHANGES, DAILY, EVENTS, INTERVAL, MONTHLY

from .objects import EK_LIVE, TC_LIVE

MONTHLY_2 = "monthly2"
CALIBRATION = "calibration"
EXTENDED = "extended"

LOGS = frozenset({EVENTS, CHANGES, CALIBRATION})
"""Archives that are logs: they belong to what an order calls events."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Waiting times in seconds and repeats, taken from servers that read these devices over GSM."""

    sign_on: float = 7.5  # 6 s proved too short (RMG)
    sign_on_tries: int = 6  # three in the likely character format, three in the other (RMG: 3 and 3)
    reply: float = 20.0  # 10 s proved too short for an EK over GSM (RMG)
    gap: float = 5.0  # within a telegram; CSD repeats can hold it up for several seconds
    repeats: int = 3  # of a request, and of a damaged block (RMG)
    quiet: float = 1.5  # so long nothing: the line is drained (RMG)
    afterthought: float = 0.3  # behind the ACK of a write: an error telegram would follow at once (a guess)
    wake_up_pause: float = 1.5  # behind the NULs (RMG); others pause up to 1.7


@dataclass(frozen=True, slots=True)
class Profile:
    """How one model is spoken to. ``archives`` are in the order in which they are read."""

    model: str
    archives: tuple[tuple[str, int], ...]
    live: tuple[str, ...] = EK_LIVE
    locks: tuple[int, ...] = (4, 3)
    default_codes: tuple[str, ...] = ("00000000",)
    time_position: int = 3
    has_order_numbers: bool = True
    timing: Timing = Timing()

    def number_of(self, archive: str) -> int | None:
        """The device's number of an archive, None if this model has none of that name."""
        return dict(self.archives).get(archive)

    def archive_of(self, number: int) -> str:
        """The name of the archive with this number."""
        return next((name for name, known in self.archives if known == number), f"archive{number}")


_EK_ARCHIVES = ((INTERVAL, 3), (DAILY, 7), (MONTHLY, 1), (MONTHLY_2, 2), (EVENTS, 4), (CHANGES, 5))
_EK = Profile("EK270", _EK_ARCHIVES)
_TC = Profile("TC220", ((INTERVAL, 3),), TC_LIVE, default_codes=("0",), time_position=2, has_order_numbers=False)

PROFILES = {
    "EK260": replace(_EK, model="EK260"),
    "EK270": _EK,
    "EK280": replace(_EK, model="EK280", archives=(*_EK_ARCHIVES, (CALIBRATION, 9), (EXTENDED, 13)), locks=(4, 3, 5)),
    "TC210": replace(_TC, model="TC210"),
    "TC215": replace(_TC, model="TC215"),
    "TC220": _TC,
}
PROFILES["EK290"] = replace(PROFILES["EK280"], model="EK290")
"""Only the name of the EK290 is known; it is taken for an EK280."""

UNKNOWN = replace(_EK, model="", default_codes=("00000000", "0"))
"""A device that speaks LIS-200 and says none of the known names: taken for an EK270, its archives probed."""


def profile_of(*texts: str) -> Profile:
    """The profile for what a device says of itself (identification, type text); the later text counts more."""
    for text in reversed(texts):
        upper = text.upper()
        for name, profile in PROFILES.items():
            if name in upper:
                return profile
    return UNKNOWN


def daily_only(profile: Profile) -> Profile:
    """The profile of a TC215 whose measurement period is a day: its archive 3 is then the daily one (MX)."""
    return replace(
        profile, archives=tuple((DAILY if number == 3 else name, number) for name, number in profile.archives)
    )
