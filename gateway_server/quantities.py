"""What gas meters measure, by one name each, with its OBIS code.

Volumes "at measurement conditions" are called actual, "at base conditions" base (EN 12405). Disturbed counters run
instead of the main ones while an alarm is on; total ones run always. ``_mean`` is the average over the archive's
period, ``_max`` and ``_min`` the extremes in it.

OBIS codes are those of EN 13757-1, medium 7 (gas), of converters, as the maker's own DLMS driver of the EK280 and its
driver for LIS-200 devices use them. A code left empty is one that could not be confirmed.
"""

from __future__ import annotations

from gateway_server.model import Quantity


def _volume(name: str, obis: str) -> Quantity:
    return Quantity(name, obis, "m3", cumulative=True)


BASE_VOLUME = _volume("base_volume", "7-0:11.2.0")
BASE_VOLUME_DISTURBED = _volume("base_volume_disturbed", "7-0:12.2.0")
BASE_VOLUME_TOTAL = _volume("base_volume_total", "7-0:13.2.0")
ACTUAL_VOLUME = _volume("actual_volume", "7-0:11.0.0")
ACTUAL_VOLUME_DISTURBED = _volume("actual_volume_disturbed", "7-0:12.0.0")
ACTUAL_VOLUME_TOTAL = _volume("actual_volume_total", "7-0:13.0.0")
ENERGY = Quantity("energy", "7-0:33.2.0", "", cumulative=True)
BASE_FLOW = Quantity("base_flow", "7-0:43.2.0", "m3/h")
ACTUAL_FLOW = Quantity("actual_flow", "7-0:43.0.0", "m3/h")
TEMPERATURE = Quantity("temperature", "7-0:41.0.0", "°C")
TEMPERATURE_MEAN = Quantity("temperature_mean", "7-0:41.42.0", "°C")
TEMPERATURE_2 = Quantity("temperature_2", "", "°C")
PRESSURE = Quantity("pressure", "7-0:42.0.0", "bar")
PRESSURE_MEAN = Quantity("pressure_mean", "7-0:42.42.0", "bar")
PRESSURE_DIFFERENCE = Quantity("pressure_difference")
CONVERSION_FACTOR = Quantity("conversion_factor", "7-0:52.0.0")
CONVERSION_FACTOR_MEAN = Quantity("conversion_factor_mean", "7-0:52.0.16")
COMPRESSIBILITY = Quantity("compressibility", "7-0:53.0.0")
COMPRESSIBILITY_MEAN = Quantity("compressibility_mean", "7-0:53.0.16")
BASE_TEMPERATURE = Quantity("base_temperature", "7-0:41.2.0")
BASE_PRESSURE = Quantity("base_pressure", "7-0:42.2.0")
CLOCK = Quantity("clock", "0-0:1.0.0")
BATTERY_LIFE = Quantity("battery_life", "0-0:96.6.6", "months")
SIGNAL_LEVEL = Quantity("signal_level", "0-0:96.12.5")
STATUS = Quantity("status", "7-0:96.5.0")
STATUS_REGISTER = Quantity("status_register")
