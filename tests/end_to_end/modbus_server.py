"""Modbus servers that nobody here wrote, in a process of their own: modbus-tk and pymodbus, over TCP or a port.

    python tests/end_to_end/modbus_server.py modbus-tk tcp 0      prints its port once it listens
    python tests/end_to_end/modbus_server.py pymodbus rtu /dev/pts/3
    python tests/end_to_end/modbus_server.py pymodbus rtu-over-tcp 0      as at the far end of a modem

Unit 17 has holding registers 0-1, 16-17 and 20-21 with nothing between them, input register 0 and coils 0-7.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import threading
from typing import Any

UNIT = 17
HOLDING = {
    0: struct.pack(">I", 41206129),
    16: struct.pack(">I", 123456),
    20: struct.pack(">f", 23.7)[2:] + struct.pack(">f", 23.7)[:2],  # low word first
}
INPUT = {0: struct.pack(">H", 48)}
COILS = [0, 0, 0, 1, 0, 0, 0, 0]


def words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def serve_modbus_tk(way: str, place: str) -> None:
    import serial
    from modbus_tk import defines, modbus_rtu, modbus_tcp

    server: Any
    if way == "tcp":
        server = modbus_tcp.TcpServer(port=int(place), address="127.0.0.1")
    else:
        server = modbus_rtu.RtuServer(serial.Serial(place, 9600))
    slave = server.add_slave(UNIT)
    for kind, blocks in ((defines.HOLDING_REGISTERS, HOLDING), (defines.ANALOG_INPUTS, INPUT)):
        for first, data in blocks.items():
            slave.add_block(f"{kind}-{first}", kind, first, len(data) // 2)
            slave.set_values(f"{kind}-{first}", first, words(data))
    slave.add_block("coils", defines.COILS, 0, len(COILS))
    slave.set_values("coils", 0, COILS)
    server.start()
    while way == "tcp" and not hasattr(server, "_sock"):
        threading.Event().wait(0.05)
    threading.Event().wait(0.3)
    print(server._sock.getsockname()[1] if way == "tcp" else place, flush=True)
    threading.Event().wait()


async def serve_pymodbus(way: str, place: str) -> None:
    from pymodbus import FramerType, ModbusDeviceIdentification
    from pymodbus.server import ModbusSerialServer, ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    def registers(blocks: dict[int, bytes]) -> list[SimData]:
        return [SimData(first, values=words(data), datatype=DataType.REGISTERS) for first, data in blocks.items()]

    def bits(values: list[int]) -> list[SimData]:
        return [SimData(0, values=[bool(value) for value in values], datatype=DataType.BITS)]

    named: Any = ModbusDeviceIdentification  # it has no types
    name = named(info_name={"VendorName": "ACME", "ProductCode": "FC1", "MajorMinorRevision": "2"})
    device = SimDevice(UNIT, simdata=(bits(COILS), bits(COILS), registers(HOLDING), registers(INPUT)))
    server: Any
    if way != "rtu":
        framer = FramerType.RTU if way == "rtu-over-tcp" else FramerType.SOCKET
        server = ModbusTcpServer(device, framer=framer, identity=name, address=("127.0.0.1", int(place)))
    else:
        server = ModbusSerialServer(device, identity=name, port=place, baudrate=9600)
    await server.serve_forever(background=True)
    print(place if way == "rtu" else server.transport.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


def main() -> None:
    _, program, way, place = sys.argv
    if program == "modbus-tk":
        serve_modbus_tk(way, place)
    else:
        asyncio.run(serve_pymodbus(way, place))


if __name__ == "__main__":
    main()
