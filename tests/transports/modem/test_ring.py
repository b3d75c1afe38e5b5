"""Who rings, told line by line (dossier A.8)."""

from __future__ import annotations

from twisted.internet.task import Clock

from gateway_server.transports.modem.ring import RING_PATIENCE, Bell, Ring


def heard(*lines: str) -> Ring:
    ring = Ring()
    for line in lines:
        ring.heard(line)
    return ring


def test_kind_and_number_come_with_the_rings() -> None:
    ring = heard("+CRING: REL ASYNC", '+CLIP: "+79161234567",145', "+CRING: REL ASYNC")
    assert (ring.rings, ring.kind, ring.number) == (2, "REL ASYNC", "+79161234567")


def test_plain_ring_has_neither() -> None:
    ring = heard("RING")
    assert (ring.rings, ring.kind, ring.number) == (1, "", "")


def test_number_that_the_network_hides_is_empty() -> None:
    assert heard("RING", '+CLIP: "",128').number == ""


def test_caller_that_has_gone_rings_no_more() -> None:
    assert heard("RING", "NO CARRIER").rings == 0


def test_other_lines_are_no_ring() -> None:
    ring = Ring()
    assert not ring.heard("+CREG: 1")
    assert not ring.heard("STRING")
    assert ring.rings == 0


class Ears:
    def __init__(self) -> None:
        self.clock = Clock()
        self.numbers: list[str] = []
        self.bell = Bell(
            lambda seconds, work: self.clock.callLater(seconds, work), lambda ring: self.numbers.append(ring.number)
        )

    def hear(self, *lines: str) -> None:
        for line in lines:
            self.bell.heard(line)


def test_call_is_told_once_as_soon_as_its_number_has_come() -> None:
    ears = Ears()
    ears.hear("RING", '+CLIP: "+79161234567",145')
    assert ears.numbers == ["+79161234567"]
    ears.clock.advance(RING_PATIENCE)
    assert ears.numbers == ["+79161234567"]


def test_call_without_a_number_is_told_when_none_has_come_for_a_while() -> None:
    ears = Ears()
    ears.hear("RING")
    ears.clock.advance(RING_PATIENCE - 1)
    assert ears.numbers == []
    ears.hear("RING")
    ears.clock.advance(1)
    assert ears.numbers == [""]


def test_caller_that_gave_up_or_is_forgotten_is_not_told() -> None:
    ears = Ears()
    ears.hear("RING", "NO CARRIER")
    ears.clock.advance(RING_PATIENCE)
    ears.hear("RING")
    ears.bell.forget()
    ears.clock.advance(RING_PATIENCE)
    assert ears.numbers == []
