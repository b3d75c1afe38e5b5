"""How a listener receives its callers: what identifies them, who speaks first, how long they may stay."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway_server.codec.codec import Codec
from gateway_server.session.plan import Facilities, Role
from gateway_server.session.presence import Presence
from gateway_server.session.registration import Heartbeats, RegistrationPattern
from gateway_server.transports.admission import Admission


class Rule(enum.Enum):
    """A way to find out who calls."""

    REGISTRATION = "registration"
    ADDRESS = "address"
    CODEC = "codec"


@dataclass(frozen=True, slots=True)
class Reception:
    """One listener's settings with everything its lines share. Times are seconds.

    ``codecs`` gives the listener's codecs, as they are when a session begins; ``codec_named`` one by its name.
    ``addresses`` maps a caller's ``HOST`` or ``HOST:PORT`` to a serial number. ``poll_every`` 0 reads once per
    connection. A line that is not ``keep_open`` ends with its first session.
    """

    name: str
    facilities: Facilities
    presence: Presence
    admission: Admission
    codecs: Callable[[], tuple[Codec, ...]]
    codec_named: Callable[[str], Codec | None]
    rules: tuple[Rule, ...] = (Rule.CODEC,)
    role: Role = Role.ASK
    registration: RegistrationPattern | None = None
    heartbeats: Heartbeats = field(default_factory=Heartbeats)
    addresses: Mapping[str, str] = field(default_factory=dict)
    registration_seconds: float = 15.0
    identify_seconds: float = 120.0
    identify_bytes: int = 65536
    idle_seconds: float = 1800.0
    settle_seconds: float = 0.5
    poll_every: float = 0.0
    keep_open: bool = True
