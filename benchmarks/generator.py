"""The meters of the ingest benchmarks: many connections, each with one frame under way (closed loop).

Runs as a process of its own and prints one JSON document. Plain sockets and epoll, because on a machine of two cores
whatever the generator uses is missing from what it measures.

``load``   sessions connect and register, then send frames for some seconds; counts and times acknowledgements
``hold``   sessions connect, register, send one frame each, then stay silent until standard input ends
``storm``  sessions connect at the same instant and register; times the connection and the welcome
"""

from __future__ import annotations

import argparse
import errno
import json
import resource
import select
import socket
import sys
from collections.abc import Callable, Sequence
from time import perf_counter

from benchmarks.frames import WELCOME, acknowledgement, frame, registration

WAVE = 200  # connections under way at once while a run is being set up
PATIENCE = 60.0  # seconds without any answer until a run is given up
STORM_SECONDS = 10.0  # whoever is not welcomed by then counts as late as this


class Meter:
    """One meter calling in."""

    __slots__ = ("acked", "awaited", "began", "buffer", "number", "order_number", "recv", "send", "socket")

    def __init__(self, number: int, first_order_number: int) -> None:
        self.number = number
        self.order_number = first_order_number
        self.acked = 0
        self.awaited = WELCOME
        self.began = 0.0
        self.open()

    def open(self) -> None:
        """Takes a socket, not yet connected."""
        self.buffer = b""
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.recv = self.socket.recv
        self.send = self.socket.send

    def connect(self, port: int) -> None:
        """Begins to connect."""
        if self.socket.connect_ex(("127.0.0.1", port)) not in {0, errno.EINPROGRESS}:
            raise ConnectionError("cannot connect")

    def register(self) -> None:
        """Says the registration packet."""
        self.awaited = WELCOME
        self.began = perf_counter()
        self.send(registration(self.number))

    def next_frame(self) -> None:
        """Sends the next frame."""
        self.order_number = number = self.order_number + 1
        self.awaited = acknowledgement(number)
        data = frame(self.number, number)
        self.began = perf_counter()
        self.send(data)

    def answered(self) -> bool:
        """Takes what arrived; whether it completes the awaited answer. Anything else ends the run."""
        data = self.buffer + self.recv(4096)
        if data == self.awaited:
            self.buffer = b""
            return True
        if not data or not self.awaited.startswith(data):
            raise ConnectionError(f"meter {self.number} awaited {self.awaited!r}, got {data!r}")
        self.buffer = data
        return False


class Fleet:
    """All meters of one run."""

    def __init__(self, port: int, sessions: int, first_order_number: int) -> None:
        self.port = port
        self.poll = select.epoll()
        self.meters = {}
        for number in range(sessions):
            meter = Meter(number + 1, first_order_number)
            self.meters[meter.socket.fileno()] = meter

    def exchange(self, meters: Sequence[Meter], begin: Callable[[Meter], None]) -> None:
        """Each of these begins something; returns when each has its answer."""
        for meter in meters:
            begin(meter)
        waiting = len(meters)
        while waiting:
            for fd, _ in self.ready():
                waiting -= self.meters[fd].answered()

    def ready(self) -> list[tuple[int, int]]:
        """What can be read now; waits for something."""
        if not (events := self.poll.poll(PATIENCE)):
            raise TimeoutError("the server stopped answering")
        return events

    def connect(self) -> None:
        """Connects and registers all, a wave at a time."""
        meters = list(self.meters.values())
        for start in range(0, len(meters), WAVE):
            wave = meters[start : start + WAVE]
            for meter in wave:
                meter.connect(self.port)
                self.poll.register(meter.socket, select.EPOLLOUT)
            connected = 0
            while connected < len(wave):
                for fd, _ in self.ready():
                    self.poll.modify(fd, select.EPOLLIN)
                    connected += 1
            self.exchange(wave, Meter.register)

    def connect_again(self, meter: Meter) -> None:
        """A meter whose connection was broken off begins anew."""
        del self.meters[meter.socket.fileno()]
        meter.socket.close()
        meter.open()
        self.meters[meter.socket.fileno()] = meter
        meter.connect(self.port)
        self.poll.register(meter.socket, select.EPOLLOUT)

    def end(self) -> None:
        """Hangs up everywhere."""
        for meter in self.meters.values():
            meter.socket.close()


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def load(fleet: Fleet, seconds: float, warm_up: float) -> dict[str, float]:
    """Frames acknowledged per second in the measured part, and how long each took."""
    fleet.connect()
    meters, latencies = fleet.meters, []
    for meter in meters.values():
        meter.next_frame()
    under_way, acked = len(meters), 0
    start = perf_counter() + warm_up
    end = start + seconds
    while under_way:
        for fd, _ in fleet.ready():
            meter = meters[fd]
            if not meter.answered():
                continue
            acked += 1
            now = perf_counter()
            if now < end:
                if now >= start:
                    latencies.append(now - meter.began)
                meter.next_frame()
            else:
                under_way -= 1
    return {
        "frames_per_s": len(latencies) / seconds,
        "p50_ms": 1000 * percentile(latencies, 0.5),
        "p99_ms": 1000 * percentile(latencies, 0.99),
        "frames": acked,
    }


