"""A modem's life, declared once: what may happen in which state, and what that leads to.

::

    off -> opening -> finding -> preparing -> registering -> ready <-> checking
             ^  |                                             |
    waiting -+  +- waiting                    dialling | answering -> online -> hanging up -> resting -> ready

From everywhere that has a port: ``lost`` leads to waiting, ``mend`` to finding, ``reset`` to resetting and from there
to finding, ``retire`` out of the pool and from there, after a while, to finding; ``stop`` to the end.
What is done in each state stands in `steps`, and who decides between mending, reset and retirement is
`health`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from automat import TypeMachineBuilder

from gateway_server.transports.csd import Call
from gateway_server.transports.modem.verdict import Verdict


class ModemLife(Protocol):
    """What can happen to a modem."""

    def start(self) -> None:
        """The gateway wants it."""

    def opened(self) -> None:
        """Its port is open."""

    def lost(self, why: str) -> None:
        """Its port is gone, or could not be opened."""

    def again(self) -> None:
        """It has waited long enough to be tried once more."""

    def found(self) -> None:
        """It answers, and is on hook."""

    def prepared(self) -> None:
        """It has taken its init strings, and its SIM is open."""

    def registered(self) -> None:
        """The network has it."""

    def check(self) -> None:
        """Nothing was done with it for a while."""

    def fine(self) -> None:
        """It is as it should be."""

    def dial(self, call: Call) -> None:
        """A call is to be made."""

    def answer(self, call: Call) -> None:
        """The call that rings is to be taken."""

    def connected(self) -> None:
        """It is on line."""

    def refused(self, verdict: Verdict) -> None:
        """The call did not come about; the modem is on hook."""

    def end(self) -> None:
        """The call is to be ended."""

    def carrier_lost(self, why: str) -> None:
        """The other end has hung up, or the radio is gone."""

    def released(self) -> None:
        """It is on hook, beyond doubt."""

    def rested(self) -> None:
        """It has cooled down."""

    def mend(self, why: str) -> None:
        """It has to be found and prepared anew."""

    def reset(self, why: str) -> None:
        """It has to be started anew."""

    def restarted(self) -> None:
        """It has been."""

    def retire(self, why: str) -> None:
        """It is of no use for now."""

    def stop(self) -> None:
        """The gateway ends."""

    def stopped(self) -> None:
        """Nothing of it is left."""


class Actor(Protocol):
    """Who does what a state is for. Each call leaves whatever was being done before."""

    def enter(self, state: str, why: str = "") -> None: ...

    def open_port(self) -> None: ...

    def wait_for_port(self, why: str) -> None: ...

    def find(self) -> None: ...

    def prepare(self) -> None: ...

    def register(self) -> None: ...

    def be_ready(self) -> None: ...

    def look(self) -> None: ...

    def begin_dial(self, call: Call) -> None: ...

    def begin_answer(self, call: Call) -> None: ...

    def go_online(self) -> None: ...

    def hang_up(self, *, lost: str = "") -> None: ...

    def give_up_call(self, verdict: Verdict) -> None: ...

    def break_call(self, why: str) -> None: ...

    def rest(self) -> None: ...

    def restart(self) -> None: ...

    def leave_pool(self, why: str) -> None: ...

    def finish(self) -> None: ...

    def linger(self) -> None: ...

    def close(self) -> None: ...


_builder = TypeMachineBuilder(ModemLife, Actor)  # type: ignore[type-abstract]  # it is only called, never made
off = _builder.state("off")
opening = _builder.state("opening")
waiting = _builder.state("waiting")
finding = _builder.state("finding")
preparing = _builder.state("preparing")
registering = _builder.state("registering")
ready = _builder.state("ready")
checking = _builder.state("checking")
dialling = _builder.state("dialling")
answering = _builder.state("answering")
online = _builder.state("online")
hanging_up = _builder.state("hanging up")
resting = _builder.state("resting")
resetting = _builder.state("resetting")
out = _builder.state("out")
stopping = _builder.state("stopping")
over = _builder.state("over")

IN_CALL = (dialling, answering, online, hanging_up)
WITH_PORT = (finding, preparing, registering, ready, checking, *IN_CALL, resting, resetting, out)


@off.upon(ModemLife.start).to(opening)
def _start(life: ModemLife, modem: Actor) -> None:
    modem.enter("opening")
    modem.open_port()


@waiting.upon(ModemLife.again).to(opening)
def _reopen(life: ModemLife, modem: Actor) -> None:
    modem.enter("opening")
    modem.open_port()


@opening.upon(ModemLife.opened).to(finding)
def _opened(life: ModemLife, modem: Actor) -> None:
    modem.enter("finding")
    modem.find()


@out.upon(ModemLife.again).to(finding)
def _come_back(life: ModemLife, modem: Actor) -> None:
    modem.enter("finding")
    modem.find()


@finding.upon(ModemLife.found).to(preparing)
def _found(life: ModemLife, modem: Actor) -> None:
    modem.enter("preparing")
    modem.prepare()


@preparing.upon(ModemLife.prepared).to(registering)
def _prepared(life: ModemLife, modem: Actor) -> None:
    modem.enter("registering")
    modem.register()


@registering.upon(ModemLife.registered).to(ready)
def _registered(life: ModemLife, modem: Actor) -> None:
    modem.enter("ready")
    modem.be_ready()


@ready.upon(ModemLife.check).to(checking)
def _check(life: ModemLife, modem: Actor) -> None:
    modem.enter("checking")
    modem.look()


@checking.upon(ModemLife.fine).to(ready)
def _fine(life: ModemLife, modem: Actor) -> None:
    modem.enter("ready")
    modem.be_ready()


@ready.upon(ModemLife.dial).to(dialling)
def _dial(life: ModemLife, modem: Actor, call: Call) -> None:
    modem.enter("dialling")
    modem.begin_dial(call)


@ready.upon(ModemLife.answer).to(answering)
def _answer(life: ModemLife, modem: Actor, call: Call) -> None:
    modem.enter("answering")
    modem.begin_answer(call)


def _connected(life: ModemLife, modem: Actor) -> None:
    modem.enter("online")
    modem.go_online()


def _refused(life: ModemLife, modem: Actor, verdict: Verdict) -> None:
    modem.enter("resting")
    modem.give_up_call(verdict)
    modem.rest()


def _end(life: ModemLife, modem: Actor) -> None:
    modem.enter("hanging up")
    modem.hang_up()


for _state in (dialling, answering):
    _state.upon(ModemLife.connected).to(online)(_connected)
    _state.upon(ModemLife.refused).to(resting)(_refused)
for _state in (dialling, answering, online):
    _state.upon(ModemLife.end).to(hanging_up)(_end)


@online.upon(ModemLife.carrier_lost).to(hanging_up)
def _carrier_lost(life: ModemLife, modem: Actor, why: str) -> None:
    modem.enter("hanging up")
    modem.hang_up(lost=why)


@hanging_up.upon(ModemLife.released).to(resting)
def _released(life: ModemLife, modem: Actor) -> None:
    modem.enter("resting")
    modem.rest()


@resting.upon(ModemLife.rested).to(ready)
def _rested(life: ModemLife, modem: Actor) -> None:
    modem.enter("ready")
    modem.be_ready()


@resetting.upon(ModemLife.restarted).to(finding)
def _restarted(life: ModemLife, modem: Actor) -> None:
    modem.enter("finding")
    modem.find()


def _lost(life: ModemLife, modem: Actor, why: str) -> None:
    modem.break_call(why)
    modem.enter("waiting", why)
    modem.wait_for_port(why)


def _mend(life: ModemLife, modem: Actor, why: str) -> None:
    modem.break_call(why)
    modem.enter("finding", why)
    modem.find()


def _reset(life: ModemLife, modem: Actor, why: str) -> None:
    modem.break_call(why)
    modem.enter("resetting", why)
    modem.restart()


def _retire(life: ModemLife, modem: Actor, why: str) -> None:
    modem.break_call(why)
    modem.enter("out", why)
    modem.leave_pool(why)


for _state in (opening, *WITH_PORT):
    _state.upon(ModemLife.lost).to(waiting)(_lost)
for _state in WITH_PORT:
    if _state is not finding:
        _state.upon(ModemLife.mend).to(finding)(_mend)
    if _state is not resetting:
        _state.upon(ModemLife.reset).to(resetting)(_reset)
    if _state is not out:
        _state.upon(ModemLife.retire).to(out)(_retire)
finding.upon(ModemLife.mend).loop()(_mend)
resetting.upon(ModemLife.reset).loop()(_reset)


# What comes too late, or twice: a session that ends while its call is being given up, a carrier that goes meanwhile.
for _state in (hanging_up, resting, ready, checking, finding, preparing, registering, resetting, out, waiting, opening):
    _state.upon(ModemLife.end).loop().returns(None)
for _state in (hanging_up, resting, stopping):
    _state.upon(ModemLife.carrier_lost).loop().returns(None)


def _stop_in_call(life: ModemLife, modem: Actor) -> None:
    modem.enter("stopping")
    modem.finish()


def _stop(life: ModemLife, modem: Actor) -> None:
    modem.enter("over")
    modem.close()


def _stop_hanging_up(life: ModemLife, modem: Actor) -> None:
    modem.linger()


for _state in (dialling, answering, online):
    _state.upon(ModemLife.stop).to(stopping)(_stop_in_call)
hanging_up.upon(ModemLife.stop).to(stopping)(_stop_hanging_up)
for _state in (off, opening, waiting, finding, preparing, registering, ready, checking, resting, resetting, out):
    _state.upon(ModemLife.stop).to(over)(_stop)
stopping.upon(ModemLife.stopped).to(over)(_stop)
stopping.upon(ModemLife.released).to(over)(_stop)
stopping.upon(ModemLife.lost).to(over)(lambda life, modem, why: _stop(life, modem))
stopping.upon(ModemLife.stop).loop().returns(None)
stopping.upon(ModemLife.end).loop().returns(None)
over.upon(ModemLife.stop).loop().returns(None)
over.upon(ModemLife.lost).loop().returns(None)
over.upon(ModemLife.end).loop().returns(None)

make_life: Callable[[Actor], ModemLife] = _builder.build()
"""A life for whoever acts in it."""
