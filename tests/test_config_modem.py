"""The `[[modem]]` tables and `[calls]`: their words, their mistakes, and what becomes of them."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest

from gateway_server.config import Config, load_config
from gateway_server.config_checks import check_modems
from gateway_server.errors import OperatorError
from gateway_server.session.plan import Role
from gateway_server.transports.modem.terms import TYPES, Answer, Escape, ModemTerms

PLAIN = '[[modem]]\nname = "m1"\nport = "/dev/ttyUSB0"\n'


def config(folder: Path, text: str) -> Config:
    path = folder / "gateway.toml"
    path.write_text(text)
    return load_config(path)


def test_defaults_are_those_of_the_transport(tmp_path: Path) -> None:
    made = config(tmp_path, PLAIN).modem[0].terms(tmp_path)
    for field in fields(ModemTerms):
        assert getattr(made, field.name) == getattr(ModemTerms("m1", "/dev/ttyUSB0"), field.name), field.name


def test_every_word_reaches_the_transport(tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("1234")
    made = (
        config(
            tmp_path,
            '[[modem]]\nname = "m2"\nport = "rfc2217://10.0.0.5:4001"\nspeed = 19200\nspeeds = [9600]\n'
            'type = "siemens"\n'
            'init_before = ["AT+CRLP=61,61,48,6"]\ninit_after = ["AT+CSNS=4"]\npin_file = "pin"\nbearers = ["71,0,1"]\n'
            'operator = "MTS"\nanswer = "any"\nrole = "listen"\nescape = "dtr"\ndial_timeout = 60\ncall_limit = 600\n'
            "frame_limit = 45\ncool_down = 1\nregister_timeout = 30\nsettle = 1.5\nguard = 2\nrefused_within = 1\n"
            "watch = 10\nretry = 300\n"
            'power_cycle = ["relay", "3"]\nboot = 20\n',
        )
        .modem[0]
        .terms(tmp_path)
    )
    assert made == ModemTerms(
        "m2", "rfc2217://10.0.0.5:4001", 19200, (9600,), TYPES["siemens"], ("AT+CRLP=61,61,48,6",), ("AT+CSNS=4",),
        tmp_path / "pin", ("71,0,1",), "MTS", Answer.ANY, Role.LISTEN, Escape.DTR, 60, 600, 45, 1, 30, 1.5, 2, 1, 10,
        300, ("relay", "3"), 20,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('port = "socket://10.0.0.5"', "socket://HOST:PORT"),
        ('port = "tcp://10.0.0.5:1"', "socket://HOST:PORT"),
        ("speed = 9601", "speed"),
        ('type = "nokia"', "type"),
        ('init_after = ["CSNS=4"]', "begins with AT"),
        ('init_after = ["ATD112"]', "dialling and the PIN are not for init strings"),
        ('init_after = ["AT+CPIN=1234"]', "dialling and the PIN are not for init strings"),
        ('init_before = ["AT\\rATD112"]', "begins with AT"),
        ('bearers = ["7.0.1"]', "what stands behind AT+CBST="),
        ('answer = "always"', "answer"),
        ("dial_timeout = 300", "dial_timeout"),
        ('name = "m 1"', "must not hold blanks"),
    ],
)
def test_mistake_is_said_with_its_key_and_what_is_allowed(tmp_path: Path, line: str, why: str) -> None:
    text = PLAIN
    key = line.partition(" ")[0]
    text = "\n".join(one for one in text.splitlines() if not one.startswith(f"{key} ")) + f"\n{line}\n"
    with pytest.raises(OperatorError) as wrong:
        config(tmp_path, text)
    assert why in str(wrong.value)
    assert key in str(wrong.value)


def test_what_cannot_be_together_is_said(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="has no SIM"):
        config(tmp_path, PLAIN + 'type = "analogue"\npin_file = "pin"\n')
    with pytest.raises(OperatorError, match="has no lines"):
        config(tmp_path, '[[modem]]\nname = "m1"\nport = "socket://10.0.0.5:1"\nescape = "dtr"\n')
    with pytest.raises(OperatorError, match="`port` is that of modem 1"):
        config(tmp_path, PLAIN + PLAIN.replace("m1", "m2"))
    with pytest.raises(OperatorError, match="`name` is that of modem 1"):
        config(tmp_path, PLAIN + PLAIN.replace("USB0", "USB1"))


def test_files_that_are_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="there is no file"):
        check_modems(config(tmp_path, PLAIN + 'pin_file = "pin"\n'))
    with pytest.raises(OperatorError, match="there is no program"):
        check_modems(config(tmp_path, PLAIN + 'power_cycle = ["/none/relay"]\n'))
    check_modems(config(tmp_path, PLAIN))


def test_price_is_a_decimal(tmp_path: Path) -> None:
    assert config(tmp_path, '[calls]\nprice_per_minute = "1.80"\n').calls.price == Decimal("1.80")
    assert config(tmp_path, "").calls.price is None
    for wrong in ("much", "-1", "NaN"):
        with pytest.raises(OperatorError, match="is no price"):
            config(tmp_path, f'[calls]\nprice_per_minute = "{wrong}"\n')


def test_rule_of_numbers_reaches_the_transport(tmp_path: Path) -> None:
    assert config(tmp_path, "[calls]\nsame_digits = 7\n").calls.numbers.last_digits == 7
