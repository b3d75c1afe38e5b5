"""The one way out: nothing but reading, and opening and closing a lock, can leave towards a device.

Judged from the octets themselves, not from the objects they were made of, so that no value smuggled into a telegram
(an address, an access code) can make another telegram of it. The calibration and manufacturer locks (1, 2) are never
touched: no reading needs them, and opening them is an intervention under metrological law.
"""

from __future__ import annotations

import re

from gateway_server.codec.checksum import bcc
from gateway_server.codec.dialogue import Send
from gateway_server.codec.parity import add_even
from gateway_server.errors import CodecError

from .messages import MASK, Command, Message, encode

_CODE = r"[^\x00-\x1f()/!*\x7f-\xff]{1,32}"
_ALLOWED = re.compile(
    r"\x00{1,300}"
    r"|/\?[0-9A-Za-z]{0,32}!\r\n"
    r"|\x060[0-9A-I]1\r\n"
    r"|\x06|\x15"
    r"|\x01B0\x03"
    r"|\x01R1\x02\d{1,4}:[0-9A-F]{1,4}(_\d)?\.\d\((1|)\)\x03"
    r"|\x01R[13]\x02\d{1,2}:V\.[0-9A]\((1|\d{0,2};[-0-9,:.]{0,19};[-0-9,:.]{0,19};\d{0,3})\)\x03"
    r"|\x01W1\x02[345]:170\.0\(0\)\x03"
    rf"|\x01W1\x02[345]:171\.0\({_CODE}\)\x03"
    rf"|\x01P1\x02\([345]:{_CODE}\)\x03"
)
_SECRET = re.compile(rf"(\x01(?:W1\x02[345]:171\.0\(|P1\x02\([345]:)){_CODE}(\)\x03)")


def permitted(data: bytes) -> bytes:
    """The same plain octets, if they are a telegram that only reads or works a lock. Raises `CodecError` otherwise."""
    text = data.decode("latin-1")
    if text.startswith("\x01"):
        if len(data) < 2 or bcc(data[1:-1]) != data[-1]:
            raise CodecError("refused to send a telegram with a wrong BCC")
        text = text[:-1]
    if not _ALLOWED.fullmatch(text):
        raise CodecError(f"refused to send {text[:4]!r}...: only reading and lock telegrams may leave")
    return data


def outgoing(message: Message, *, even: bool) -> Send:
    """The wish to send a message; an access code in it, and the BCC that depends on it, do not show in the log."""
    try:
        data = permitted(encode(message))
    except UnicodeEncodeError:
        raise CodecError("refused to send characters that a device does not know") from None
    shown = None
    if isinstance(message, Command):
        text = data.decode("latin-1")
        if found := _SECRET.match(text):
            hidden = len(text) - len(found[1]) - len(found[2]) - 1
            shown = (found[1] + MASK * hidden + found[2] + MASK).encode("ascii")
    if even:
        return Send(add_even(data), None if shown is None else add_even(shown))
    return Send(data, shown)


def wake_up(count: int) -> Send:
    """NULs that wake a battery device (their parity bit is 0 as well)."""
    return Send(permitted(b"\0" * count))
