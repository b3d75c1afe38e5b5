"""Why is this meter silent? The verdict in words, with its evidence and a next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from gateway_server.cli.moments import duration
from gateway_server.model import CallResult, MeterState, Outcome
from gateway_server.session.clock import MOST_DRIFT_S, advice, drift_in_words
from gateway_server.session.edge import CLOCK_DRIFT
from gateway_server.store.plan_records import PlanStop
from gateway_server.store.records import CallRecord, MeterRecord, SessionRecord, StoredReading

_CALLS_US = ("caller:", "ftp:")
_RECENT_MS = 26 * 3600 * 1000  # a daily meter with two hours of grace

_OURS = ("the gateway stops", "the reading was stopped", "the order was cancelled")

# What an outcome most likely means, and what to do about it.
_CAUSES: dict[Outcome, tuple[str, str]] = {
    Outcome.SILENT: (
        "the line was there, the meter did not answer",
        "check the speed and format of the modem's port and the meter's power; {show} has what was tried",
    ),
    Outcome.GARBLED: (
        "what came was not what its protocol says",
        "most often the parity or speed of the modem's port, or a meter of another kind; {show} has the bytes",
    ),
    Outcome.REFUSED: (
        "the meter understood and refused",
        "most often a wrong access code: `gateway-server meter add {serial} --password-file FILE`; else {show}",
    ),
    Outcome.UNKNOWN_METER: (
        "another meter answered, or one that nobody has claimed",
        "see `gateway-server meter list --state unclaimed`; if the meter was exchanged, add the new one",
    ),
    Outcome.LINE_LOST: (
        "the line could not be opened, or went away in the middle",
        "check the address or SIM card and the signal; what had arrived is kept, the next session goes on behind it",
    ),
    Outcome.GATEWAY_FAULT: (
        "the gateway itself failed, not the meter",
        "see the gateway's log, and {show}",
    ),
}


# What a call that reached nobody most likely means, and what to do about it (dossier A.3).
_CALLED: dict[CallResult, tuple[str, str]] = {
    CallResult.BUSY: (
        "its modem is in a call",
        "somebody else collects from it, or its modem hangs: ask who, or have it switched off and on",
    ),
    CallResult.NO_ANSWER: (
        "it rings, and nobody answers",
        "check its modem's power, its rings before answering (LIS-200: 2:720) and its call windows ([[acceptance]])",
    ),
    CallResult.NO_CARRIER: (
        "the modems did not come to terms, or the network gave up",
        "check the signal at both ends; try another bearer ([[modem]] `bearers`)",
    ),
    CallResult.NO_DIALTONE: (
        "our modem had no network",
        "check the modem's antenna and SIM card: `gateway-server call list` shows whether others fail too",
    ),
    CallResult.BARRED: (
        "the network refused the call at once",
        "our SIM card has no data service, no credit or the wrong bearer: `gateway-server call list` has the cause",
    ),
    CallResult.WRONG_NUMBER: (
        "the network knows no such number, or another meter answers at it",
        (
            "put the right number into the register: `gateway-server meter add {serial} --route csd:NUMBER"
            " --drop-route csd:OLD`"
        ),
    ),
    CallResult.DELAYED: ("our modem's redial guard held the call back", "it is called again by itself"),
    CallResult.OVER_BUDGET: (
        "the call was hung up because it lasted too long",
        "look where the time went with `gateway-server session show {session}`; [dialling] `longest_call` is the limit",
    ),
    CallResult.MODEM_FAULT: ("our modem failed, not the meter", "see the gateway's log; the meter is called again"),
    CallResult.INTERRUPTED: ("the gateway was stopped during the call", "it is called again by itself"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a meter stands: ``verdict`` in words, what proves it, and what to do next (empty when nothing)."""

    well: bool
    verdict: str
    evidence: str = ""
    next_step: str = ""


