from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway_server.errors import OperatorError, UnknownMeter
from gateway_server.model import Identify, LastRow, MeterState, Quality
from gateway_server.store.callers import CallerContact, KnownCaller
from gateway_server.store.records import Filter, MeterRecord
from gateway_server.store.sql import SqlStore
from tests.store.samples import HOUR, NOON, OPENING, entry, hour, known_session

BOILER_HOUSE = MeterRecord(
    "41203377",
    name="Котельная №5",
    codec="lis200",
    routes=("tcp:10.0.0.5:8000", "caller:352099001761481"),
    group="North/Riverside",
    address="12",
)


def test_a_meter_comes_back_as_it_was_put(store: SqlStore) -> None:
    store.put_meter(BOILER_HOUSE)
    stored = store.meter("41203377")
    assert stored is not None
    assert replace(stored, id=0) == BOILER_HOUSE
    assert store.meters() == [stored]


def test_a_meter_put_again_is_replaced_with_its_routes(store: SqlStore) -> None:
    store.put_meter(BOILER_HOUSE)
    store.put_meter(replace(BOILER_HOUSE, name="Boiler house", routes=("csd:+7",)))
    stored = store.meter("41203377")
    assert stored is not None
    assert (stored.name, stored.routes) == ("Boiler house", ("csd:+7",))
    assert store.meter_at("tcp:10.0.0.5:8000") is None


def test_a_route_leads_to_its_meter_and_to_no_second_one(store: SqlStore) -> None:
    store.put_meter(BOILER_HOUSE)
    found = store.meter_at("caller:352099001761481")
    assert found is not None
    assert found.serial == "41203377"
    with pytest.raises(OperatorError, match=r"tcp:10\.0\.0\.5:8000 already leads to meter 41203377"):
        store.put_meter(MeterRecord("2", routes=("tcp:10.0.0.5:8000",)))
    assert store.meter("2") is None


def test_an_import_with_one_bad_meter_changes_nothing(store: SqlStore) -> None:
    with pytest.raises(OperatorError):
        store.put_meters([(BOILER_HOUSE, None), (MeterRecord("2", routes=BOILER_HOUSE.routes), None)])
    assert store.meters() == []


def test_serial_numbers_are_one_without_their_leading_zeros(store: SqlStore) -> None:
    store.put_meter(MeterRecord("0041203377"))
    found = store.meter("41203377")
    assert found is not None
    assert found.serial == "0041203377"
    store.put_meter(MeterRecord("41203377", name="the same"))
    assert [(meter.serial, meter.name) for meter in store.meters()] == [("0041203377", "the same")]


def test_the_very_serial_number_goes_before_one_with_other_zeros(store: SqlStore) -> None:
    for serial in ("007", "7"):
        store.connection.execute(
            "INSERT INTO meter (serial, serial_core, time_zone, gas_day_start, state) VALUES (?, '7', 'UTC', '10:00',"
            " 'active')",
            (serial,),
        )
    assert [meter.serial for serial in ("7", "007", "07") if (meter := store.meter(serial))] == ["7", "007", "007"]


def test_a_meter_nobody_knows_is_registered_as_unclaimed(store: SqlStore) -> None:
    key = store.open_session(OPENING)
    told = store.identify(key, Identify("555", "Elster", "EK270", "1.15"), NOON)
    assert told.state is MeterState.UNCLAIMED
    assert store.identify(key, Identify("555", software_version="1.16"), NOON + 5) == store.meter("555")
    (meter,) = store.meters(Filter(states=("unclaimed",)))
    assert (meter.manufacturer, meter.model, meter.software_version) == ("Elster", "EK270", "1.16")
    assert (meter.first_contact_ms, meter.last_contact_ms) == (NOON, NOON + 5)
    session = store.session(key.id)
    assert session is not None
    assert session.meter == "555"


def test_a_known_meter_that_says_who_it_is_stays_as_the_operator_wants_it(store: SqlStore) -> None:
    store.put_meter(BOILER_HOUSE)
    told = store.identify(store.open_session(OPENING), Identify("0041203377", "Elster", "EK270"), NOON)
    assert (told.serial, told.state, told.name) == ("41203377", MeterState.ACTIVE, BOILER_HOUSE.name)
    assert told.model == "EK270"


