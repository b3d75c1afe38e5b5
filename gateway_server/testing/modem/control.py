"""A hand on a bank of simulated modems: lines of text over TCP switch its mains, pull its plugs, call it.

    power modem1                    its mains are switched off and on, as an operator's power-cycle command does
    unplug modem1 10                the cable is pulled for ten seconds
    ring modem1 +79160000001        that number calls it
    state modem1                    is it in a call?

Each line is answered ``ok`` or with what is wrong; the last one ``on hook``, ``off hook`` or ``hung``.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import IListeningPort, IReactorTCP
from twisted.internet.protocol import ServerFactory
from twisted.protocols.basic import LineOnlyReceiver

from gateway_server.testing.fake_modem import FakeModem
from gateway_server.testing.modem.phone_book import PhoneBook

WORDS = "power MODEM, unplug MODEM SECONDS, ring MODEM NUMBER, state MODEM"


class ModemControl(LineOnlyReceiver):
    """Does what one connection says."""

    delimiter = b"\n"

    def __init__(self, modems: Sequence[FakeModem], book: PhoneBook) -> None:
        self._modems = {modem.name: modem for modem in modems}
        self._book = book

    def lineReceived(self, line: bytes) -> None:
        answer = self.told(line.decode("utf-8", "replace").split()).encode("utf-8")
        self.sendLine(answer)  # type: ignore[no-untyped-call]  # Twisted's

    def told(self, words: list[str]) -> str:
        """Does one thing; says how it went."""
        verb, name, argument = (*words, "", "", "")[:3]
        modem = self._modems.get(name)
        if verb not in {"power", "unplug", "ring", "state"}:
            return f"not understood; one of: {WORDS}"
        if modem is None:
            return f"there is no modem {name!r}; choose from: {', '.join(self._modems)}"
        if verb == "state":
            return "off hook" if modem.off_hook else "hung" if modem.hung else "on hook"
        if verb == "power":
            modem.cycle_power()
        elif verb == "unplug":
            if not argument.replace(".", "", 1).isdecimal():
                return f"{argument!r} is no number of seconds"
            modem.unplug(float(argument))
        else:
            subscriber = self._book.find(argument)
            if subscriber is None:
                return f"{argument!r} is not in the phone book"
            if not modem.ring(subscriber):
                return f"{name} is in a call, or has no network"
        return "ok"


class ModemControlServer(ServerFactory):
    """Listens for such lines."""

    noisy = False

    def __init__(self, modems: Sequence[FakeModem], book: PhoneBook) -> None:
        self._modems = modems
        self._book = book

    def buildProtocol(self, addr: object) -> ModemControl:
        """A connection's."""
        return ModemControl(self._modems, self._book)


def listen_control(
    reactor: IReactorTCP, modems: Sequence[FakeModem], book: PhoneBook, host: str, port: int
) -> IListeningPort:
    """Opens the place where such lines are heard; port 0 finds a free one."""
    return reactor.listenTCP(port, ModemControlServer(modems, book), backlog=5, interface=host)
