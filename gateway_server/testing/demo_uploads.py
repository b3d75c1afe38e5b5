"""The uploads of `gateway-server demo`: one unit whose files can be read, and one whose format nobody knows yet."""

from __future__ import annotations

from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTCP

from gateway_server.testing.uploaders import Uploaders, UploadOptions

PASSWORD = "demo"
_LASTS_S = 3600.0


@dataclass(frozen=True, slots=True)
class DemoUnit:
    """One unit of the scene; ``route`` is what the register knows it by."""

    serial: str
    name: str
    story: str
    form: str
    model: str = "ek280"
    files: int = 3

    @property
    def login(self) -> str:
        """Its account."""
        return f"unit{self.serial}"

    @property
    def route(self) -> str:
        """The route of its account."""
        return f"ftp:{self.login}"


UNITS = (
    DemoUnit("30012277", "Hospital", "uploads a day's rows at a time", "rows"),
    DemoUnit("30012281", "Greenhouse", "uploads in a format of its own", "unknown", files=1),
)


class DemoUploads:
    """The running uploads, towards the gateway's drop."""

    def __init__(self, reactor: IReactorTCP, host: str, port: int) -> None:
        self._uploaders = [
            Uploaders(
                reactor,
                UploadOptions(
                    call=f"{host}:{port}",
                    login=unit.login,
                    password=PASSWORD,
                    form=unit.form,
                    model=unit.model,
                    files=unit.files,
                    first_serial=int(unit.serial),
                    seconds=_LASTS_S,
                    retry_s=1.0,
                ),
            )
            for unit in UNITS
        ]

    def start(self) -> None:
        """They upload now."""
        for uploaders in self._uploaders:
            uploaders.start()

    def stop(self) -> None:
        """They hang up."""
        for uploaders in self._uploaders:
            uploaders.stop()
