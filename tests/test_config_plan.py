"""The plan as the operator writes it."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from gateway_server.config import Config, load_config
from gateway_server.errors import OperatorError
from gateway_server.scheduler.completeness import Terms
from gateway_server.scheduler.duty import DutyTerms
from gateway_server.scheduler.night import Limits
from gateway_server.scheduler.obligations import Budget
from gateway_server.scheduler.schedules import Acceptance, Schedule, Window
from gateway_server.scheduler.waiting import Rules

NIGHT = '[[schedule]]\nname = "night"\ncron = "0 1 * * *"\n'


def written(folder: Path, text: str) -> Config:
    path = folder / "gateway.toml"
    path.write_text(text)
    return load_config(path)


def test_schedule_is_what_its_table_says(tmp_path: Path) -> None:
    text = NIGHT + (
        'window = "22:30-05:00"\nmeters = ["7"]\ngroups = ["north"]\nwhat = ["archive", "events"]\n'
        'archives = ["interval"]\npriority = 5\nattempts = 3\nblack_out = [2027-01-01]\ntransports = ["csd"]\n'
    )
    (schedule,) = written(tmp_path, text).duty_terms().schedules
    assert schedule == Schedule(
        "night", "0 1 * * *", ("7",), ("north",), Window(time(22, 30), time(5)), frozenset({"archive", "events"}),
        ("interval",), 5, 3, frozenset({date(2027, 1, 1)}), ("csd",),
    )  # fmt: skip


def test_days_without_a_night_may_stand_in_quotes(tmp_path: Path) -> None:
    (schedule,) = written(tmp_path, NIGHT + 'black_out = ["2027-01-01", 2027-01-02]\n').duty_terms().schedules
    assert schedule.black_out == {date(2027, 1, 1), date(2027, 1, 2)}


def test_without_a_word_the_plan_has_the_defaults_of_its_parts(tmp_path: Path) -> None:
    terms = written(tmp_path, NIGHT).duty_terms()
    assert terms.schedules == (Schedule("night", "0 1 * * *"),)
    assert terms.limits == Limits(spread_s=2.0)
    assert terms.rules == Rules()
    assert terms.terms == Terms(commissioned={})
    assert terms.budget == DutyTerms().budget == Budget(200 * 1024, 300.0)


def test_limits_acceptance_and_completeness_are_what_their_tables_say(tmp_path: Path) -> None:
    text = (
        '[[acceptance]]\nwindows = ["08:00-08:30"]\ngroups = ["north"]\n'
        "[dialling]\nlongest_call = 600\nper_meter_and_day = 0\nper_modem_and_day = 7200\nat_once_per_operator = 4\n"
        'at_once_per_group = 2\nspread = 5\ngaps = 3\nbarred_for = 7\noperators = { north = "MTS" }\n'
        '[completeness]\narchives = ["interval", "daily"]\ngrace = 60\nfirst_days = 7\nmost_days = 90\n'
        'commissioned = { "7" = 2024-05-01 }\nfill_every = 0\nfill_traffic_kb = 1\nfill_seconds = 30\n'
    )
    terms = written(tmp_path, text).duty_terms()
    assert terms.limits == Limits(600, 0, 7200, 4, 2, 5)
    assert terms.rules == Rules((Acceptance((Window(time(8), time(8, 30)),), (), ("north",)),), {"north": "MTS"})
    assert terms.terms == Terms(("interval", "daily"), 60_000, 7, 90, {"7": date(2024, 5, 1)})
    assert (terms.budget, terms.fill_every_s, terms.gaps, terms.barred_for_s) == (Budget(1024, 30), 0, 3, 7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (NIGHT.replace("0 1 * * *", "at night"), '"at night" is no cron text'),
        (NIGHT + 'black_out = ["soon"]\n', "is a list of days, such as [2026-12-31, 2027-01-01]"),
        (NIGHT + 'window = "1-5"\n', "is no window; write HH:MM-HH:MM"),
        (NIGHT + 'window = "01:00-01:00"\n', "is empty"),
        (NIGHT + "attempts = 11\n", "`attempts`"),
        (NIGHT + 'what = ["current"]\narchives = ["interval"]\n', '`what` does not have "archive"'),
        (NIGHT + "what = []\n", "each once"),
        (NIGHT + 'transports = ["ftp"]\n', "`transports`"),
        (NIGHT.replace("night", "overdue"), "choose another"),
        (NIGHT + NIGHT, "`name` is that of schedule 1"),
        ('[[acceptance]]\nwindows = []\nmeters = ["7"]\n', "`windows`"),
        ("[completeness]\nfirst_days = 0\n", "`first_days`"),
        ("[dialling]\nspred = 1\n", "spred"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(OperatorError) as refused:
        written(tmp_path, text)
    assert words in str(refused.value)


def test_jobs_and_calls_are_kept_for_a_year_and_more_unless_the_operator_says_otherwise(tmp_path: Path) -> None:
    assert written(tmp_path, NIGHT).duty_terms().keep_days == 400
    assert written(tmp_path, NIGHT + "[jobs]\nkeep_days = 0\n").duty_terms().keep_days == 0
    with pytest.raises(OperatorError, match="must be 7 at least"):
        written(tmp_path, NIGHT + "[jobs]\nkeep_days = 6\n")
