"""Joining the parts. What the joined program does is in end_to_end/test_gateway_reads.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.testing import MemoryReactorClock

from gateway_server.app import Gateway, Place, codecs_of, make_gateway
from gateway_server.codec.registry import Registry, load_codecs
from gateway_server.config import Config, load_config
from gateway_server.errors import OperatorError
from gateway_server.store.records import MeterRecord
from tests.session.conversations import ToyCodec

LISTENER = '[[listener]]\nname = "{name}"\nendpoint = "tcp:0"\ncodec = {codec}\n'


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    for name in ("first", "second", "third"):
        registry.add(ToyCodec(name), Path(f"{name}.py"))
    return registry


def configured(folder: Path, text: str) -> Config:
    path = folder / "gateway.toml"
    path.write_text(text)
    return load_config(path)


def made(config: Config, registry: Registry, *only: str) -> Gateway:
    return make_gateway(MemoryReactorClock(), config, now_ms=lambda: 0, only=only, registry=registry)


@pytest.mark.parametrize(
    ("modem", "only", "hindrance"),
    [(True, (), ""), (True, ("tcp",), "need a [[modem]]"), (False, (), "need a [[modem]]"), (True, ("csd",), "")],
)
def test_phone_numbers_are_dialled_where_there_are_modems_and_their_part_runs(
    tmp_path: Path, registry: Registry, only: tuple[str, ...], hindrance: str, *, modem: bool
) -> None:
    text = '[[modem]]\nname = "m1"\nport = "/dev/ttyNONE"\n' if modem else ""
    gateway = made(configured(tmp_path, text), registry, *only)
    assert gateway.notices == []
    said = gateway.cannot_open("csd:+79161234567")
    assert hindrance in said
    assert bool(said) == bool(hindrance)


def test_nothing_is_opened_before_the_start(tmp_path: Path, registry: Registry) -> None:
    gateway = made(configured(tmp_path, LISTENER.format(name="a", codec='"first"')), registry)
    assert gateway.ready_line == "ready"
    assert not (tmp_path / "gateway.db").exists()


def test_ready_line_names_every_place() -> None:
    assert str(Place("gprs", "127.0.0.1", 4001)) == "gprs=127.0.0.1:4001"


def test_unknown_codec_and_unknown_part_are_the_operators_errors(tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(OperatorError, match="there is no codec 'none'"):
        made(configured(tmp_path, LISTENER.format(name="a", codec='"none"')), registry)
    with pytest.raises(OperatorError, match="there is no part 'tpc'; the parts are tcp"):
        made(load_config(None), registry, "tpc")


def test_meter_is_spoken_to_in_its_own_codec_or_those_of_the_listeners_or_any(
    tmp_path: Path, registry: Registry
) -> None:
    config = configured(
        tmp_path, LISTENER.format(name="a", codec='["second", "third"]') + LISTENER.format(name="b", codec='"second"')
    )

    def names(record: MeterRecord, config: Config) -> list[str]:
        return [codec.name for codec in codecs_of(record, config, registry)]

    assert names(MeterRecord("1", codec="first"), config) == ["first"]
    assert names(MeterRecord("1"), config) == ["second", "third"]
    assert names(MeterRecord("1"), load_config(None)) == ["first", "second", "third"]
    with pytest.raises(OperatorError, match="there is no codec 'gone'"):
        codecs_of(MeterRecord("1", codec="gone"), config, registry)


def test_meter_with_a_meter_profile_is_spoken_to_by_it_unless_it_has_a_codec(tmp_path: Path) -> None:
    registry, config = load_codecs(), Config()

    def names(record: MeterRecord) -> list[str]:
        return [codec.name for codec in codecs_of(record, config, registry)]

    assert names(MeterRecord("1", profile="reference-push")) == ["reference-push"]
    assert names(MeterRecord("1", profile="reference-push", codec="lis200")) == ["lis200"]
    assert "lis200" in names(MeterRecord("1", profile="ek270"))
