"""The single values a simulated meter knows by address, and what it says of each.

Addresses: drivers of EK and TC correctors. Status addresses (``1:100`` ...) and attributes .1 and .5 to .7 are guesses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway_server.testing.lis200.layouts import FakeModel

UNKNOWN_ADDRESS = 1
UNKNOWN_OBJECT = 2
UNKNOWN_ENTITY = 3
UNKNOWN_ATTRIBUTE = 4
NO_SUCH_ATTRIBUTE = 5

ADDRESS = re.compile(r"(?:\d+-)?0*(\d+):0*([0-9A-Fa-f]+?)(_1)?(?:\.(\w))?\Z")
UNIT_CODES = {"m3": 13, "m3/h": 14, "bar": 5, "kPa": 6, "{C": 2, "K": 3, "MWh": 21, "min": 31, "s": 30}


@dataclass(frozen=True, slots=True)
class FakeObject:
    """One object: its short name, its unit, and either a fixed text or the key of a live value."""

    name: str
    unit: str = ""
    text: str = ""
    key: str = ""
    identity: bool = False  # readable whatever is locked, unless everything is


@dataclass(frozen=True, slots=True)
class Address:
    """An asked address: ``core`` without prefix, zeros and attribute."""

    core: str
    attribute: str


def parse_address(text: str) -> Address | None:
    """An address as a client writes it; None for what is none."""
    found = ADDRESS.match(text)
    if found is None:
        return None
    return Address(f"{found[1]}:{found[2].upper()}{found[3] or ''}", (found[4] or "0").upper())


def objects(model: FakeModel, serial: str) -> dict[str, FakeObject]:
    """All readable objects of a model except clock and locks, by address core."""
    pressure = "kPa" if model.kilopascal else "bar"
    known = {
        "1:180": FakeObject("SNo", text=serial, identity=True),
        "1:181": FakeObject("Typ", text=model.type_text, identity=True),
        "2:190": FakeObject("Vers", text=model.software, identity=True),
        "2:191": FakeObject("Chk", text="48127"),
        "3:180": FakeObject("St.No", text=f"7{serial[-4:]}"),
        "1:222": FakeObject("GNo", text=f"9{serial[-6:]}"),
        "2:300": FakeObject("Vb", "m3", key="vb"),
        "2:301": FakeObject("VbD", "m3", key="vbd"),
        "2:302": FakeObject("VbT", "m3", key="vbt"),
        "2:310": FakeObject("Qb", "m3/h", key="qb"),
        "4:300": FakeObject("V", "m3", key="v"),
        "4:301": FakeObject("VD", "m3", key="vd"),
        "4:302": FakeObject("VT", "m3", key="vt"),
        "4:310": FakeObject("Q", "m3/h", key="q"),
        "5:310": FakeObject("C", key="c"),
        "5:311": FakeObject("C.F", text="1.0000"),
        "6:310_1": FakeObject("T", "{C", key="t"),
        "6:311_1": FakeObject("T.F", "{C", text="10.00"),
        "6:312": FakeObject("Tb", "K", text="293.15"),
        "7:310": FakeObject("p", pressure, key="p"),
        "7:311": FakeObject("p.F", pressure, text="101.325" if model.kilopascal else "1.01325"),
        "7:312": FakeObject("pb", pressure, text="101.325" if model.kilopascal else "1.01325"),
        "8:310": FakeObject("K", key="k"),
        "8:311": FakeObject("K.F", text="1.0000"),
        "8:317": FakeObject("Md.K", text="2"),
        "10:312": FakeObject("Ho.b", "kWh/m3", text="10.542"),
        "11:314": FakeObject("CO2", "%", text="0.15"),
        "12:314": FakeObject("H2", "%", text="0.00"),
        "14:314": FakeObject("N2", "%", text="0.91"),
        "13:314_1": FakeObject("Rhob", "kg/m3", text="0.6812"),
        "1:407": FakeObject("SuWi", text="0"),
        "2:141": FakeObject("DayB", text="10:00"),
        "4:150": FakeObject("MPer", "min", text="60"),
        "1:1F0": FakeObject("MCyc", "s", text="20"),
        "1:1F1": FakeObject("OCyc", "s", text="20"),
        "2:404": FakeObject("Bat.R", "MON", text="47"),
        "1:253": FakeObject("cp.I1", "1/m3", text="1"),
        "1:100": FakeObject("Stat", text="13"),
        "1:101": FakeObject("SReg", text="0"),
        "2:100": FakeObject("St.Sy", text="13"),
        "2:101": FakeObject("SR.Sy", text="0"),
        **{f"{status}:110": FakeObject(f"St.{status}", text="0") for status in range(1, 10)},
        **{f"{status}:111": FakeObject(f"SR.{status}", text="0") for status in range(1, 10)},
    }
    if model.is_tc:
        absent = ("2:300", "8:310", "10:312", "11:314", "12:314", "14:314", "13:314_1", "4:310", "8:317")
        flow = known["4:310"]
        known = {address: what for address, what in known.items() if address not in absent}
        known["1:210"] = flow
    if model.name == "ek280":
        known["2:7B2"] = FakeObject("MBAdr", text="1")
    return known


def attribute_text(what: FakeObject, address: str, attribute: str) -> str:
    """What the object says under an attribute other than its value. KeyError for attributes there are none of."""
    return {
        "1": "R",
        "2": what.name,
        "3": what.unit,
        "4": address,
        "5": str(UNIT_CODES.get(what.unit, 0)),
        "6": "0",
        "7": "4" if what.key else "11",
    }[attribute]
