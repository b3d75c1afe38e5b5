"""Whatever a profile says and whatever a meter sends: nothing crashes, hangs or grows.

Profiles are made at random, and the reference one is damaged at random; each is refused with its line, or runs.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_server.codec.codec import NOISE, SENT, Answers, Asks, Frame
from gateway_server.codec.declaration import declaration_of
from gateway_server.codec.dialogue import Findings, Identify, Receive
from gateway_server.codec.meter_profile.codec import ProfileCodec, make_codec
from gateway_server.codec.meter_profile.parse import parse_profile
from gateway_server.codec.registry import bundled_plugins
from gateway_server.errors import CodecError, GatewayError, MeterSilent, OperatorError
from gateway_server.model import Event, KnownMeter, Reading, Row, Saved
from tests.codec.meter_profile.profiles import frames as cut
from tests.codec.meter_profile.profiles import kinds

REFERENCE = (bundled_plugins() / "reference-push.yaml").read_text("utf-8")
patiently = settings(
    max_examples=int(os.environ.get("CONTRACT_EXAMPLES", "40")),
    derandomize="CONTRACT_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
"""As in the contract tests: CONTRACT_EXAMPLES=1000 looks for new ones."""

names = st.sampled_from("abcdefgh")
expressions = st.sampled_from(
    ["a", "b", "a + 1", "a * b", "a // b", "3", "left", "left - 1", "pow10(a)", "0 - 1", "c.word"]
)
constants = st.sampled_from(["0", "1", "255", "-1", "'AB'", "0x10"])
notations = st.sampled_from(["7E", "'AB'", "CR LF", "00", "68", "FF FF", "'$'"])
types = st.sampled_from(
    [
        {"type": "u8"},
        {"type": "i24"},
        {"type": "u64", "order": "little"},
        {"type": "u32", "order": "word_swapped"},
        {"type": "bcd", "size": "3", "sign": "nibble_f"},
        {"type": "float", "digits": "7"},
        {"type": "double", "places": "3"},
        {"type": "number"},
        {"type": "text", "encoding": "koi8-r", "pad": "20"},
        {"type": "bytes"},
        {"type": "time", "since": "unix", "size": "8", "unit": "milliseconds"},
        {"type": "time", "bcd": "YY MM DD hh mm ss"},
        {"type": "time", "text": "hhmmss"},
        {"type": "time", "packed": {"year": "0-6", "month": "7-10", "day": "11-15"}, "size": "2"},
        {"type": "bits", "parts": [{"name": "x", "bits": "0-3"}, {"name": "y", "bits": "7"}]},
        {"type": "flags", "words": {"0": "low", "7": "high"}},
    ]
)


def optional(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


def merged(*parts: dict[str, Any]) -> dict[str, Any]:
    return {key: value for part in parts for key, value in part.items()}


fields = st.builds(
    merged,
    st.fixed_dictionaries({"name": names}),
    types,
    optional(**{"if": expressions, "is": constants, "scale": expressions, "equals": expressions}),
    st.one_of(optional(size=expressions), optional(until=notations)),
)
parts: st.SearchStrategy[Any] = st.recursive(
    fields,
    lambda inner: st.one_of(
        st.builds(
            merged,
            st.fixed_dictionaries({"group": names, "fields": st.lists(inner, min_size=1, max_size=4)}),
            st.one_of(
                optional(count=expressions),
                st.just({"repeat": "to_end"}),
                st.fixed_dictionaries({"until": notations}),
                optional(add=st.just("51"), size=expressions),
            ),
        ),
        st.builds(
            merged,
            st.fixed_dictionaries(
                {
                    "choose": expressions,
                    "cases": st.lists(
                        st.fixed_dictionaries({"is": constants, "fields": st.lists(inner, min_size=1, max_size=3)}),
                        min_size=1,
                        max_size=2,
                    ),
                }
            ),
            optional(otherwise=st.lists(inner, min_size=1, max_size=2), size=expressions),
        ),
    ),
    max_leaves=8,
)
framings = st.builds(
    merged,
    st.fixed_dictionaries({"name": st.just("frame")}),
    optional(start=notations, characters=st.sampled_from(["text", "digits", "any"]), shared_end=st.just("yes")),
    st.one_of(
        st.fixed_dictionaries({"end": notations}),
        st.fixed_dictionaries({"size": st.sampled_from(["4", "1", "40"])}),
        st.fixed_dictionaries({"length": st.fixed_dictionaries({"at": st.sampled_from(["1", "2", "3"])})}),
        st.fixed_dictionaries({"gap": st.just("0.1")}),
        st.fixed_dictionaries({"end": notations, "coding": st.sampled_from(["hdlc", "slip", "dle", "hex"])}),
        st.fixed_dictionaries(
            {
                "coding": st.sampled_from(["hdlc", "slip", "dle", "hex"]),
                "length": st.fixed_dictionaries(
                    {
                        "at": st.sampled_from(["1", "2"]),
                        "counts": st.just("whole"),
                        "over": st.sampled_from(["plain", "wire"]),
                    }
                ),
            }
        ),
    ),
    optional(check=st.sampled_from(["sum8", "xor8", "CRC-16/MODBUS", "CRC-3/GSM"]), most=st.sampled_from(["64", "9"])),
)
profiles = st.builds(
    merged,
    st.fixed_dictionaries(
        {
            "reads": st.just("meter_profile"),
            "framing": framings,
            "messages": st.lists(
                st.builds(
                    merged,
                    st.fixed_dictionaries(
                        {"name": st.sampled_from(["one", "two", "three"]), "fields": st.lists(parts, max_size=5)}
                    ),
                    optional(
                        **{"from": st.sampled_from(["meter", "gateway", "both"])},
                        identify=st.fixed_dictionaries({"serial": expressions}),
                        rows=st.fixed_dictionaries(
                            {"values": st.fixed_dictionaries({"value": expressions, "quantity": st.just("pressure")})}
                        ),
                    ),
                ),
                min_size=1,
                max_size=3,
            ),
        }
    ),
    optional(
        parity=st.sampled_from(["even", "odd", "ignored"]),
        answer=st.just([{"listen": {"on": [{"message": "one", "reply": "two"}], "on_error": "two"}}]),
        read=st.just([{"send": "two", "receive": "one"}, {"while": "1", "do": [{"send": "two"}], "most": "3"}]),
    ),
)


def codec_of(document: str) -> ProfileCodec | None:
    """The codec of a profile, None if it is refused."""
    try:
        return make_codec(parse_profile(declaration_of(document.encode(), Path("any.yaml"))))
    except OperatorError:
        return None


def survives(codec: ProfileCodec, chunks: Sequence[bytes], chance: random.Random) -> None:
    """Everything a codec can be asked about these bytes."""
    stream = b"".join(chunks)
    framer = codec.framer()
    frames: list[Frame] = []
    for chunk in chunks:
        framer.feed(chunk)
        while (frame := framer.next_frame()) is not None:
            frames.append(frame)
    while (frame := framer.flush()) is not None:
        frames.append(frame)
    assert b"".join(frame.data for frame in frames) == stream
    whole = kinds(cut(codec, stream))
    assert kinds(cut(codec, *chunks)) == whole
    assert kinds(cut(codec, *[stream[at : at + 1] for at in range(len(stream))])) == whole
    interpreter = codec.interpreter()
    for frame in [*frames, Frame("frame", stream), Frame(SENT, stream)]:
        found = codec.dissect(frame)
        assert [field.start for field in found] == [0, *[field.end for field in found[:-1]]][: len(found)]
        assert not found or found[-1].end == len(frame.data)
        with suppress(CodecError):
            said = codec.decode(frame)
            assert codec.encode(said) == frame.data
        if frame.kind != NOISE:
            with suppress(CodecError):
                interpreter.received(frame)
        with suppress(CodecError):
            interpreter.sent(frame.data)
    if isinstance(codec, Answers):
        converse(codec, codec.answer(), frames)
    if isinstance(codec, Asks):
        converse(codec, codec.read(KnownMeter("1")), frames)
        converse(codec, codec.read(None), frames)


def converse(codec: ProfileCodec, dialogue: Any, frames: Sequence[Frame]) -> None:
    """Lets a meter that sends these frames and then nothing talk to a dialogue, which must come to an end."""
    left = [frame for frame in frames if frame.kind != NOISE]
    answer: object = None
    error: GatewayError | None = None
    try:
        for _ in range(5000):
            wish = dialogue.throw(error) if error else dialogue.send(answer)
            answer = error = None
            match wish:
                case Receive(kinds=kinds):
                    while left and kinds is not None and left[0].kind not in kinds:
                        left.pop(0)
                    answer, error = (left.pop(0), None) if left else (None, MeterSilent("nothing came"))
                case Identify(serial):
                    answer = KnownMeter(serial)
                case Findings() | Reading() | Row() | Event():
                    answer = Saved(new=1)
                case _:
                    pass
    except (StopIteration, GatewayError):
        return
    raise AssertionError("the dialogue goes on for ever")


@patiently
@given(document=profiles, chunks=st.lists(st.one_of(st.binary(max_size=60), notations.map(str.encode)), max_size=5))
def test_any_profile_is_refused_or_survives_any_bytes(document: dict[str, Any], chunks: list[bytes]) -> None:
    codec = codec_of(yaml.safe_dump(document))
    if codec is not None:
        survives(codec, chunks, random.Random(1))


@patiently
@given(
    line=st.integers(0, REFERENCE.count("\n") - 1),
    how=st.sampled_from(["drop", "twice", "swap", "number", "letter"]),
    other=st.integers(0, REFERENCE.count("\n") - 1),
    chunks=st.lists(st.binary(max_size=60), max_size=3),
)
def test_damaged_reference_profile_is_refused_or_runs(line: int, how: str, other: int, chunks: list[bytes]) -> None:
    lines = REFERENCE.splitlines()
    text = lines[line]
    match how:
        case "drop":
            lines[line] = ""
        case "twice":
            lines.insert(line, text)
        case "swap":
            lines[line], lines[other] = lines[other], text
        case "number":
            lines[line] = "".join("9" if one.isdigit() else one for one in text)
        case "letter":
            lines[line] = text[: other % (len(text) + 1)] + "x" + text[other % (len(text) + 1) :]
    codec = codec_of("\n".join(lines))
    if codec is not None:
        good = codec_of(REFERENCE)
        assert good is not None
        hello = good.machine.compiled.encode("hello", {"serial": "41203377", "firmware": "1"})
        survives(codec, [hello, *chunks], random.Random(1))


def test_yaml_that_repeats_itself_through_aliases_is_refused() -> None:
    bomb = "a0: &a0 {name: a, type: u8}\n" + "".join(
        f"a{n}: &a{n} {{group: g{n}, fields: [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 9)
    )
    document = (
        f"reads: meter_profile\nframing: {{name: frame, end: LF}}\nmessages: [{{name: m, fields: [*a8]}}]\n{bomb}"
    )
    for text in (document, document.replace("messages:", "zzz:"), bomb + document):
        assert codec_of(text) is None
    assert codec_of("reads: meter_profile\nframing: &f {name: frame, end: LF, header: [*f]}\nmessages: []\n") is None
