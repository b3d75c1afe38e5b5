"""Callers over fake lines, received as a listener would."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway_server.model import Outcome
from gateway_server.session.plan import Role
from gateway_server.session.presence import Presence
from gateway_server.session.registration import RegistrationPattern
from gateway_server.store.records import Filter, MeterRecord, SessionRecord
from gateway_server.testing.fake_line import FakeLine
from gateway_server.transports.admission import Admission
from gateway_server.transports.caller import Caller
from gateway_server.transports.reception import Reception, Rule
from tests.session.conversations import Scene, ToyCodec

IMEI = "356938035643809"
REGISTRATION = IMEI.encode() + b"\r\n"
SERIAL = "41203377"
PATTERN = RegistrationPattern(r"(?P<id>\d{15})\r?\n")
BY_REGISTRATION = {"rules": (Rule.REGISTRATION, Rule.CODEC), "registration": PATTERN}


class Hall(Scene):
    """A listener whose callers are fakes; meter 41203377 calls in as IMEI 356938035643809."""

    def __init__(self) -> None:
        super().__init__()
        self.store.put_meter(MeterRecord(SERIAL, routes=(f"caller:{IMEI}",)))
        self.presence = Presence(self.clock)
        self.reception = Reception(
            name="gprs",
            facilities=self.facilities,
            presence=self.presence,
            admission=Admission(self.clock, 100, 50),
            codecs=lambda: (ToyCodec(),),
            codec_named=lambda name: ToyCodec(name) if name == "toy" else None,
        )

    def set(self, **settings: Any) -> None:
        self.reception = replace(self.reception, **settings)

    def listens(self, **settings: Any) -> None:
        self.set(role=Role.LISTEN, **settings)

    def call(self, remote: str = "192.0.2.7:40001") -> tuple[Caller, FakeLine]:
        line = FakeLine(remote)
        return Caller(line, self.reception), line

    def pass_seconds(self, seconds: float) -> None:
        self.clock.pump([0.5] * int(seconds * 2))

    def sessions(self) -> list[SessionRecord]:
        return sorted(self.store.sessions(Filter()), key=lambda session: session.id)

    def outcomes(self) -> list[Outcome | None]:
        return [session.outcome for session in self.sessions()]
