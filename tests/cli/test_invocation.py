"""Where a call of the program finds its configuration and store."""

from __future__ import annotations

import pytest

from gateway_server.cli.invocation import Invocation, Zones, known, zone
from gateway_server.errors import OperatorError
from gateway_server.store.records import MeterRecord
from tests.cli.desk import Desk


def url(desk: Desk, name: str, store: str) -> str:
    (desk.folder / name).write_text(f'[store]\nurl = "sqlite:///{store}.db"\n')
    return f"sqlite:///{desk.folder / store}.db"


def test_configuration_named_by_option_wins_over_environment_and_folder(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Invocation().config.store.url
    assert here == f"sqlite:///{desk.folder / 'gateway.db'}"
    environment = url(desk, "environment.toml", "environment")
    monkeypatch.setenv("GATEWAY_CONFIG", "environment.toml")
    assert Invocation().config.store.url == environment
    option = url(desk, "option.toml", "option")
    assert desk.run("meter", "list", "--json", "-c", "option.toml").json == []
    assert (desk.folder / "option.db").exists()
    assert not (desk.folder / "environment.db").exists()
    assert option.endswith("option.db")


def test_without_any_configuration_the_defaults_hold(desk: Desk) -> None:
    (desk.folder / "gateway.toml").unlink()
    assert Invocation().config.store.url == f"sqlite:///{desk.folder / 'gateway.db'}"


def test_configuration_that_is_missing_is_named(desk: Desk) -> None:
    ran = desk.run("meter", "list", "-c", "none.toml")
    assert ran.status == 2
    assert "none.toml" in ran.err


def test_wrong_configuration_is_said_in_words_by_every_verb(desk: Desk) -> None:
    (desk.folder / "gateway.toml").write_text('[store]\nurll = "x"\n')
    for verb in (("meter", "list"), ("session", "list"), ("check-config",)):
        ran = desk.run(*verb)
        assert ran.status == 2
        assert "urll" in ran.err
        assert ran.out == ""


def test_zones_are_those_of_the_register(desk: Desk) -> None:
    with desk.store() as store:
        zones = Zones(store)
        assert str(zones.of("41203377")) == "Europe/Moscow"
        assert str(zones.of("nobody")) == "Europe/Moscow"
        assert str(zones.shared_by(())) == "Europe/Moscow"
        assert known(store, "41203377").name == "Boiler house 4"
        with pytest.raises(OperatorError, match="meter add 9"):
            known(store, "9")


def test_stranger_has_no_zone_but_utc_where_the_register_has_several(desk: Desk) -> None:
    with desk.store() as store:
        store.put_meter(MeterRecord("20511893", time_zone="Asia/Yekaterinburg"))
        assert str(Zones(store).of("nobody")) == "UTC"


@pytest.mark.parametrize("name", ["Moscow", "", "../zone", "Europe"])
def test_name_of_no_zone_is_refused(name: str) -> None:
    with pytest.raises(OperatorError, match="Europe/Moscow"):
        zone(name)


def test_nothing_is_said_to_be_made_where_no_store_can_be(desk: Desk) -> None:
    url(desk, "gateway.toml", "away/gateway")
    ran = desk.run("meter", "list")
    assert ran.status == 2
    assert "away is missing" in ran.err
    assert "is made" not in ran.err


@pytest.mark.parametrize("verb", [("file", "reprocess"), ("reprocess",), ("check-config",)])
def test_mistake_in_a_plugin_is_told_by_whoever_decodes(desk: Desk, verb: tuple[str, ...]) -> None:
    folder = desk.folder / "plugins.d"
    folder.mkdir()
    (folder / "day.yaml").write_text("reads: table_file\n")
    (desk.folder / "gateway.toml").write_text('[plugins]\nfolders = ["plugins.d"]\n')
    ran = desk.run(*verb)
    assert "note: a plugin is left out" in ran.err
    assert "day.yaml: line 1: time is missing" in ran.err
