"""Register maps for tests, as an operator writes them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from gateway_server.codec.declaration import read_declaration
from plugins.modbus import Modbus, declared

WHOLE = """
reads: modbus
source: manual
unit: 17
serial: {at: 0, type: uint32}
registers:
  - {at: 16, type: uint32, scale: 0.001, quantity: base_volume_total}
  - {at: 18, type: int16, scale: 0.1, quantity: temperature}
  - {at: 22, type: float32, digits: 3, quantity: pressure}
  - {at: 0, table: input, type: uint16, quantity: battery_life}
  - {at: 3, table: coil, quantity: valve, own: yes, names: {0: closed, 1: open}}
"""


def codec_of(text: str, name: str = "boiler-house") -> Modbus:
    """The codec that a register map declares. Raises `OperatorError`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.yaml"
        path.write_text(text, "utf-8")
        return declared(read_declaration(path))
