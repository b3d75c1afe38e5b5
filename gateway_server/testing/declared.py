"""Simulated meters of a kind that a file declares: a meter profile or a Modbus register map."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.registry import bundled_plugins, load_codecs
from gateway_server.errors import OperatorError
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.meter_profile.meter import PATIENCE_S, ProfileMeter
from gateway_server.testing.modbus.meter import ModbusMeter, RegisterMap

DeclaredMeter = ProfileMeter | ModbusMeter


@runtime_checkable
class _HasMap(Protocol):
    """A codec that reads a register map."""

    @property
    def map(self) -> RegisterMap: ...


def check_no_quirks(quirks: Quirks) -> None:
    """Raises `OperatorError` for quirks of a meter that a file declares: they are those of our own models."""
    if quirks != Quirks():
        raise OperatorError("quirks are peculiarities of the built-in models; a meter that speaks a profile has none")


class DeclaredKind:
    """Meters as a file says, or as one that comes with the gateway does. Raises `OperatorError` for what is wrong."""

    def __init__(self, path: Path) -> None:
        bundled = bundled_plugins() / f"{path}.yaml"
        if not path.exists() and path.name == str(path) and bundled.is_file():
            path = bundled
        try:
            codec: object = load_codecs().made_of(path)
            self._profile = codec.profile if isinstance(codec, ProfileCodec) else None
            self._map = codec.map if isinstance(codec, _HasMap) else None
            if self._profile is None and self._map is None:
                raise OperatorError("only `reads: meter_profile` and `reads: modbus` can be simulated")
        except OperatorError as error:
            raise OperatorError(f"{path}: {error}") from None

    @property
    def name(self) -> str:
        """What the meters speak."""
        return self._profile.name if self._profile is not None else self._map.name if self._map is not None else ""

    @property
    def can_be_asked(self) -> bool:
        """Whether its meters answer questions; the others speak by themselves, whoever made the line."""
        return self._profile is None or self._profile.read is not None

    def meter(
        self,
        serial: str,
        seed: int,
        now: datetime,
        *,
        days: int,
        calls: bool,
        patience_s: float = PATIENCE_S,
    ) -> DeclaredMeter:
        """One meter. Where it ``calls`` it speaks first if it can; who is called and can be asked waits for that."""
        if self._profile is None:
            assert self._map is not None
            return ModbusMeter(self._map, serial, seed, now)
        pushes = calls or not self.can_be_asked
        return ProfileMeter(self._profile, serial, seed, now, days=days, patience_s=patience_s, pushes=pushes)
