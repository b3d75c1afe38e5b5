"""Route strings, and what is said about wrong ones."""

from __future__ import annotations

import pytest

from gateway_server.errors import OperatorError
from gateway_server.transports.routes import CallerRoute, CsdRoute, FtpRoute, Route, SerialRoute, TcpRoute, parse_route


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("tcp:10.8.0.17:4001", TcpRoute("10.8.0.17", 4001)),
        ("tcp:[fd00::17]:4001", TcpRoute("fd00::17", 4001)),
        ("tcp:meter.example:1", TcpRoute("meter.example", 1)),
        ("caller:356938035643809", CallerRoute("356938035643809")),
        ("caller:LOGIN:1001", CallerRoute("LOGIN:1001")),
        ("serial:/dev/ttyACM0", SerialRoute("/dev/ttyACM0", 19200, "8N1")),
        ("serial:/dev/ttyUSB0:9600", SerialRoute("/dev/ttyUSB0", 9600, "8N1")),
        ("serial:/dev/ttyUSB0:300:7e1", SerialRoute("/dev/ttyUSB0", 300, "7E1")),
        ("csd:+79161234567", CsdRoute("+79161234567")),
        ("csd:79161234567@7", CsdRoute("79161234567", "7")),
        ("ftp:meter7", FtpRoute("meter7")),
    ],
)
def test_route_is_understood(text: str, route: Route) -> None:
    assert parse_route(text) == route


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("", "a route is tcp:HOST:PORT"),
        ("tcp:", "a route is tcp:HOST:PORT"),
        ("udp:1.2.3.4:5", "'udp' is none of"),
        ("tcp:1.2.3.4", "host and port"),
        ("tcp:1.2.3.4:0", "host and port"),
        ("tcp:1.2.3.4:65536", "host and port"),
        ("serial:/dev/ttyACM0:9601", "'9601' is no speed"),
        ("serial:/dev/ttyACM0:9600:9N1", "'9N1' is no format"),
        ("serial:/dev/ttyACM0:9600:8N1:x", "port, speed and format"),
        ("csd:home", "phone number"),
        ("csd:112", "emergency number"),
        ("csd:101@m1", "emergency number"),
        ("ftp:a b", "a login"),
    ],
)
def test_wrong_route_is_told_in_words(text: str, because: str) -> None:
    with pytest.raises(OperatorError, match=because):
        parse_route(text)
