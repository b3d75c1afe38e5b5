"""``reprocess``: what today's codec makes of stored bytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway_server.cli.invocation import Zones
from gateway_server.cli.reprocess import Shown, print_read_again
from gateway_server.workbench.comparison import SessionReadAgain
from tests.cli.desk import SIGN_ON_MS, TALK, Desk, row


def test_dry_run_says_what_would_change_and_changes_nothing(desk: Desk) -> None:
    desk.hold_session()
    dry = desk.run("reprocess", "--dry-run", "--json").json
    assert dry["dry_run"] is True
    assert dry["sessions"][0]["new"] > 0
    assert desk.run("reading", "list", "--json").json == []


def test_second_time_says_no_change(desk: Desk) -> None:
    desk.hold_session()
    assert "1 sessions read again" in desk.run("reprocess").out
    values = [reading["value"] for reading in desk.run("reading", "list", "--json").json]
    assert "882066.6309" in values
    again = desk.run("reprocess", "--dry-run")
    assert again.status == 0
    assert "no change" in again.out
    assert [reading["value"] for reading in desk.run("reading", "list", "--json").json] == values


def test_value_that_is_read_otherwise_is_told_with_old_and_new(desk: Desk) -> None:
    desk.hold_session()
    desk.run("reprocess")
    with desk.store() as store:
        store.connection.raw.execute("UPDATE archive_row SET vals = replace(vals, '882066.6309', '1.5')")
        store.connection.raw.commit()
    out = desk.run("reprocess", "--dry-run").out
    assert "1.5" in out
    assert "882066.6309" in out
    assert "nothing was written" in out


def test_only_the_wanted_sessions_are_read_again(desk: Desk) -> None:
    first = desk.hold_session()
    desk.hold_session(TALK, started_ms=SIGN_ON_MS + 86_400_000)

    def sessions(*filters: str) -> list[int]:
        return [one["session"] for one in desk.run("reprocess", "--dry-run", "--json", *filters).json["sessions"]]

    assert sessions("--to", "2014-05-02") == [first]
    assert sessions("--from", "2014-05-03") == [first + 1]
    assert sessions("--session", str(first)) == [first]
    assert sessions("--meter", "9") == []


def test_session_of_an_unclaimed_meter_is_skipped_with_the_reason(desk: Desk) -> None:
    desk.hold_session(serial="55500001")
    assert "meter claim 55500001" in desk.run("reprocess").out


def test_codec_that_does_not_exist_is_refused(desk: Desk) -> None:
    desk.hold_session()
    ran = desk.run("reprocess", "--codec", "gas")
    assert ran.status == 2
    assert "lis200" in ran.err


def test_row_that_today_is_not_read_any_more_stays(desk: Desk) -> None:
    desk.hold_session(rows=(row(1, SIGN_ON_MS - 3_600_000, "5.0"),))
    assert "1 gone" in desk.run("reprocess").out
    assert "5.0" in [reading["value"] for reading in desk.run("reading", "list", "--json").json]


def test_session_that_does_not_exist_is_wrong_usage(desk: Desk) -> None:
    ran = desk.run("reprocess", "--session", "999")
    assert ran.status == 2
    assert "no session 999" in ran.err


def test_what_was_changed_before_it_was_stopped_is_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped() -> Iterator[SessionReadAgain]:
        yield SessionReadAgain(1, "41203377", "lis200", "2", new=3)
        yield SessionReadAgain(2, skipped="it is still open")
        raise KeyboardInterrupt

    with desk.store() as store, pytest.raises(KeyboardInterrupt):
        print_read_again(stopped(), Shown(Zones(store), every=False))
    assert capsys.readouterr().out.splitlines() == [
        "session 2, meter ?: skipped, it is still open",
        "session 1, meter 41203377, lis200 2: 3 new",
    ]
