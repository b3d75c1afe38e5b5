"""``read``: with and without a running gateway, against simulated meters."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest

from gateway_server.cli.invocation import Invocation, zone
from gateway_server.cli.read import _check_archives, _order
from gateway_server.codec.registry import load_codecs
from gateway_server.errors import OperatorError
from gateway_server.model import KnownMeter, ReadOrder
from tests.cli.desk import NOW_MS, Desk
from tests.cli.programs import ran, started
from tests.plugins.modbus.maps import WHOLE, codec_of

INVOCATION = Invocation(now_ms=lambda: NOW_MS)


@pytest.fixture
def meter(desk: Desk) -> Iterator[str]:
    """A simulated EK270 of three days; gives the route to it."""
    options = ("--listen", "127.0.0.1:0", "--serial", "20511893", "--days", "3", "--dump", "held.json")
    with started(desk, "simulate", "meter", *options) as simulated:
        route = simulated.line("ek270").split()[-1]
        desk.run("meter", "add", "20511893", "--route", route)
        yield route


@pytest.mark.end_to_end
def test_meter_is_read_without_a_gateway_and_everything_it_holds_is_stored(desk: Desk, meter: str) -> None:
    done = ran(desk, "read", "20511893")
    assert done.status == 0, done.err
    assert "interval" in done.err
    assert "session show 1" in done.out
    assert desk.run("session", "list", "--json").json[0]["outcome"] == "read"
    readings = desk.run("reading", "list", "--json", "--archive", "interval", "--quantity", "base_volume_total").json
    held = json.loads((desk.folder / "held.json").read_text(encoding="utf-8"))
    assert len(readings) >= 72
    assert {reading["value"] for reading in readings} <= set(str(held).replace("'", " ").replace(",", " ").split())
    assert desk.run("session", "verify", "1").status == 0
    assert "no change" in desk.run("reprocess", "--dry-run").out


@pytest.mark.end_to_end
def test_meter_is_read_by_the_gateway_that_runs(desk: Desk, meter: str) -> None:
    with started(desk, "run") as gateway:
        gateway.line("ready")
        done = ran(desk, "read", "20511893", "--what", "archive", "--archive", "daily", "--json")
        assert done.status == 0, done.err
        assert done.json["new_rows"]["daily"] >= 3
        assert done.json["session"]["outcome"] == "read"
        ordered = ran(desk, "read", "20511893", "--no-wait")
        assert ordered.status == 0
        assert gateway.end().status == 0


@pytest.mark.end_to_end
def test_meter_that_does_not_answer_is_status_1_and_its_session_is_kept(desk: Desk) -> None:
    with started(desk, "simulate", "meter", "--listen", "127.0.0.1:0", "--quirk", "never_answers") as simulated:
        route = simulated.line("ek270").split()[-1]
        with started(desk, "read", "41203377", "--via", route, "--what", "current") as reading:
            done = reading.wait()
    assert done.status == 1
    assert "silent" in done.err
    (session,) = desk.run("session", "list", "--json").json
    assert session["outcome"] == "silent"
    assert session["bytes_sent"] > 0


@pytest.mark.end_to_end
def test_ctrl_c_ends_a_reading_cleanly_and_keeps_what_came(desk: Desk) -> None:
    quirks = ("--quirk", "reply_delay_s=0.2")
    with started(desk, "simulate", "meter", "--listen", "127.0.0.1:0", *quirks) as simulated:
        route = simulated.line("ek270").split()[-1]
        with started(desk, "read", "41203377", "--via", route, "--json") as reading:
            while not desk.run("reading", "list", "--json", "--limit", "1").json:
                pass
            done = reading.end(signal.SIGINT)
    assert done.status == 130
    assert "Traceback" not in done.err
    (session,) = desk.run("session", "list", "--json").json
    assert session["bytes_received"] > 0
    assert session["outcome"] in ("partial", "line_lost")


@pytest.mark.end_to_end
def test_meter_without_a_route_is_status_2_with_and_without_a_gateway(desk: Desk) -> None:
    desk.run("meter", "add", "55500001")
    alone = ran(desk, "read", "55500001")
    with started(desk, "run") as gateway:
        gateway.line("ready")
        beside = ran(desk, "read", "55500001")
        assert gateway.end().status == 0
    assert (alone.status, beside.status) == (2, 2), (alone.err, beside.err)
    for done in (alone, beside):
        assert "meter 55500001 has no route" in done.err


@pytest.mark.end_to_end
def test_rows_that_the_meter_has_lost_are_told_to_who_reads_it(desk: Desk) -> None:
    quirks = ("--quirk", "order_gap", "--days", "3")
    with started(desk, "simulate", "meter", "--listen", "127.0.0.1:0", *quirks) as simulated:
        route = simulated.line("ek270").split()[-1]
        done = ran(desk, "read", "41203377", "--via", route, "--archive", "interval")
        as_json = ran(
            desk, "read", "41203377", "--via", route, "--archive", "interval", "--from", "2000-01-01", "--json"
        )
    assert done.status == 0, done.err
    assert "note: interval: 3 rows are missing between order numbers" in done.out
    (note,) = as_json.json["notes"]
    assert note in done.out


@pytest.mark.end_to_end
def test_nobody_at_the_route_is_status_1(desk: Desk) -> None:
    done = ran(desk, "read", "41203377", "--via", "tcp:127.0.0.1:1")
    assert done.status == 1
    assert "127.0.0.1:1" in done.err


@pytest.mark.end_to_end
def test_probe_finds_a_meter_on_a_local_port(desk: Desk) -> None:
    with started(desk, "simulate", "meter", "--pty", "--serial", "20511893", "--days", "1") as simulated:
        port = simulated.line("ek270").split()[-1].removeprefix("serial:")
        done = ran(desk, "read", "--probe", port, "--json")
        assert (
            desk.run("read", "20511893")
            .err.rstrip()
            .endswith("`gateway-server meter claim 20511893` takes it into care")
        )
        told = ran(desk, "read", "--probe", port).out.splitlines()[-1]
        assert told.startswith(f"`gateway-server meter claim 20511893 --codec lis200 --route serial:{port}:")
        assert desk.run(*told.split("`")[1].split()[1:]).status == 0
        again = ran(desk, "read", "20511893", "--what", "current")
    assert again.status == 0, again.err
    assert done.status == 0, done.err
    assert done.json["meter"] == "20511893"
    assert done.json["route"].startswith(f"serial:{port}:")
    assert done.json["attempts"][-1]["session"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--probe"),
        (("999",), "meter add 999"),
        (("41203377", "--via", "tcp:x"), "tcp:x"),
        (("41203377", "--from", "soon"), "2026-10-01"),
        (("41203377", "--what", "current", "--archive", "daily"), "--what"),
        (("41203377", "--archive", "events"), "--what events"),
        (("41203377", "--archive", "current"), "--what current"),
    ],
)
def test_order_that_makes_no_sense_says_why(desk: Desk, arguments: tuple[str, ...], said: str) -> None:
    refused = desk.run("read", *arguments)
    assert refused.status == 2
    assert said in refused.err


def test_archive_that_the_meter_cannot_have_costs_no_session(desk: Desk) -> None:
    desk.run("meter", "add", "41203377", "--codec", "lis200")
    with desk.store() as store:
        store.remember("41203377", "device", "EK270|2.05")
    refused = desk.run("read", "41203377", "--archive", "interval", "--archive", "hourly")
    assert refused.status == 2
    assert "meter 41203377 has no archive 'hourly'; it has: interval, daily, monthly, monthly2, changes" in refused.err
    assert desk.run("session", "list", "--json").json == []


def test_archives_are_checked_only_where_every_codec_that_may_be_spoken_knows_them() -> None:
    lis200 = load_codecs().get("lis200")
    known = KnownMeter("1", memory={"device": "EK270|2.05"})
    _check_archives([lis200], known, ("monthly", "monthly2", "changes"))
    _check_archives([lis200], KnownMeter("1"), ("hourly",))
    with pytest.raises(OperatorError, match="'hourly'"):
        _check_archives([lis200], known, ("hourly",))
    with pytest.raises(OperatorError, match="it has none, only live values"):
        _check_archives([codec_of(WHOLE)], known, ("interval",))


def test_order_has_the_meters_own_time() -> None:
    order = _order(INVOCATION, zone("Europe/Moscow"), (), ("interval",), "2014-05-01T00:00:00Z", "2014-05-01 10:00")
    assert order.what == {"archive"}
    assert order.since is not None
    assert order.until is not None
    assert (order.since.isoformat(), order.until.isoformat()) == ("2014-05-01T04:00:00", "2014-05-01T10:00:00")


def test_disabled_meter_is_not_read(desk: Desk) -> None:
    desk.run("meter", "disable", "41203377")
    assert "switched off" in desk.run("read", "41203377").err


def test_order_without_times_goes_on_behind_the_last_row() -> None:
    order = _order(INVOCATION, zone("UTC"), (), (), None, None)
    assert order == ReadOrder()
    with pytest.raises(OperatorError):
        _order(INVOCATION, zone("UTC"), ("events",), ("daily",), None, None)
