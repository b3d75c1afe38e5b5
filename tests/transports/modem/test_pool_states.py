"""What the pool notes in the store of its modems."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from tests.transports.office import Office


def test_others_see_how_a_modem_is_as_it_changes() -> None:
    office = Office(modems=2)
    ready = office.store.modems()
    assert [(one.name, one.state, one.operator, one.signal) for one in ready] == [
        ("m1", "ready", "SIMULATED NET", 18),
        ("m2", "ready", "SIMULATED NET", 18),
    ]
    office.call()
    office.wait(12)
    assert [(one.state, one.since_ms > ready[0].since_ms) for one in office.store.modems()] == [
        ("online", True),
        ("ready", False),
    ]


def test_modem_that_is_looked_after_is_ready_all_the_while_and_nothing_is_written() -> None:
    office = Office(watch=30.0)
    (before,) = office.store.modems()
    written = office.store.connection.raw.total_changes
    office.wait(300)
    assert office.store.modems() == [before]
    assert office.store.connection.raw.total_changes == written


def test_others_see_since_when_a_modem_is_out_of_service_why_and_when_it_is_tried_again() -> None:
    office = Office("sim_missing")
    (out,) = office.store.modems()
    assert (out.state, "no SIM is in it" in out.why) == ("out", True)
    assert out.next_ms == out.since_ms + 60_000
    office.wait(100)
    (again,) = office.store.modems()
    assert (again.state, again.since_ms) == ("out", out.since_ms)
    assert again.next_ms is not None
    assert again.next_ms > office.facilities.now_ms()


def test_others_see_that_a_port_is_away_and_since_when() -> None:
    office = Office(start=False)
    office.ports["/dev/m1"].unplug(200)
    office.pool.start()
    office.wait(1)
    (away,) = office.store.modems()
    office.wait(50)
    (still,) = office.store.modems()
    assert (away.state, still.state, still.since_ms) == ("waiting", "waiting", away.since_ms)
    assert still.next_ms is not None
    assert still.next_ms > office.facilities.now_ms()


def test_modem_of_a_gateway_that_ends_stays_known_as_it_was() -> None:
    office = Office("sim_missing")
    before = office.store.modems()
    Deferred.fromCoroutine(office.pool.stop())
    office.wait(1)
    assert office.state() == "over"
    assert office.store.modems() == before
