"""Why bytes that begin like a frame are none: what whoever writes a profile wants to know of its noise."""

from __future__ import annotations

from collections.abc import Iterable

from gateway_server.codec.meter_profile.layout import Layout
from gateway_server.codec.meter_profile.notation import show_bytes
from gateway_server.codec.meter_profile.sizing import size_told_by
from gateway_server.errors import CodecError


def why_noise(layouts: Iterable[Layout], data: bytes) -> str:
    """What keeps the first start bytes within some noise from beginning a frame; empty if there are none."""
    for layout in layouts:
        start = layout.framing.start
        at = data.find(start) if start else -1
        while at >= 0:
            if why := _why(layout, data[at:]):
                return f"{layout.framing.name}: {why}"
            at = data.find(start, at + 1)
    return ""


def _why(layout: Layout, data: bytes) -> str:
    framing, behind = layout.framing, data[len(layout.framing.start) :]
    told = size_told_by(layout)
    if told is None:
        return _why_no_end(layout, behind)
    if layout.coding.changes or len(behind) < layout.header_size:
        return ""  # what the header says is not plain, or not here
    try:
        size = told(behind[: layout.header_size])
    except CodecError as error:
        return str(error)
    if size < layout.least:
        return f"its header says {size} bytes, fewer than the {layout.least} of any"
    end = size - layout.behind
    if framing.end and size <= len(data) and data[end : end + len(framing.end)] != framing.end:
        return f"{show_bytes(framing.end)} does not stand where its header says that it ends"
    return ""


def _why_no_end(layout: Layout, behind: bytes) -> str:
    framing = layout.framing
    before, mark, _ = behind.partition(framing.end) if framing.end else (behind, b"", b"")
    if framing.characters and (strange := before.translate(None, framing.characters)):
        return f"{strange[:1].hex().upper()} is none of its characters"
    return f"its end {show_bytes(framing.end)} does not come" if framing.end and not mark else ""