def hold(fleet: Fleet) -> dict[str, float]:
    """Registers all, lets each send one frame, and keeps them until standard input ends."""
    began = perf_counter()
    fleet.connect()
    took = perf_counter() - began
    meters = list(fleet.meters.values())
    for start in range(0, len(meters), WAVE):
        fleet.exchange(meters[start : start + WAVE], Meter.next_frame)
    print("holding", flush=True)
    sys.stdin.read()
    return {"connects_per_s": len(meters) / took}


def storm(fleet: Fleet) -> dict[str, float]:
    """All at the same instant: how long until connected, and until welcomed (identified).

    A listen queue that is too short makes the kernel break connections off which the meter believed to have; the meter
    then connects again, and its time goes on.
    """
    connected: dict[int, float] = {}
    welcomed: list[float] = []
    broken = 0
    began = perf_counter()
    end = began + STORM_SECONDS
    for meter in fleet.meters.values():
        meter.connect(fleet.port)
        fleet.poll.register(meter.socket, select.EPOLLOUT)
    while len(welcomed) < len(fleet.meters) and (left := end - perf_counter()) > 0:
        for fd, event in fleet.poll.poll(left):
            meter = fleet.meters[fd]
            try:
                if event & select.EPOLLOUT:
                    meter.register()
                    connected[meter.number] = perf_counter() - began
                    fleet.poll.modify(fd, select.EPOLLIN)
                elif meter.answered():
                    welcomed.append(perf_counter() - began)
            except OSError:
                broken += 1
                fleet.connect_again(meter)
    never = [STORM_SECONDS] * (len(fleet.meters) - len(connected))
    late = [STORM_SECONDS] * (len(fleet.meters) - len(welcomed))
    return {
        "connect_p99_ms": 1000 * percentile([*connected.values(), *never], 0.99),
        "identified_p50_ms": 1000 * percentile([*welcomed, *late], 0.5),
        "identified_p99_ms": 1000 * percentile([*welcomed, *late], 0.99),
        "identified_max_ms": 1000 * max([*welcomed, *late]),
        "broken": broken,
        "late": len(late),
    }


def main() -> None:
    """Runs one of the three and prints its figures; fails on the first answer that is not the awaited one."""
    options = argparse.ArgumentParser()
    options.add_argument("kind", choices=["load", "hold", "storm"])
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--sessions", type=int, required=True)
    options.add_argument("--seconds", type=float, default=2.0)
    options.add_argument("--warm-up", type=float, default=0.5)
    options.add_argument("--first-order-number", type=int, default=0)
    chosen = options.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    fleet = Fleet(chosen.port, chosen.sessions, chosen.first_order_number)
    if chosen.kind == "load":
        figures = load(fleet, chosen.seconds, chosen.warm_up)
    else:
        figures = hold(fleet) if chosen.kind == "hold" else storm(fleet)
    fleet.end()
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