def standing(
    meter: MeterRecord,
    sessions: Sequence[SessionRecord],
    now_ms: int,
    calls: Sequence[CallRecord] = (),
    stop: PlanStop | None = None,
) -> Standing:
    """The verdict on a meter. ``sessions`` and ``calls`` are its last ones, the newest first; ``stop`` says why it is
    not called any more."""
    serial = meter.serial
    if meter.state is MeterState.DISABLED:
        return Standing(
            False, "switched off by the operator", "", f"`gateway-server meter add {serial}` switches it on"
        )
    if meter.state is MeterState.UNCLAIMED:
        evidence = f"{len(sessions)} sessions kept" if sessions else ""
        return Standing(
            False,
            "it called, but nobody has claimed it; its bytes are kept",
            evidence,
            f"`gateway-server meter claim {serial}` takes it into care and reads what was kept",
        )
    if stop is not None:
        return _stopped(meter, stop, calls, now_ms)
    ended = [session for session in sessions if session.outcome not in (None, Outcome.IDLE)]
    unreached = _unreached(calls, sessions)
    if unreached:
        return _called(meter, unreached, sessions, now_ms)
    if not sessions:
        return _never(meter)
    if not ended and any(session.outcome is Outcome.IDLE for session in sessions):
        step = f"`gateway-server read {serial}` asks now"
        return Standing(True, "its modem keeps the line open; nobody asked lately", f"session {sessions[0].id}", step)
    if not ended:
        now = sessions[0]
        since = duration(max(now_ms - now.started_ms, 0))
        evidence = f"session {now.id} over {now.transport} {now.remote}, begun {since} ago"
        return Standing(
            True,
            "a session is open, its first one",
            evidence,
            f"`gateway-server session show {now.id}` has what was said so far",
        )
    last = ended[0]
    minutes = max(now_ms - (last.ended_ms or last.started_ms), 0) // 60_000
    ago = duration(minutes * 60_000) if minutes else "less than a minute"
    if last.outcome in (Outcome.READ, Outcome.PARTIAL):
        return _reading(last, ago, now_ms)
    return _failing(meter, last, ended, ago)


def clock(serial: str, last: Sequence[StoredReading], now_ms: int) -> str:
    """What is known of a meter's clock from its newest readings, and what to do if it is off; empty if nothing."""
    known = max((one for one in last if one.quantity == CLOCK_DRIFT), key=lambda one: one.received_at_ms, default=None)
    if known is None:
        return ""
    try:
        drift = Decimal(known.value)
    except InvalidOperation:
        return ""
    minutes = max(now_ms - known.received_at_ms, 0) // 60_000
    ago = duration(minutes * 60_000) if minutes else "less than a minute"
    said = f"{drift_in_words(drift)}, {ago} ago"
    return said if abs(drift) <= MOST_DRIFT_S else f"{said}: {advice(drift).replace('SERIAL', serial)}"


def _unreached(calls: Sequence[CallRecord], sessions: Sequence[SessionRecord]) -> list[CallRecord]:
    """The last calls in a row that reached nobody, if nothing was heard of the meter since.

    Every call has a session, which holds the modem's dialogue; those of such calls are no word of the meter's.
    """
    own = {call.session for call in calls if call.result in _CALLED}
    heard_ms = max((session.started_ms for session in sessions if session.id not in own), default=0)
    failed = []
    for call in calls:
        if call.result is None:
            continue
        if call.inbound or call.result not in _CALLED or call.started_ms < heard_ms:
            break
        failed.append(call)
    return failed


