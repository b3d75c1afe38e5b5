"""The simulated Modbus device, read by clients that nobody here wrote and by our own: over TCP, a port and a call."""

from __future__ import annotations

import json
import shutil
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import serial
from modbus_tk import defines, modbus_rtu
from modbus_tk.exceptions import ModbusError
from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient

from tests.end_to_end.programs import first_line, program
from tests.end_to_end.test_modbus import LISTENER, MAP, SERIAL, Place, mbpoll

pytestmark = pytest.mark.end_to_end

UNIT = 17
GONE = 5  # a register that the map does not name


@contextmanager
def device(folder: Path, framing: str, *way: str) -> Iterator[tuple[str, Path]]:
    """A simulated device; gives where it is and what it holds."""
    profile, dump = folder / "device.yaml", folder / "held.json"
    profile.write_text(MAP.format(framing=framing))
    order = ("--profile", str(profile), "--serial", SERIAL, "--seed", "3", "--dump", str(dump))
    with program("simulate", "meter", *order, *way) as running:
        name, number, where = first_line(running).split(" ", 2)
        assert (name, number) == ("device", SERIAL)
        yield where.split(":", 1)[1], dump


def held(dump: Path) -> dict[str, str]:
    return {one["quantity"]: one["value"] for one in json.loads(dump.read_text("utf-8"))["values"]}


def agrees(dump: Path, volume: int, temperature: float, battery: int) -> None:
    """Whether numbers that another program read are those that the device says it holds."""
    told = held(dump)
    assert Decimal(volume) / 1000 == Decimal(told["base_volume_total"])
    assert Decimal(temperature).quantize(Decimal("0.01")) == Decimal(told["temperature"])
    assert battery == int(told["battery_life"])


def number(registers: list[int], order: str = ">") -> int:
    return int(struct.unpack(">I", struct.pack(">2H", *(registers if order == ">" else registers[::-1])))[0])


@pytest.mark.parametrize(("framing", "framer"), [("tcp", FramerType.SOCKET), ("rtu", FramerType.RTU)])
def test_pymodbus_reads_it_over_tcp_in_either_framing(tmp_path: Path, framing: str, framer: FramerType) -> None:
    with device(tmp_path, framing, "--listen", "127.0.0.1:0") as (where, dump):
        host, _, port = where.rpartition(":")
        client: Any = ModbusTcpClient(host, port=int(port), framer=framer, retries=0)
        assert client.connect()
        try:
            assert number(client.read_holding_registers(0, count=2, device_id=UNIT).registers) == int(SERIAL)
            volume = number(client.read_holding_registers(16, count=2, device_id=UNIT).registers)
            registers = client.read_holding_registers(20, count=2, device_id=UNIT).registers
            (battery,) = client.read_input_registers(0, count=1, device_id=UNIT).registers
            temperature = client.convert_from_registers(registers, client.DATATYPE.FLOAT32, word_order="little")
            assert isinstance(temperature, float)
            agrees(dump, volume, temperature, battery)
            valve = client.read_coils(3, count=1, device_id=UNIT).bits[0]
            assert ("open" if valve else "closed") == held(dump)["valve"]
            assert client.read_holding_registers(GONE, count=1, device_id=UNIT).exception_code == 2
            assert client.write_register(16, 1, device_id=UNIT).exception_code == 1
        finally:
            client.close()


def test_modbus_tk_reads_it_over_a_port(tmp_path: Path) -> None:
    with device(tmp_path, "rtu", "--pty") as (port, dump):
        master: Any = modbus_rtu.RtuMaster(serial.Serial(port, 19200))
        master.set_timeout(3)
        try:
            volume = number(list(master.execute(UNIT, defines.READ_HOLDING_REGISTERS, 16, 2)))
            low, high = master.execute(UNIT, defines.READ_HOLDING_REGISTERS, 20, 2)
            (battery,) = master.execute(UNIT, defines.READ_INPUT_REGISTERS, 0, 1)
            agrees(dump, volume, struct.unpack(">f", struct.pack(">2H", high, low))[0], battery)
            with pytest.raises(ModbusError) as refused:
                master.execute(UNIT, defines.READ_HOLDING_REGISTERS, GONE, 1)
            assert refused.value.get_exception_code() == 2
        finally:
            master.close()


def test_mbpoll_reads_it(tmp_path: Path) -> None:
    if shutil.which("mbpoll") is None:
        pytest.skip("mbpoll is not installed")
    with device(tmp_path, "tcp", "--listen", "127.0.0.1:0") as (where, dump):
        port = where.rpartition(":")[2]
        volume, battery = mbpoll(port, "4:int", 16, "-B"), mbpoll(port, "3", 0, "")
        agrees(dump, int(volume), float(mbpoll(port, "4:float", 20, "")), int(battery))


@pytest.mark.parametrize("framing", ["tcp", "rtu"])
def test_our_gateway_reads_it_over_tcp(tmp_path: Path, framing: str) -> None:
    place = Place(tmp_path, framing)
    with device(tmp_path, framing, "--listen", "127.0.0.1:0") as (where, dump):
        assert "read;" in place.says("read", SERIAL, "--via", f"tcp:{where}")
        assert place.values() == held(dump)
    (session,) = place.lists("session", "list")
    assert "illegal data address" in place.says("session", "show", str(session["id"]))  # its registers have gaps


def test_our_gateway_reads_it_over_a_port(tmp_path: Path) -> None:
    place = Place(tmp_path, "rtu")
    with device(tmp_path, "rtu", "--pty") as (port, dump):
        assert "read;" in place.says("read", SERIAL, "--via", f"serial:{port}:9600:8N1")
        assert place.values() == held(dump)


def test_our_gateway_reads_it_behind_a_modem_that_calls_in(tmp_path: Path) -> None:
    place = Place(tmp_path, "rtu", LISTENER)
    with program("run", "-c", str(place.config)) as gateway:
        port = first_line(gateway).rpartition(":")[2]
        calling = ("--call", f"127.0.0.1:{port}", "--registration", r"356895040012345\r\n")
        with device(tmp_path, "rtu", *calling) as (_, dump):
            for _ in range(60):
                if any(one["outcome"] == "read" for one in place.lists("session", "list")):
                    break
                time.sleep(0.25)  # noqa: TID251 - real programs take real time
            assert place.values() == held(dump)


def test_our_gateway_calls_it_by_modem(tmp_path: Path) -> None:
    (tmp_path / "device.yaml").write_text(MAP.format(framing="rtu"))
    book, called = tmp_path / "book.toml", "+79160000009"
    book.write_text(f'[[number]]\nnumber = "{called}"\nprofile = "device.yaml"\nserial = "{SERIAL}"\n')
    quick = ("--setup-seconds", "0.5", "--round-trip", "0.1", "--bytes-per-second", "0", "--seconds", "60")
    faults = ("--failures", "registration_s=0", "--dump", str(tmp_path / "held"))
    with program("simulate", "modems", "--book", str(book), *quick, *faults) as bank:
        lines = list(iter(lambda: first_line(bank), "ready"))
        assert f"{called} device {SERIAL}" in lines
        modem = next(line.split()[-1] for line in lines if line.startswith("modem"))
        place = Place(tmp_path, "rtu", f'[[modem]]\nname = "m1"\nport = "{modem}"\nguard = 1.1\n')
        assert "read;" in place.says("read", SERIAL, "--via", f"csd:{called}")
    assert place.values() == held(tmp_path / "held" / f"{SERIAL}.json")
