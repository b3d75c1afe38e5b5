"""Who calls: what a caller says of itself, and what the register knows of it."""

from __future__ import annotations

from typing import NamedTuple

from gateway_server.model import MeterState
from gateway_server.store.records import MeterRecord, SessionKey


class CallerContact(NamedTuple):
    """A caller said its name in a session."""

    key: SessionKey
    caller: str
    at_ms: int


class KnownCaller(NamedTuple):
    """What has to be known of a meter that calls, to speak with it. After an outage it is asked of all at once."""

    serial: str
    codec: str
    profile: str
    state: MeterState

    @classmethod
    def of(cls, meter: MeterRecord) -> KnownCaller:
        """The same of a whole entry of the register."""
        return cls(meter.serial, meter.codec, meter.profile, meter.state)
