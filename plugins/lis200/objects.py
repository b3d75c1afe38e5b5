"""Objects of LIS-200 devices: what their addresses mean, and which of them are live values (lis200.md 2.4).

1:100 (status), 2:777 (signal level) and 1:302 (energy) stand in the maker's own driver for EK260 and EK280. The other
status addresses (2:100, 1:101, 2:101, s:110, s:111) are a guess.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway_server import quantities as q
from gateway_server.model import Quantity


@dataclass(frozen=True, slots=True)
class Object:
    """One address: the device's short name, what it is in words, the quantity if it is measured."""

    address: str
    name: str
    words: str
    quantity: Quantity | None = None


_ALL = (
    Object("1:180", "SNo", "serial number"),
    Object("1:181", "Typ", "device type"),
    Object("2:190", "Vers", "software version"),
    Object("2:191", "Chk", "software checksum"),
    Object("3:180", "StNo", "station number"),
    Object("1:400", "Time", "device clock", q.CLOCK),
    Object("2:300", "Vb", "base volume", q.BASE_VOLUME),
    Object("2:301", "VbD", "base volume in disturbance", q.BASE_VOLUME_DISTURBED),
    Object("2:302", "VbT", "base volume total", q.BASE_VOLUME_TOTAL),
    Object("2:310", "Qb", "base flow", q.BASE_FLOW),
    Object("4:300", "Vm", "actual volume", q.ACTUAL_VOLUME),
    Object("4:301", "VmD", "actual volume in disturbance", q.ACTUAL_VOLUME_DISTURBED),
    Object("4:302", "VmT", "actual volume total", q.ACTUAL_VOLUME_TOTAL),
    Object("4:310", "Qm", "actual flow", q.ACTUAL_FLOW),
    Object("1:210", "Qm", "actual flow", q.ACTUAL_FLOW),
    Object("5:310", "C", "conversion factor", q.CONVERSION_FACTOR),
    Object("6:310_1", "T", "gas temperature", q.TEMPERATURE),
    Object("7:310", "p", "gas pressure", q.PRESSURE),
    Object("8:310", "K", "compressibility ratio", q.COMPRESSIBILITY),
    Object("6:312", "Tb", "base temperature", q.BASE_TEMPERATURE),
    Object("7:312", "pb", "base pressure", q.BASE_PRESSURE),
    Object("2:404", "BatR", "remaining battery life", q.BATTERY_LIFE),
    Object("2:777", "GSML", "GSM signal level", q.SIGNAL_LEVEL),
    Object("1:100", "Stat", "momentary status, all", q.STATUS),
    Object("2:100", "St.Sy", "momentary status, system", q.STATUS),
    Object("1:101", "SReg", "status register, all", q.STATUS_REGISTER),
    Object("2:101", "SR.Sy", "status register, system", q.STATUS_REGISTER),
    *(Object(f"{number}:110", f"St.{number}", f"momentary status {number}", q.STATUS) for number in range(1, 10)),
    *(
        Object(f"{number}:111", f"SR.{number}", f"status register {number}", q.STATUS_REGISTER)
        for number in range(1, 10)
    ),
    Object("1:302", "W", "energy", q.ENERGY),
    Object("5:311", "C.F", "conversion factor, substitute"),
    Object("6:311_1", "T.F", "temperature, substitute"),
    Object("7:311", "p.F", "pressure, substitute"),
    Object("8:311", "K.F", "compressibility ratio, substitute"),
    Object("8:317", "Md.K", "way of calculating K"),
    Object("9:311", "z", "real gas factor"),
    Object("10:312", "Ho.b", "calorific value"),
    Object("11:314", "CO2", "carbon dioxide"),
    Object("12:314", "H2", "hydrogen"),
    Object("14:314", "N2", "nitrogen"),
    Object("13:314_1", "Rhob", "base density"),
    Object("15:314", "dv", "relative density"),
    Object("6:212_1", "pAir", "atmospheric pressure, substitute"),
    Object("1:222", "SNM", "gas meter's serial number"),
    Object("5:222", "SNT", "temperature sensor's serial number"),
    Object("6:222", "SNP", "pressure sensor's serial number"),
    Object("1:253", "cp.I1", "pulses per cubic metre, input 1"),
    Object("1:407", "MdTim", "summer or winter time"),
    Object("1:141", "DayB1", "day boundary 1"),
    Object("2:141", "DayB2", "day boundary 2 (gas day)"),
    Object("4:150", "MPer", "measurement period"),
    Object("1:1F0", "MCyc", "measuring cycle"),
    Object("1:1F1", "OCyc", "operating cycle"),
)
BY_ADDRESS = {known.address: known for known in _ALL}