def test_a_caller_who_never_says_his_number_is_kept_until_he_is_claimed(store: SqlStore) -> None:
    key = store.open_session(OPENING)
    told = store.caller_contact(key, "356895", NOON)
    assert (told.serial, told.state, told.routes) == ("caller:356895", MeterState.UNCLAIMED, ("caller:356895",))
    assert store.caller_contact(store.open_session(OPENING), "356895", NOON + 9).id == told.id
    store.save(key, told.serial, [hour(1)])
    store.remember(told.serial, "parity", "even")

    claimed = store.claim("caller:356895", replace(told, serial="41203377", name="Boiler house"))

    assert (claimed.serial, claimed.state, claimed.name) == ("41203377", MeterState.ACTIVE, "Boiler house")
    assert claimed.routes == ("caller:356895",)
    assert [session.meter for session in store.sessions(Filter(serials=("41203377",)))] == ["41203377"] * 2
    assert [row.meter for row in store.rows()] == ["41203377"]
    assert store.meter("caller:356895") is None


def test_all_that_call_at_the_same_time_are_found_together(store: SqlStore) -> None:
    store.put_meters(
        [(MeterRecord(f"{number:06d}", codec="lis200", routes=(f"caller:{number}",)), None) for number in range(200)]
    )
    keys = [store.open_session(OPENING) for _ in range(203)]
    callers = [*map(str, range(200)), "unheard of", "7", "unheard of"]
    calls = zip(keys, callers, range(NOON, NOON + 203), strict=True)
    told, numbers = store.callers([CallerContact(*call) for call in calls])
    assert [meter.serial for meter in told[:200]] == [f"{number:06d}" for number in range(200)]
    assert [meter.serial for meter in told[200:]] == ["caller:unheard of", "000007", "caller:unheard of"]
    assert told[7] == KnownCaller("000007", "lis200", "", MeterState.ACTIVE)
    assert told[200].state is MeterState.UNCLAIMED
    assert numbers[200] == numbers[202]
    store.note_callers(dict(zip(keys, zip(numbers, callers, strict=True), strict=True)))
    again = store.meter("000007")
    assert again is not None
    assert (again.first_contact_ms, again.last_contact_ms) == (NOON + 201, NOON + 201)
    sessions = list(store.sessions(Filter(serials=("000007",))))
    assert [(session.id, session.caller) for session in sessions] == [(keys[7].id, "7"), (keys[201].id, "7")]


def test_a_caller_claimed_as_a_meter_of_the_register_brings_its_sessions_and_route(store: SqlStore) -> None:
    store.put_meter(BOILER_HOUSE, "00000000")
    theirs = known_session(store)
    store.save(theirs, "41203377", [hour(1)])
    key = store.open_session(OPENING)
    unknown = store.caller_contact(key, "356895", NOON - 1)
    store.save(key, unknown.serial, [hour(1, "5"), hour(2)], [])
    store.remember(unknown.serial, "parity", "even")

    claimed = store.claim(unknown.serial, replace(unknown, serial="41203377"))

    assert (claimed.name, claimed.group, claimed.address) == ("Котельная №5", "North/Riverside", "12")
    assert claimed.routes == ("caller:356895", "tcp:10.0.0.5:8000", "caller:352099001761481")
    assert claimed.first_contact_ms == NOON - 1
    assert [row.row for row in store.rows()] == [hour(1), hour(2)]
    assert len(list(store.sessions(Filter(serials=("41203377",))))) == 2
    known = store.known_meter("41203377")
    assert known.memory == {"parity": "even"}
    assert known.access_code == "00000000"
    assert len(store.meters()) == 1