def _called(
    meter: MeterRecord, failed: Sequence[CallRecord], sessions: Sequence[SessionRecord], now_ms: int
) -> Standing:
    last = failed[0]
    assert last.result is not None
    cause, step = _CALLED[last.result]
    alike = 0
    for call in failed:
        if call.result is not last.result:
            break
        alike += 1
    times = f", {alike} times in a row" if alike > 1 else ""
    ago = duration(max(now_ms - (last.ended_ms or last.started_ms), 0) // 60000 * 60000)
    good = next((session for session in sessions if session.outcome in (Outcome.READ, Outcome.PARTIAL)), None)
    return Standing(
        False,
        f"{last.result.value}{times}: {cause}",
        f"call {last.id} by modem {last.modem}, {ago} ago"
        + (f", cause {last.cause}" if last.cause else "")
        + (f": {last.detail}" if last.detail else "")
        + (f"; by modems {', '.join(sorted(modems))}" if len(modems := {call.modem for call in failed}) > 1 else "")
        + (f"; last good session {good.id}" if good else ""),
        step.format(serial=meter.serial, session=last.session),
    )


def _stopped(meter: MeterRecord, stop: PlanStop, calls: Sequence[CallRecord], now_ms: int) -> Standing:
    ago = duration(max(now_ms - stop.since_ms, 0) // 60000 * 60000)
    last = next((call for call in calls if call.result is stop.result), None)
    step = (
        f"put the right number into the register: `gateway-server meter add {meter.serial} --route csd:NUMBER"
        " --drop-route csd:OLD`"
        if stop.result is CallResult.WRONG_NUMBER
        else "ask the SIM's operator for its data service and credit; look at the meter's number in the register"
        if stop.result is CallResult.BARRED
        else f"give it the right access code: `gateway-server meter add {meter.serial} --password-file FILE`"
    )
    until = "until somebody acts"
    if stop.until_ms is not None:
        until = f"for {duration(max(stop.until_ms - now_ms, 0) // 60000 * 60000)}"
    return Standing(
        False,
        f"{stop.result.value}: nobody calls it any more {until}",
        f"since {ago}: {stop.detail}" + (f"; call {last.id} by modem {last.modem}" if last else ""),
        f"{step}; or `gateway-server call resume {meter.serial}`",
    )


def _never(meter: MeterRecord) -> Standing:
    if not meter.routes:
        step = f"give it a way: `gateway-server meter add {meter.serial} --route ROUTE`"
        return Standing(False, "never seen, and no route leads to it", "", step)
    if _only_calls(meter):
        step = "check that its modem is set to our address and port, and registers with exactly this name"
        return Standing(False, "it never called", f"expected as {', '.join(meter.routes)}", step)
    return Standing(False, "never tried", "", f"`gateway-server read {meter.serial}` tries now")


def _reading(last: SessionRecord, ago: str, now_ms: int) -> Standing:
    evidence = f"session {last.id}, {ago} ago, {last.readings} readings"
    if now_ms - last.started_ms > _RECENT_MS:
        step = f"`gateway-server read {last.meter}` asks now; a meter that calls us: check its modem and power"
        return Standing(False, f"nothing for {ago}; the last session was good", evidence, step)
    if last.outcome is Outcome.PARTIAL:
        return Standing(True, f"read in part: {last.detail}" if last.detail else "read in part", evidence)
    return Standing(True, "read", evidence)


def _failing(meter: MeterRecord, last: SessionRecord, ended: Sequence[SessionRecord], ago: str) -> Standing:
    assert last.outcome is not None
    if last.outcome is Outcome.UNKNOWN_METER and f"meter claim {meter.serial}`" in last.detail:
        step = "it is read when it calls again" if _only_calls(meter) else f"`gateway-server read {meter.serial}`"
        return Standing(
            True, "in care now; its last session was before somebody claimed it", f"session {last.id}", step
        )
    cause, step = _CAUSES[last.outcome]
    if last.outcome is Outcome.LINE_LOST and last.detail.startswith(_OURS):
        cause, step = "our side ended it, not the meter", f"`gateway-server read {meter.serial}`"
    in_a_row = 0
    for session in ended:
        if session.outcome is not last.outcome:
            break
        in_a_row += 1
    times = f", {in_a_row} times in a row" if in_a_row > 1 else ""
    good = next((session for session in ended if session.outcome in (Outcome.READ, Outcome.PARTIAL)), None)
    since = f"; last good session {good.id}" if good else ""
    detail = f": {last.detail}" if last.detail else ""
    return Standing(
        False,
        f"{last.outcome.value}{times}: {cause}",
        f"session {last.id} over {last.transport} {last.remote}, {ago} ago, {last.bytes_received} bytes received"
        f"{detail}{since}",
        step.format(show=f"`gateway-server session show {last.id}`", serial=meter.serial),
    )


def _only_calls(meter: MeterRecord) -> bool:
    return all(route.startswith(_CALLS_US) for route in meter.routes)