_COMMON = ("2:300", "2:301", "2:302", "2:310", "4:300", "4:301", "4:302", "4:310", "5:310", "6:310_1", "7:310")
EK_LIVE = (*_COMMON, "8:310", "6:312", "7:312", "1:100", "1:101", "2:404", "2:777")
TC_LIVE = (*_COMMON, "6:312", "7:312", "1:100", "1:101", "2:404")
ELSEWHERE = {"4:310": "1:210"}
"""Where some devices keep a live value that they do not have at its usual address."""
CLOCK = "1:400"
GAS_DAY = "2:141"
STATUS = "1:100"
STATUS_PARTS = ("2:100", *(f"{number}:110" for number in range(1, 10)))
"""Where the messages of the momentary status come from: the system's own and those of each status (lis200.md 2.4, a
guess from how event codes are made; a device without them says so)."""

_SETTINGS = {
    "1:174": "minutes until lock 1 (calibration) closes by itself",
    "2:174": "minutes until lock 2 (manufacturer) closes by itself",
    "3:174": "minutes until lock 3 (supplier) closes by itself",
    "4:174": "minutes until lock 4 (customer) closes by itself",
    "1:207": "mode of input 1",
    "2:207": "mode of input 2",
    "2:253": "pulses per cubic metre, input 2",
    "5:223": "temperature sensor's type",
    "5:224_1": "temperature sensor's range, low",
    "5:225_1": "temperature sensor's range, high",
    "6:223": "pressure sensor's type",
    "6:224": "pressure sensor's range, low",
    "6:225": "pressure sensor's range, high",
    "7:222": "differential-pressure sensor's serial number",
    "7:223": "differential-pressure sensor's type",
    "7:224_1": "differential-pressure sensor's range, low",
    "7:225_1": "differential-pressure sensor's range, high",
    "7:212_1": "differential pressure",
    "6:314_1": "reference temperature of the gas analysis",
    "6:317": "way of measuring the temperature",
    "7:314_1": "reference pressure of the gas analysis",
    "7:317": "way of measuring the pressure",
    "10:311": "calorific value (by firmware)",
    "10:314": "calorific value (by firmware)",
    "10:36C": "calorific value (by firmware)",
    "2:704": "RS-485 bus mode",
    "2:705": "mode of interface 2",
    "2:707": "data format of interface 2",
    "2:708": "baud rate of interface 2",
    "2:70A": "type of interface 2",
    "2:720": "rings before answering",
    "3:424": "ambient temperature range",
    "4:3A0": "actual flow, alarm limit high",
    "4:3A8": "actual flow, alarm limit low",
    "4:311": "actual flow, substitute high",
    "4:315": "actual flow, substitute low",
    "6:3A0_1": "temperature, alarm limit high",
    "6:3A8_1": "temperature, alarm limit low",
    "7:3A0": "pressure, alarm limit high",
    "7:3A8": "pressure, alarm limit low",
    "8:150": "flow, warning limit low",
    "8:158": "flow, warning limit high",
    "8:154": "source of the monitored flow",
    "9:150": "temperature, warning limit low",
    "9:158": "temperature, warning limit high",
    "10:150": "pressure, warning limit low",
    "10:158": "pressure, warning limit high",
    "20:150": "differential pressure, warning limit low",
    "20:158": "differential pressure, warning limit high",
    "11:150": "monitoring of input 2",
    "12:150": "monitoring of input 3",
    "14:150": "call window 5, start",
    "14:158": "call window 5, end",
    "2:7B0": "Modbus word order",
    "2:7B1": "Modbus transfer mode",
    "2:7B2": "Modbus slave address",
    "2:7B8": "Modbus register size",
    "2:7B9": "Modbus addressing",
}
"""Settings in words, as drivers and manuals name them; they are shown when somebody reads them, and never asked for."""

_OF_EVERY_ENTITY = {
    "110": "momentary status {0}",  # those above 9; general knowledge, not confirmed
    "111": "status register {0}",  # general knowledge, not confirmed
    "D70": "connection {0}: event that opens it",
    "D72": "connection {0}: interface",
    "D75": "connection {0}: type of event",
    "D76": "connection {0}: power supply",
    "D77": "connection {0}: protocol",
    "D79": "connection {0}: IP information",
}


def words(address: str) -> str:
    """What stands at an address: ``VmT actual volume total``, empty when unknown."""
    known = BY_ADDRESS.get(address)
    if known is not None:
        return f"{known.name} {known.words}"
    entity, _, number = address.partition(":")
    if number == "170":
        return f"state of lock {entity} ({LOCKS.get(entity, 'unknown')})"
    if number == "171":
        return f"code for lock {entity} ({LOCKS.get(entity, 'unknown')})"
    return _SETTINGS.get(address) or _OF_EVERY_ENTITY.get(number, "").format(entity)


LOCKS = {"1": "calibration", "2": "manufacturer", "3": "supplier", "4": "customer", "5": "data reader"}
READERS_LOCKS = ("3", "4", "5")
"""Those a head-end opens in order to read."""