def test_caller_who_says_its_number_later_is_one_unclaimed_meter_known_by_both(store: SqlStore) -> None:
    key = store.open_session(OPENING)
    store.caller_contact(key, "356895", NOON)
    store.identify(key, Identify("41203377", "Elster", "EK270"), NOON + 5)
    (meter,) = store.meters()
    assert (meter.serial, meter.state, meter.routes) == ("41203377", MeterState.UNCLAIMED, ("caller:356895",))
    assert [session.meter for session in store.sessions()] == ["41203377"]
    assert store.caller_contact(store.open_session(OPENING), "356895", NOON + 9).serial == "41203377"


def test_meter_in_care_that_calls_as_somebody_new_is_known_by_that_too_behind_its_own_routes(store: SqlStore) -> None:
    store.put_meter(BOILER_HOUSE)
    key = store.open_session(OPENING)
    store.caller_contact(key, "999", NOON)
    told = store.identify(key, Identify("41203377", "Elster", "EK270"), NOON + 5)
    assert [meter.serial for meter in store.meters()] == ["41203377"]
    assert told.routes == (*BOILER_HOUSE.routes, "caller:999")
    assert store.caller_contact(store.open_session(OPENING), "999", NOON + 9).serial == "41203377"
    assert {session.meter for session in store.sessions()} == {"41203377"}


def test_meter_that_is_claimed_after_it_said_its_number_keeps_the_callers_route(store: SqlStore) -> None:
    key = store.open_session(OPENING)
    store.caller_contact(key, "356895", NOON)
    store.identify(key, Identify("41203377"), NOON + 5)
    known = store.meter("41203377")
    assert known is not None
    assert store.claim("41203377", replace(known, name="Boiler house")).routes == ("caller:356895",)


def test_callers_name_of_another_meter_in_care_stays_there(store: SqlStore) -> None:
    store.put_meter(BOILER_HOUSE)
    key = store.open_session(OPENING)
    assert store.caller_contact(key, "352099001761481", NOON).serial == "41203377"
    told = store.identify(key, Identify("555"), NOON + 5)
    assert (told.serial, told.routes) == ("555", ())
    stored = store.meter("41203377")
    assert stored is not None
    assert stored.routes == BOILER_HOUSE.routes


def test_callers_name_goes_with_the_modem_from_one_unclaimed_meter_to_the_next(store: SqlStore) -> None:
    for serial in ("555", "556"):
        key = store.open_session(OPENING)
        store.caller_contact(key, "356895", NOON)
        store.identify(key, Identify(serial), NOON)
    assert [(meter.serial, meter.routes) for meter in store.meters()] == [("555", ()), ("556", ("caller:356895",))]
    assert [session.meter for session in store.sessions()] == ["555", "556"]


def test_only_unclaimed_meters_are_claimed_and_only_under_a_meters_number(store: SqlStore) -> None:
    store.put_meter(BOILER_HOUSE)
    with pytest.raises(OperatorError, match="is active, not unclaimed"):
        store.claim("41203377")
    store.caller_contact(store.open_session(OPENING), "x", NOON)
    with pytest.raises(OperatorError, match="never said its serial number"):
        store.claim("caller:x")
    with pytest.raises(UnknownMeter, match="meter 99 is not in the register"):
        store.claim("99")


def test_a_meter_is_switched_off(store: SqlStore) -> None:
    store.put_meter(BOILER_HOUSE)
    store.set_meter_state("41203377", MeterState.DISABLED)
    assert [meter.serial for meter in store.meters(Filter(states=("disabled",)))] == ["41203377"]


def test_what_a_session_learnt_of_a_meter_is_known_in_the_next_one(store: SqlStore) -> None:
    store.put_meter(replace(BOILER_HOUSE, time_zone="Asia/Yekaterinburg"), "lock2:12345678")
    key = known_session(store)
    store.remember("41203377", "parity", "even")
    store.remember("41203377", "parity", "none")
    store.save(key, "41203377", [hour(5), hour(5, archive="daily", order_number=None)])
    known = store.known_meter("0041203377")
    assert known.serial == "41203377"
    assert (known.claimed, known.address, known.access_code) == (True, "12", "lock2:12345678")
    assert known.memory == {"parity": "none"}
    # 2023-11-14T22:13:20Z + 5 h, five hours ahead of UTC
    there = datetime(2023, 11, 15, 8, 13, 20)  # the meter's own clock has no zone
    assert known.zone == ZoneInfo("Asia/Yekaterinburg")
    assert known.last == {"interval": LastRow(5, there), "daily": LastRow(None, there)}


