"""What a dialogue's variable gets from what is known of the meter, with every zero that somebody wrote."""

from __future__ import annotations

from gateway_server.codec.meter_profile.as_written import number_as_written
from gateway_server.codec.meter_profile.form import Constant, Given, Variable
from gateway_server.model import KnownMeter


def given(variable: Variable, meter: KnownMeter) -> Constant | None:
    """What a variable gets from what is known of the meter; None to leave it as it is.

    It is a text, unless the variable begins as a number and digits are what is known.
    """
    match variable.given:
        case Given.ADDRESS:
            text = meter.address
        case Given.ACCESS_CODE:
            text = meter.access_code.rpartition(":")[2]
        case Given.SERIAL:
            text = meter.serial
        case Given.MEMORY:
            text = meter.memory.get(variable.name, "")
        case Given.START:
            text = ""
    if not text:
        return None
    number = number_as_written(text) if isinstance(variable.start, int) else None
    return text if number is None else number
