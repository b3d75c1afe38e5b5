"""Which requests read a map."""

from __future__ import annotations

from plugins.modbus.map import Entry
from plugins.modbus.pdu import Request, Table
from plugins.modbus.plan import Block, blocks, without_gaps
from tests.plugins.modbus.maps import codec_of

NARROW = """
reads: modbus
registers:
"""


def entries(*places: tuple[int, str, str]) -> tuple[Entry, ...]:
    lines = "".join(
        f"  - {{at: {at}, type: {kind}, table: {table}, quantity: temperature}}\n" for at, kind, table in places
    )
    return codec_of(NARROW + lines).map.entries


def requests(found: list[Block]) -> list[Request]:
    return [block.request for block in found]


def test_neighbours_are_asked_for_together_in_any_order_of_the_map() -> None:
    found = blocks(entries((2, "uint32", "holding"), (0, "uint32", "holding")), 125, 0)
    assert requests(found) == [Request(Table.HOLDING, 0, 4)]
    assert not found[0].has_gaps


def test_gap_is_read_along_up_to_the_limit() -> None:
    two = entries((0, "uint16", "holding"), (5, "uint16", "holding"))
    assert requests(blocks(two, 125, 4)) == [Request(Table.HOLDING, 0, 6)]
    assert requests(blocks(two, 125, 3)) == [Request(Table.HOLDING, 0, 1), Request(Table.HOLDING, 5, 1)]


def test_request_with_gaps_is_parted_into_ones_without() -> None:
    (joined,) = blocks(entries((0, "uint16", "holding"), (1, "uint16", "holding"), (5, "uint16", "holding")), 125, 8)
    assert joined.has_gaps
    assert requests(without_gaps(joined, 125)) == [Request(Table.HOLDING, 0, 2), Request(Table.HOLDING, 5, 1)]


def test_no_request_is_longer_than_the_device_takes_and_no_value_is_torn() -> None:
    many = entries(*((at, "uint32", "input") for at in range(0, 12, 2)))
    found = requests(blocks(many, 5, 8))
    assert found == [Request(Table.INPUT, at, 4) for at in (0, 4, 8)]


def test_tables_are_never_mixed() -> None:
    found = blocks(entries((0, "uint16", "holding"), (1, "uint16", "input"), (2, "bit", "coil")), 125, 99)
    assert [request.table for request in requests(found)] == [Table.COIL, Table.HOLDING, Table.INPUT]


def test_values_that_overlap_share_a_request() -> None:
    found = blocks(entries((0, "uint32", "holding"), (1, "uint16", "holding")), 125, 0)
    assert requests(found) == [Request(Table.HOLDING, 0, 2)]
    assert not found[0].has_gaps
