"""``meter``: the register as operators use it."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from gateway_server.model import Outcome
from gateway_server.store.passwords import verified
from gateway_server.store.records import MeterRecord, SessionOpening
from tests.cli.desk import SIGN_ON_MS, TALK, Desk, row

# The contract's fields of a meter, in its order.
FIELDS = "serial, name, codec, profile, routes, time_zone, gas_day_start, state, last_contact"


def serials(desk: Desk, *filters: str) -> list[str]:
    return [meter["serial"] for meter in desk.run("meter", "list", "--json", *filters).json]


def test_json_has_the_contracts_fields(desk: Desk) -> None:
    desk.hold_session()
    (meter,) = desk.run("meter", "list", "--json").json
    assert list(meter)[:9] == FIELDS.split(", ")
    assert meter["routes"] == ["tcp:10.8.0.17:4001"]
    assert meter["last_contact"] == "2014-05-02T06:00:00Z"
    assert (meter["state"], meter["time_zone"], meter["gas_day_start"]) == ("active", "Europe/Moscow", "10:00")


def test_meter_is_added_with_everything_the_contract_names(desk: Desk) -> None:
    code = desk.folder / "code"
    code.write_text("00000000\n")
    code.chmod(0o600)
    options = (
        "--name", "Bakery", "--codec", "lis200", "--profile", "ek270", "--route", "caller:356938035643809",
        "--route", "serial:/dev/ttyACM0:19200:8N1", "--group", "north/bread", "--time-zone", "Asia/Yekaterinburg",
        "--gas-day-start", "08:00", "--password-file", str(code),
    )  # fmt: skip
    assert desk.run("meter", "add", "20511893", *options).status == 0
    with desk.store() as store:
        meter = store.meter("20511893")
        assert meter is not None
        assert (meter.name, meter.codec, meter.profile) == ("Bakery", "lis200", "ek270")
        assert meter.routes == ("caller:356938035643809", "serial:/dev/ttyACM0:19200:8N1")
        assert (meter.group, meter.time_zone, meter.gas_day_start) == ("north/bread", "Asia/Yekaterinburg", "08:00")
        assert store.known_meter("20511893").access_code == "00000000"
    shown = desk.run("meter", "show", "20511893")
    assert "00000000" not in shown.out
    assert "stored, encrypted" in shown.out


def test_meter_on_a_bus_has_an_address_and_keeps_it(desk: Desk) -> None:
    assert desk.run("meter", "add", "20511893", "--address", "5").status == 0
    assert desk.run("meter", "add", "20511893", "--name", "Bakery").status == 0
    with desk.store() as store:
        assert store.known_meter("20511893").address == "5"


def test_adding_a_known_meter_changes_only_what_is_said(desk: Desk) -> None:
    ran = desk.run("meter", "add", "41203377", "--route", "caller:1", "--drop-route", "tcp:10.8.0.17:4001")
    assert "changed" in ran.out
    (meter,) = desk.run("meter", "list", "--json").json
    assert (meter["name"], meter["routes"]) == ("Boiler house 4", ["caller:1"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("4 5",), "serial number"),
        (("9", "--route", "tcp:10.8.0.17"), "tcp:10.8.0.17"),
        (("9", "--route", "tcp:10.8.0.17:4001"), "41203377"),
        (("9", "--codec", "gas"), "lis200"),
        (("9", "--time-zone", "Moscow"), "Europe/Moscow"),
        (("9", "--password-file", "none"), "none"),
        (("9", "--drop-route", "caller:1"), "no route"),
    ],
)
def test_meter_that_cannot_be_added_says_why_and_is_not_there(
    desk: Desk, arguments: tuple[str, ...], said: str
) -> None:
    ran = desk.run("meter", "add", *arguments)
    assert ran.status == 2
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert serials(desk) == ["41203377"]


def test_disabled_meter_is_switched_on_by_adding_it_again(desk: Desk) -> None:
    assert desk.run("meter", "disable", "41203377").status == 0
    assert serials(desk, "--state", "disabled") == ["41203377"]
    desk.run("meter", "add", "41203377")
    assert serials(desk, "--state", "active") == ["41203377"]


def test_filters_narrow_the_list(desk: Desk) -> None:
    with desk.store() as store:
        store.put_meter(MeterRecord("20511893", "Bakery", group="north/bread"))
        store.put_meter(MeterRecord("20511894", "Mill", group="northern"))
    assert serials(desk, "--group", "north") == ["20511893"]
    assert serials(desk, "--meter", "20511894") == ["20511894"]
    assert serials(desk, "--search", "bak") == ["20511893"]
    assert len(serials(desk, "--limit", "2")) == 2


def test_show_says_why_a_meter_is_silent_and_what_to_do(desk: Desk) -> None:
    for hour in range(3):
        desk.hold_session(TALK[:2], outcome=Outcome.SILENT, detail="3 requests", started_ms=SIGN_ON_MS + hour)
    out = desk.run("meter", "show", "41203377").out
    assert "silent, 3 times in a row" in out
    assert "session show 3" in out
    stands = desk.run("meter", "show", "41203377", "--json").json["standing"]
    assert not stands["well"]
    assert "3 requests" in stands["evidence"]


def test_show_has_last_readings_and_sessions(desk: Desk) -> None:
    desk.hold_session(rows=(row(640, SIGN_ON_MS, "882066.6309", "12.9437"),))
    document = desk.run("meter", "show", "41203377", "--json").json
    assert [reading["value"] for reading in document["last_readings"]] == ["882066.6309", "12.9437"]
    assert document["last_sessions"][0]["outcome"] == "read"
    assert "882066.6309" in desk.run("meter", "show", "41203377").out


def test_meter_that_nobody_knows_is_an_error_that_helps(desk: Desk) -> None:
    for verb in ("show", "disable", "claim"):
        ran = desk.run("meter", verb, "999")
        assert ran.status == 2
        assert "meter add 999" in ran.err


def test_unclaimed_meter_is_listed_and_claimed_with_its_kept_bytes(desk: Desk) -> None:
    desk.hold_session(serial="55500001", outcome=Outcome.UNKNOWN_METER)
    assert serials(desk, "--state", "unclaimed") == ["55500001"]
    assert desk.run("meter", "add", "55500001").status == 2
    ran = desk.run("meter", "claim", "55500001", "--name", "Found")
    assert ran.status == 0
    assert "1 sessions were kept" in ran.out
    readings = desk.run("reading", "list", "--json", "--meter", "55500001").json
    assert "882066.6309" in [reading["value"] for reading in readings]
    assert {reading["session"] for reading in readings} == {1}
    assert serials(desk, "--state", "unclaimed") == []


def test_caller_that_never_said_its_number_is_claimed_with_one(desk: Desk) -> None:
    with desk.store() as store:
        key = store.open_session(SessionOpening("tcp", "10.0.0.9:1", SIGN_ON_MS, caller="356938035643809"))
        store.caller_contact(key, "356938035643809", SIGN_ON_MS)
    assert serials(desk, "--state", "unclaimed") == ["caller:356938035643809"]
    assert desk.run("meter", "claim", "caller:356938035643809", "--serial", "777").status == 0
    assert desk.run("meter", "show", "777", "--json").json["routes"] == ["caller:356938035643809"]


def sheet(folder: Path, text: str, encoding: str = "utf-8") -> str:
    path = folder / "meters.csv"
    path.write_bytes(text.encode(encoding))
    return str(path)


def test_sheet_is_imported_with_a_verdict_for_every_row(desk: Desk) -> None:
    path = sheet(desk.folder, "serial;name;imei\n20511893;Bakery;356938035643809\n41203377;Boiler house 5;\n")
    ran = desk.run("meter", "import", path, "--json")
    assert ran.status == 0
    assert [(one["row"], one["serial"], one["verdict"]) for one in ran.json] == [
        (2, "20511893", "add"),
        (3, "41203377", "change"),
    ]
    assert "name: Boiler house 4 → Boiler house 5" in ran.json[1]["reason"]
    assert desk.run("meter", "show", "20511893", "--json").json["routes"] == ["caller:356938035643809"]


def test_one_bad_row_stops_the_whole_sheet_unless_partial(desk: Desk) -> None:
    path = sheet(desk.folder, "serial,route\n1001,tcp:10.0.0.1:4001\n1002,nonsense\n")
    ran = desk.run("meter", "import", path)
    assert ran.status == 1
    assert "nothing was written" in ran.err
    assert serials(desk) == ["41203377"]
    assert desk.run("meter", "import", path, "--partial").status == 1
    assert sorted(serials(desk)) == ["1001", "41203377"]


def test_dry_run_writes_nothing(desk: Desk) -> None:
    ran = desk.run("meter", "import", sheet(desk.folder, "serial\n1001\n"), "--dry-run")
    assert ran.status == 0
    assert "add" in ran.out
    assert serials(desk) == ["41203377"]


def test_excel_workbook_is_imported(desk: Desk) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["Заводской номер", "Потребитель"])
    page.append([20511893, "Хлебозавод"])
    book.save(desk.folder / "meters.xlsx")
    assert desk.run("meter", "import", "meters.xlsx").status == 0
    assert desk.run("meter", "show", "20511893", "--json").json["name"] == "Хлебозавод"


def password_file(desk: Desk, password: str, mode: int = 0o600) -> str:
    path = desk.folder / "upload-password"
    path.write_text(password + "\n")
    path.chmod(mode)
    return str(path)


def test_password_of_the_upload_account_is_kept_as_a_hash_for_every_ftp_route(desk: Desk) -> None:
    given = ("--route", "ftp:boiler4", "--route", "ftp:boiler4b", "--ftp-password-file", password_file(desk, "s3cret"))
    assert desk.run("meter", "add", "41203377", *given).status == 0
    with desk.store() as store:
        for login in ("boiler4", "boiler4b"):
            account = store.upload_account(login)
            assert account is not None
            assert account.serial == "41203377"
            assert verified(account.secret, "s3cret")
    shown = desk.run("meter", "show", "41203377")
    assert "upload account  boiler4 (password stored as a hash), boiler4b (password stored as a hash)" in shown.out
    assert "s3cret" not in shown.out
    assert "argon2" not in shown.out


def test_upload_account_without_a_password_says_what_is_missing(desk: Desk) -> None:
    desk.run("meter", "add", "41203377", "--route", "ftp:boiler4")
    assert "boiler4 (no password yet: --ftp-password-file)" in desk.run("meter", "show", "41203377").out


def test_upload_password_without_an_upload_account_changes_nothing(desk: Desk) -> None:
    ran = desk.run("meter", "add", "41203377", "--name", "other", "--ftp-password-file", password_file(desk, "s3cret"))
    assert ran.status == 2
    assert "name one with --route ftp:LOGIN" in ran.err
    (meter,) = desk.run("meter", "list", "--json").json
    assert meter["name"] == "Boiler house 4"


def test_upload_password_that_others_can_read_is_refused(desk: Desk) -> None:
    given = ("--route", "ftp:boiler4", "--ftp-password-file", password_file(desk, "s3cret", 0o644))
    ran = desk.run("meter", "add", "41203377", *given)
    assert ran.status == 2
    assert "can be read by others" in ran.err


def test_upload_password_goes_with_its_route(desk: Desk) -> None:
    desk.run("meter", "add", "41203377", "--route", "ftp:b4", "--ftp-password-file", password_file(desk, "s3cret"))
    desk.run("meter", "add", "41203377", "--drop-route", "ftp:b4")
    desk.run("meter", "add", "20511893", "--route", "ftp:b4")
    with desk.store() as store:
        account = store.upload_account("b4")
        assert account is not None
        assert (account.serial, account.secret) == ("20511893", "")


def test_claimed_meter_gets_its_upload_account_at_once(desk: Desk) -> None:
    with desk.store() as store:
        store.caller_contact(store.open_session(SessionOpening("tcp", "10.8.0.9:1", SIGN_ON_MS)), "77", SIGN_ON_MS)
    given = ("--serial", "555", "--route", "ftp:b5", "--ftp-password-file", password_file(desk, "s3cret"))
    assert desk.run("meter", "claim", "caller:77", *given).status == 0
    with desk.store() as store:
        account = store.upload_account("b5")
        assert account is not None
        assert verified(account.secret, "s3cret")
