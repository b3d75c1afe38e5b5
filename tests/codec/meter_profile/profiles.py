"""Profiles written in a test: the shortest frame around what the test is about."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from textwrap import dedent, indent

from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.declaration import declaration_of
from gateway_server.codec.meter_profile.codec import ProfileCodec, make_codec
from gateway_server.codec.meter_profile.form import MeterProfile
from gateway_server.codec.meter_profile.parse import parse_profile


def profile_of(text: str, name: str = "test") -> MeterProfile:
    """The profile that a text says."""
    return parse_profile(declaration_of(dedent(text).encode(), Path(f"{name}.yaml")))


def codec_of(text: str) -> ProfileCodec:
    """The codec of a profile that a text says."""
    return make_codec(profile_of(text))


def framed(framing: str, fields: str = "{name: body, type: bytes}") -> ProfileCodec:
    """A codec with this framing and one message in it; ``fields`` as in `with_fields`."""
    return codec_of(
        "reads: meter_profile\nframing:\n  - name: frame\n"
        + indent(dedent(framing).strip("\n"), "    ")
        + "\nmessages:\n  - name: message\n    from: both\n    fields:\n"
        + indent(_listed(fields), "      ")
        + "\n"
    )


def with_fields(fields: str, more: str = "") -> ProfileCodec:
    """A codec whose frames are a size byte and these fields: a list as YAML has it, or one a line."""
    return codec_of(
        "reads: meter_profile\nframing: {name: frame, header: [{name: length, type: u8}], length: {field: length}}\n"
        "messages:\n  - name: message\n    from: both\n    fields:\n"
        + indent(_listed(fields), "      ")
        + "\n"
        + indent(dedent(more).strip("\n"), "    ")
        + "\n"
    )


def _listed(fields: str) -> str:
    text = dedent(fields).strip()
    return text if text.startswith("- ") else "\n".join(f"- {line}" for line in text.splitlines())


def values_of(codec: ProfileCodec, body: bytes) -> dict[str, object]:
    """What a frame with this body says, of a codec `with_fields`."""
    frame = Frame("frame", bytes([len(body)]) + body)
    said = codec.decode(frame)
    assert codec.encode(said) == frame.data
    return {name: value for name, value in said.values.items() if name not in ("length", "left")}


def frames(codec: ProfileCodec, *chunks: bytes) -> list[Frame]:
    """The frames of a stream, noise that touches put together."""
    framer = codec.framer()
    found: list[Frame] = []
    for chunk in chunks:
        framer.feed(chunk)
        while (frame := framer.next_frame()) is not None:
            found.append(frame)
    while (frame := framer.flush()) is not None:
        found.append(frame)
    return list(_merged(found))


def _merged(found: Iterable[Frame]) -> Iterable[Frame]:
    noise: Frame | None = None
    for frame in found:
        if frame.kind == NOISE:
            noise = frame if noise is None else Frame(NOISE, noise.data + frame.data, noise.start)
            continue
        if noise is not None:
            yield noise
            noise = None
        yield frame
    if noise is not None:
        yield noise


def kinds(found: Iterable[Frame]) -> list[tuple[str, bytes]]:
    """What frames they are, and their bytes."""
    return [(frame.kind, frame.data) for frame in found]


def every_cut(codec: ProfileCodec, stream: bytes) -> list[tuple[str, bytes]]:
    """The frames of a stream, which are the same however it was cut."""
    whole = kinds(frames(codec, stream))
    assert kinds(frames(codec, *[bytes([byte]) for byte in stream])) == whole
    for at in range(1, len(stream)):
        assert kinds(frames(codec, stream[:at], stream[at:])) == whole
    assert b"".join(data for _, data in whole) == stream
    return whole
