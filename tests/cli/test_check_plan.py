"""What `check-config` says of the plan."""

from __future__ import annotations

from gateway_server.store.records import MeterRecord
from tests.cli.desk import Desk

PLAN = """
[[modem]]
name = "m1"
port = "/dev/ttyUSB0"
operator = "MTS"
[[schedule]]
name = "night"
cron = "0 1 * * *"
window = "01:00-05:30"
groups = ["north"]
[[schedule]]
name = "typo"
cron = "5 * * * *"
groups = ["nroth"]
[[acceptance]]
windows = ["02:00-03:00"]
meters = ["999"]
[dialling]
operators = { "north" = "MTC" }
[completeness]
commissioned = { "77" = 2024-05-01 }
"""


def planned(desk: Desk) -> None:
    path = desk.folder / "gateway.toml"
    path.write_text(path.read_text() + PLAN)


def test_each_schedule_is_told_with_its_window_its_next_time_and_its_meters(desk: Desk) -> None:
    planned(desk)
    with desk.store() as store:
        store.put_meter(MeterRecord("1", group="north/a", time_zone="Asia/Yekaterinburg"))
        store.put_meter(MeterRecord("2", group="north/b"))
    checked = desk.run("check-config")
    assert checked.status == 0
    night = next(line for line in checked.out.splitlines() if line.startswith("schedule night"))
    assert "0 1 * * *, window 01:00-05:30" in night
    assert "in Asia/Yekaterinburg, 2 meters" in night
    assert "2014-05-03 01:00" in night
    assert "02:00-03:00 of 999" in checked.out
    assert "north is called by SIM cards of MTC" in checked.out


def test_what_leads_nowhere_is_noted_once_there_is_a_register(desk: Desk) -> None:
    planned(desk)
    desk.folder.joinpath("gateway.db").unlink(missing_ok=True)
    before = desk.run("check-config")
    assert (before.status, "note: " in before.err) == (0, False)
    assert "until it is due again" in before.out
    assert not desk.folder.joinpath("gateway.db").exists(), "looking makes no store"
    with desk.store() as store:
        store.put_meter(MeterRecord("2", group="north/b"))
    noted = desk.run("check-config").err
    for slip in (
        'schedule typo: no meter is in group "nroth"',
        "schedule typo: no meter in care is of it",
        'acceptance 1: meter "999" is not in the register',
        'dialling: operators "north" wants a SIM card of MTC; the modems have MTS',
        'completeness: commissioned "77" is not in the register',
    ):
        assert f"note: {slip}" in noted
    assert "schedule night:" not in noted
