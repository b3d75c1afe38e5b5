"""Addresses and names in a listener's terms."""

from __future__ import annotations

import re

import pytest

from gateway_server.transports.ftp.paths import text_of
from gateway_server.transports.ftp.terms import SharedAccount, Terms, network_of, within


def test_first_network_that_holds_the_client_says_the_address() -> None:
    terms = Terms("drop", masquerade=((network_of("10.0.0.0/8"), ""), (network_of("0.0.0.0/0"), "203.0.113.7")))
    assert terms.masquerade_for("10.1.2.3") == ""
    assert terms.masquerade_for("198.51.100.1") == "203.0.113.7"
    assert Terms("drop").masquerade_for("10.1.2.3") == ""


def test_data_comes_from_the_clients_address_or_its_operators_network() -> None:
    terms = Terms("drop", data_networks=(network_of("10.0.0.0/8"), network_of("192.168.0.0/16")))
    assert terms.admits_data("198.51.100.1", "198.51.100.1")
    assert terms.admits_data("10.0.0.1", "10.9.9.9")
    assert not terms.admits_data("10.0.0.1", "192.168.0.1")
    assert not Terms("drop").admits_data("10.0.0.1", "10.0.0.2")


@pytest.mark.parametrize(
    ("address", "inside"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("11.0.0.1", False), ("fe80::1%eth0", False), ("nowhere", False)],
)
def test_address_is_of_a_network_however_it_is_written(address: str, inside: bool) -> None:
    assert within(address, (network_of("10.0.0.0/8"),)) is inside


def test_first_rule_that_finds_somebody_says_who_it_is() -> None:
    account = SharedAccount(
        "bpek", "", (("name", re.compile(r"(?P<id>\d{8})")), ("directory", re.compile(r"^/site-(?P<id>\w+)")))
    )
    assert account.identify("/site-7/41203377.dat") == "41203377"
    assert account.identify("/site-7/day.dat") == "7"
    assert account.identify("/day.dat") == ""


def test_rule_is_asked_with_a_name_as_a_person_reads_it() -> None:
    account = SharedAccount("bpek", "", (("name", re.compile(r"^Узел(?P<id>\w+)\.")),))
    assert account.identify("/" + text_of("УзелАБ.dat".encode("cp1251"))) == "АБ"
