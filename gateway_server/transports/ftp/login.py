"""Who may upload: accounts, passwords that are dear to verify, and what wrong ones cost.

A password takes about 50 ms of a processor to verify, on purpose. So that happens in threads of its own, a few at a
time, and who was right a moment ago is known at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gateway_server.errors import StoreError
from gateway_server.model import MeterState
from gateway_server.store.file_records import UploadAccount
from gateway_server.store.passwords import Verifier
from gateway_server.store.store import Store
from gateway_server.transports.ftp.terms import SharedAccount, Terms
from gateway_server.transports.ftp.thread import FtpThread

MOST_WAITING = 256  # passwords that wait to be verified
MOST_REMEMBERED = 10_000  # accounts, and addresses with wrong passwords
ACCOUNT_SECONDS = 30.0  # after which an account's hash and state are asked of the store again
_VERIFYING_THREADS = 2


@dataclass(frozen=True, slots=True)
class Account:
    """Who has logged in. ``serial`` is the account's meter, empty for an account that many meters share."""

    login: str
    serial: str = ""
    shared: SharedAccount | None = None


Verdict = Account | str
"""Who it is, or why nobody: words for the log, not for the client, who learns nothing by which he could guess on."""

AskStore = Callable[
    [Callable[[Store], "UploadAccount | None"], Callable[["UploadAccount | StoreError | None"], None]], None
]


class Logins:
    """Verifies passwords for the FTP thread; lives in it."""

    def __init__(
        self,
        thread: FtpThread,
        ask: AskStore,
        verifier: Verifier,
        now_ms: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        self._thread = thread
        self._ask = ask
        self._verifier = verifier
        self._now_ms = now_ms
        self._clock = clock
        self._accounts: OrderedDict[str, tuple[UploadAccount, float]] = OrderedDict()
        self._threads = ThreadPoolExecutor(_VERIFYING_THREADS, "password")
        self._waiting = 0

    def known(self, terms: Terms, login: str, password: str) -> Account | None:
        """The account, if this very password was right a moment ago. At once."""
        shared = _shared(terms, login)
        if shared is not None:
            if self._verifier.remembers(login, shared.secret, password, self._now_ms()):
                return Account(login, shared=shared)
            return None
        found, until = self._accounts.get(login, (None, 0.0))
        if (
            found is not None
            and self._clock() < until
            and found.state is not MeterState.DISABLED
            and self._verifier.remembers(login, found.secret, password, self._now_ms())
        ):
            return Account(login, found.serial)
        return None

    def verify(
        self,
        terms: Terms,
        login: str,
        password: str,
        answer: Callable[[Verdict | StoreError], None],
        wanted: Callable[[], bool],
    ) -> None:
        """Finds out who it is; ``answer`` is called in the FTP thread. When its turn comes and it is no longer
        ``wanted``, because the client has not waited, no work is done for it."""
        if self._waiting >= MOST_WAITING:
            answer(StoreError("too many passwords wait to be verified"))
            return
        self._waiting += 1
        shared = _shared(terms, login)

        def answered(verdict: Verdict | StoreError) -> None:
            self._waiting -= 1
            answer(verdict)

        def found(account: UploadAccount | StoreError | None) -> None:
            if isinstance(account, StoreError):
                answered(account)
                return
            if account is not None:
                self._remember(account)
            secret = account.secret if account is not None else ""
            self._threads.submit(weigh, secret, account)

        def weigh(secret: str, account: UploadAccount | None) -> None:
            if not wanted():
                self._thread.call(answered, "the client has not waited")
                return
            right = self._verifier.verify(login, secret, password, self._now_ms())
            verdict: Verdict
            if shared is not None:
                verdict = Account(login, shared=shared) if right else "wrong password"
            elif account is None:
                verdict = f"no meter has the route ftp:{login}"
            elif not account.secret:
                verdict = f"meter {account.serial} has no upload password (`meter add --ftp-password-file`)"
            elif not right:
                verdict = "wrong password"
            elif account.state is MeterState.DISABLED:
                verdict = f"meter {account.serial} is switched off"
            else:
                verdict = Account(login, account.serial)
            self._thread.call(answered, verdict)

        if shared is not None:
            self._threads.submit(weigh, shared.secret, None)
        else:
            self._ask(lambda store: store.upload_account(login), found)

    def stop(self) -> None:
        """Verifies nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _remember(self, account: UploadAccount) -> None:
        self._accounts[account.login] = (account, self._clock() + ACCOUNT_SECONDS)
        self._accounts.move_to_end(account.login)
        while len(self._accounts) > MOST_REMEMBERED:
            self._accounts.popitem(last=False)


def _shared(terms: Terms, login: str) -> SharedAccount | None:
    for account in terms.shared:
        if account.login == login:
            return account
    return None


@dataclass(slots=True)
class _Failures:
    count: int
    until: float


class Attempts:
    """Counts wrong passwords per login and address, and per address; both are forgotten after the ban's time.

    A whole address is shut out late, because an operator's gateway stands for thousands of modems, and one right
    password clears it. The login from that address is shut out early.
    """

    def __init__(self, terms: Terms, clock: Callable[[], float]) -> None:
        self._terms = terms
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()

    def banned(self, address: str, login: str = "") -> bool:
        """Whether this login from this address, or without a login the address, is shut out for now."""
        terms = self._terms
        found = self._failures.get((address, login))
        most = terms.failed_logins if login else terms.failed_logins_per_address
        return found is not None and found.count >= most and self._clock() < found.until

    def failed(self, address: str, login: str) -> float:
        """Notes a wrong password; gives the seconds after which to say so."""
        if self.banned(address, login):
            return self._terms.failed_login_delay
        self._count((address, ""))
        return self._terms.failed_login_delay * min(self._count((address, login)), 4)

    def succeeded(self, address: str, login: str) -> None:
        """Notes a right password."""
        if self._failures:
            self._failures.pop((address, ""), None)
            self._failures.pop((address, login), None)

    def _count(self, who: tuple[str, str]) -> int:
        now = self._clock()
        found = self._failures.get(who)
        if found is None or now >= found.until:
            found = self._failures[who] = _Failures(0, 0.0)
        found.count += 1
        found.until = now + self._terms.ban
        self._failures.move_to_end(who)
        while len(self._failures) > MOST_REMEMBERED:
            self._failures.popitem(last=False)
        return found.count
