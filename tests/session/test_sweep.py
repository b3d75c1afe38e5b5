"""Long waits on one timer."""

from __future__ import annotations

from twisted.internet.task import Clock

from gateway_server.session.sweep import Sweep


class Waiting:
    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.bucket = 0
        self.calls = 0

    def overdue(self) -> None:
        self.calls += 1


def test_each_is_called_within_a_second_of_its_deadline() -> None:
    clock = Clock()
    sweep = Sweep(clock)
    waiters = [Waiting(n + 0.5) for n in range(20, 25)]
    for waiter in waiters:
        sweep.watch(waiter)
    for second in range(1, 30):
        clock.advance(1)
        assert all(waiter.calls == 0 for waiter in waiters if waiter.deadline > second)
        assert all(waiter.calls == 1 for waiter in waiters if waiter.deadline <= second - 1)


def test_thousands_wait_on_one_timer() -> None:
    clock = Clock()
    sweep = Sweep(clock)
    for n in range(5000):
        sweep.watch(Waiting(20 + n % 40))
    assert len(clock.getDelayedCalls()) == 1


def test_deadline_moved_back_is_not_called_at_the_old_time() -> None:
    clock = Clock()
    sweep = Sweep(clock)
    waiter = Waiting(20)
    sweep.watch(waiter)
    waiter.deadline = 40
    clock.pump([1] * 39)
    assert waiter.calls == 0
    clock.pump([1] * 3)
    assert waiter.calls == 1


def test_earlier_deadline_counts_once_it_is_watched() -> None:
    clock = Clock()
    sweep = Sweep(clock)
    waiter = Waiting(40)
    sweep.watch(waiter)
    waiter.deadline = 20
    sweep.watch(waiter)
    clock.pump([1] * 22)
    assert waiter.calls == 1
    clock.pump([1] * 40)
    assert waiter.calls == 1


def test_who_waits_no_more_is_not_called_and_not_kept() -> None:
    clock = Clock()
    sweep = Sweep(clock)
    waiter = Waiting(20)
    sweep.watch(waiter)
    sweep.forget(waiter)
    assert waiter.bucket == 0
    clock.pump([1] * 30)
    assert waiter.calls == 0
    assert clock.getDelayedCalls() == []


def test_stopped_sweep_calls_nobody() -> None:
    clock = Clock()
    sweep = Sweep(clock)
    sweep.watch(Waiting(20))
    sweep.stop()
    assert clock.getDelayedCalls() == []