def test_the_newest_event_is_where_the_next_reading_of_the_event_log_goes_on(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, "41203377", [hour(5)], [entry(1), entry(3), entry(2)])
    newest = entry(3)
    last = store.known_meter("41203377").last
    assert set(last) == {"interval", "events"}
    assert last["events"].order_number == newest.order_number
    store.save(key, "41203377", [], [entry(4)._replace(order_number=None, quality=Quality.CLOCK_OFF)])
    assert store.known_meter("41203377").last["events"] == LastRow(None, None)


def test_a_time_that_cannot_be_true_is_not_where_the_next_reading_goes_on(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, "41203377", [hour(5, measured_at_ms=NOON * 2, quality=Quality.CLOCK_OFF)])
    assert store.known_meter("41203377").last == {"interval": LastRow(5, None)}


def test_a_meter_that_is_not_in_the_register_is_not_known(store: SqlStore) -> None:
    for verb in (store.known_meter, lambda serial: store.remember(serial, "a", "b")):
        with pytest.raises(UnknownMeter, match="meter add 1"):
            verb("1")


def test_access_codes_lie_encrypted_and_are_never_shown(store: SqlStore) -> None:
    store.put_meter(BOILER_HOUSE, "87654321")
    (sealed,) = store.connection.one("SELECT access_code FROM meter")
    assert b"87654321" not in sealed
    stored = store.meter("41203377")
    assert stored is not None
    assert stored.has_access_code
    assert "87654321" not in repr(stored) + repr(store.known_meter("41203377"))


def test_an_access_code_stays_until_it_is_replaced_or_removed(store: SqlStore) -> None:
    store.put_meter(BOILER_HOUSE, "1")
    store.put_meter(BOILER_HOUSE)
    assert store.known_meter("41203377").access_code == "1"
    store.put_meter(BOILER_HOUSE, "")
    assert store.known_meter("41203377").access_code == ""


def test_an_access_code_copied_to_another_meter_does_not_open(store: SqlStore) -> None:
    store.put_meter(BOILER_HOUSE, "1")
    store.put_meter(MeterRecord("2"))
    store.connection.execute("UPDATE meter SET access_code = (SELECT access_code FROM meter WHERE serial <> '2')")
    with pytest.raises(OperatorError, match="meter 2: its access code does not decrypt"):
        store.known_meter("2")


@pytest.mark.parametrize("words", ["котельная", "котел", "41203", "North", "River Котел", '"', "north OR south"])
def test_a_search_finds_words_and_their_beginnings(store: SqlStore, words: str) -> None:
    store.put_meter(BOILER_HOUSE)
    store.put_meter(MeterRecord("9", name="School"))
    found = [meter.serial for meter in store.meters(Filter(search=words))]
    assert found == ([] if words in ('"', "north OR south") else ["41203377"])


def test_a_search_follows_what_the_operator_changes(store: SqlStore) -> None:
    store.put_meter(BOILER_HOUSE)
    store.put_meter(replace(BOILER_HOUSE, name="School"))
    assert store.meters(Filter(search="котельная")) == []
    assert len(store.meters(Filter(search="school"))) == 1


def test_meters_are_listed_by_whom_and_when(store: SqlStore) -> None:
    for number in range(3):
        store.identify(store.open_session(OPENING), Identify(f"{number + 1}"), NOON + number * HOUR)
    store.put_meter(MeterRecord("4"))
    listed = {
        name: [meter.serial for meter in store.meters(wanted)]
        for name, wanted in {
            "all": Filter(),
            "one": Filter(serials=("002", "77")),
            "lately": Filter(since_ms=NOON + HOUR),
            "newest": Filter(newest_first=True, limit=2),
            "none": Filter(serials=("77",)),
        }.items()
    }
    assert listed == {"all": ["1", "2", "3", "4"], "one": ["2"], "lately": ["2", "3"], "newest": ["3", "2"], "none": []}
