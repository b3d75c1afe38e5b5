"""Meters by a declarative profile: a YAML file that says ``reads: meter_profile`` is a codec.

The language is that of docs/profile.md; what runs it is `gateway_server.codec.meter_profile`.
"""

from __future__ import annotations

from gateway_server.codec.declaration import Declaration
from gateway_server.codec.meter_profile.codec import ProfileCodec, make_codec
from gateway_server.codec.meter_profile.parse import parse_profile


def declared(declaration: Declaration) -> ProfileCodec:
    """The codec of a profile. Raises `OperatorError` for what is wrong with it, naming the line."""
    return make_codec(parse_profile(declaration))
