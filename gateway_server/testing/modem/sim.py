"""The SIM card of a simulated modem, and its standing with the network."""

from __future__ import annotations

from dataclasses import dataclass, field

TRIES = 3
PUK_TRIES = 10
STATES = {"idle": 0, "home": 1, "searching": 2, "denied": 3, "unknown": 4, "roaming": 5}
USABLE = frozenset({1, 5})
SEARCHING = 2

SIM_NOT_INSERTED, SIM_PIN_REQUIRED, SIM_PUK_REQUIRED = 10, 11, 12
SIM_FAILURE, SIM_BUSY, INCORRECT_PASSWORD = 13, 14, 16


class CmeError(Exception):
    """The modem refuses with this number (3GPP TS 27.007, 9.2)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class FakeSim:
    """A card. ``entered`` collects every PIN that was tried, so a test sees that a wrong one was tried once.

    The tries that are left stay with the card when the modem is restarted.
    """

    pin: str = ""
    missing: bool = False
    puk: str = "12345678"
    entered: list[str] = field(default_factory=list)
    tries: int = TRIES
    puk_tries: int = PUK_TRIES
    open: bool = field(default=False, init=False)

    def restart(self) -> None:
        """The modem has lost power: the PIN is wanted again."""
        self.open = not self.pin

    @property
    def state(self) -> str:
        """As +CPIN? answers. Raises `CmeError` without a card."""
        if self.missing:
            raise CmeError(SIM_NOT_INSERTED)
        if self.puk_tries <= 0:
            raise CmeError(SIM_FAILURE)
        if self.tries <= 0:
            return "SIM PUK"
        return "READY" if self.open else "SIM PIN"

    def require(self) -> None:
        """Raises `CmeError` unless the card is open."""
        state = self.state
        if state == "SIM PIN":
            raise CmeError(SIM_PIN_REQUIRED)
        if state == "SIM PUK":
            raise CmeError(SIM_PUK_REQUIRED)

    def enter(self, pin: str, new_pin: str | None = None) -> None:
        """A PIN, or the PUK and a new PIN. Raises `CmeError` for a wrong one."""
        if self.state == "SIM PUK":
            if new_pin is None:
                raise CmeError(SIM_PUK_REQUIRED)
            if pin != self.puk:
                self.puk_tries -= 1
                raise CmeError(INCORRECT_PASSWORD)
            self.pin, self.tries, self.puk_tries, self.open = new_pin, TRIES, PUK_TRIES, True
            return
        self.entered.append(pin)
        if pin != self.pin:
            self.tries -= 1
            raise CmeError(SIM_PUK_REQUIRED if self.tries <= 0 else INCORRECT_PASSWORD)
        self.tries, self.open = TRIES, True
