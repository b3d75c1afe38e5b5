"""What tells the size of a frame by its header: a length field, or an expression over the header's fields."""

from __future__ import annotations

from collections.abc import Callable

from gateway_server.codec.meter_profile.evaluation import compiled
from gateway_server.codec.meter_profile.form import Framing, Integer, Order
from gateway_server.codec.meter_profile.layout import Layout, size_of
from gateway_server.codec.meter_profile.parts import sequence
from gateway_server.errors import CodecError

_ENDIANS = {Order.BIG: "big", Order.LITTLE: "little"}


def size_told_by(layout: Layout) -> Callable[[bytes], int] | None:
    """What tells a frame's size by its plain header; None if something else tells it. Raises `CodecError`."""
    framing = layout.framing
    if framing.length is None and framing.size is None:
        return None
    header = sequence(framing.header) if framing.header else None
    if framing.length is not None:
        name, unit, uncounted = framing.length.field, framing.length.unit, framing.length.uncounted

        if (place := _plain_place(framing)) is not None:
            start, stop, endian = place
            return lambda data: int.from_bytes(data[start:stop], endian) * unit + uncounted  # type: ignore[arg-type]  # a word

        def by_length(data: bytes) -> int:
            values: dict[str, object] = {}
            assert header is not None
            header(data, 0, len(data), values, None)
            number = values[name]
            if type(number) is not int or not 0 <= number < 1 << 32:
                raise CodecError(f"{name} is no length")
            return number * unit + uncounted

        return by_length
    assert framing.size is not None
    size = compiled(framing.size)

    def by_size(data: bytes) -> int:
        values: dict[str, object] = {}
        if header is not None:
            header(data, 0, len(data), values, None)
        number = size(values)
        if type(number) is not int:
            raise CodecError("the size of the frame is no whole number")
        return number

    return by_size


def _plain_place(framing: Framing) -> tuple[int, int, str] | None:
    """Where in the header the length stands and its endianness, if no field of the header has to be a certain value."""
    at = 0
    assert framing.length is not None
    found = None
    for field in framing.header:
        size = size_of(field)
        type_ = field.type
        if field.must_be or field.equals is not None or field.check is not None or field.scale is not None:
            return None
        if field.name == framing.length.field:
            if not isinstance(type_, Integer) or type_.signed or type_.order not in _ENDIANS or size > 4:
                return None
            found = at, at + size, _ENDIANS[type_.order]
        at += size
    return found
