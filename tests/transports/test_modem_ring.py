"""Who rings, told line by line (dossier A.8)."""

from __future__ import annotations

from gateway_server.transports.modem_ring import Ring


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
