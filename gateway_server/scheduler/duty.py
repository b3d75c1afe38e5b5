"""All that a gateway does without being spoken to: orders, the night's calls, the schedules, what is overdue."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway_server.codec.codec import Codec
from gateway_server.errors import GatewayError, OperatorError
from gateway_server.scheduler.completeness import Terms
from gateway_server.scheduler.dialling import Dialling
from gateway_server.scheduler.housekeeping import Housekeeping
from gateway_server.scheduler.inbound import Inbound
from gateway_server.scheduler.jobs import Dispatcher, Jobs
from gateway_server.scheduler.night import Limits
from gateway_server.scheduler.obligations import Budget, Obligations
from gateway_server.scheduler.planning import Filling, Planning
from gateway_server.scheduler.policy import Policy
from gateway_server.scheduler.schedules import Schedule
from gateway_server.scheduler.waiting import Rules
from gateway_server.session.plan import Facilities
from gateway_server.session.presence import Presence
from gateway_server.store.records import MeterRecord
from gateway_server.transports.calls import Modems

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DutyTerms:
    """What the operator says of it.

    ``gaps`` stretches the waits behind a failed call, ``seed`` makes the chance in them the same every time;
    ``barred_for_s`` is how long a number that the network bars is left alone, ``keep_days`` how long jobs and
    calls are kept (0: for ever). ``patience_s`` is how long a person's order waits for a modem that may call.
    """

    parallel: int = 50
    lease_seconds: float = 60.0
    schedules: Sequence[Schedule] = ()
    limits: Limits = field(default_factory=Limits)
    rules: Rules = field(default_factory=Rules)
    terms: Terms = field(default_factory=Terms)
    budget: Budget = field(default_factory=lambda: Budget(200 * 1024, 300.0))
    fill_every_s: float = 21600.0
    gaps: float = 1.0
    barred_for_s: float = 0.0
    patience_s: float = 300.0
    keep_days: int = 0
    seed: int | None = None


class Duty:
    """Joins jobs, calls and plan. ``modems`` is None for a gateway that makes no calls."""

    def __init__(
        self,
        facilities: Facilities,
        presence: Presence,
        dispatcher: Dispatcher,
        codecs_of: Callable[[MeterRecord], tuple[Codec, ...]],
        terms: DutyTerms,
        modems: Modems | None = None,
    ) -> None:
        self._facilities = facilities
        obligations = Obligations(terms.terms, terms.budget)
        policy = Policy(random.Random(terms.seed), gaps=terms.gaps, rest_s=terms.barred_for_s)
        self._jobs = Jobs(
            facilities,
            presence,
            dispatcher,
            codecs_of,
            obligations,
            policy,
            terms.parallel,
            terms.lease_seconds,
            self._needs_modem if modems is not None else None,
        )
        self._dialling: Dialling | None = None
        if modems is not None:
            self._dialling = Dialling(
                facilities,
                modems,
                presence,
                codecs_of,
                obligations,
                policy,
                terms.limits,
                terms.rules,
                terms.lease_seconds,
                self._jobs,
                terms.patience_s,
            )
        self._planning = Planning(facilities, terms.schedules, self.look)

        def can_be_asked(meter: MeterRecord) -> bool:
            try:
                return any(hasattr(codec, "read") for codec in codecs_of(meter))
            except OperatorError:
                return False

        self._filling = Filling(facilities, obligations, terms.fill_every_s, can_be_asked, self._jobs.look)
        self._inbound = Inbound(facilities, self.look)
        self._housekeeping = Housekeeping(facilities, terms.keep_days)
        self._started = False

    def start(self) -> None:
        """Begins with whatever waits."""
        self._started = True
        self._facilities.writer.call(lambda store: store.free_jobs(), _freed)
        self._jobs.start()
        if self._dialling is not None:
            self._dialling.start()
        self._planning.start()
        self._housekeeping.start()

    def stop(self) -> None:
        """Takes nothing on any more; what waits goes back to the queue, calls are hung up."""
        self._started = False
        self._planning.stop()
        self._filling.stop()
        self._inbound.stop()
        self._housekeeping.stop()
        self._jobs.stop()
        if self._dialling is not None:
            self._dialling.stop()

    def look(self) -> None:
        """There may be work."""
        self._jobs.look()
        self._needs_modem()

    def came(self, serial: str) -> None:
        """A meter is on a line of its own."""
        self._jobs.came(serial)
        if self._started:
            self._filling.came(serial)
            self._inbound.came(serial)

    def modem_ready(self) -> None:
        """A modem can make a call."""
        if self._dialling is not None:
            self._dialling.ready()

    def _needs_modem(self) -> None:
        if self._dialling is not None:
            self._dialling.look()


def _freed(jobs: int | GatewayError) -> None:
    if isinstance(jobs, GatewayError):
        logger.warning("jobs of a gateway that was killed wait for the end of their lease: %s", jobs)
    elif jobs:
        logger.info("%d jobs of a gateway that was killed are taken up again", jobs)
