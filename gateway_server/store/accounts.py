"""Who may upload: accounts of the file drop and the hashes of their passwords."""

from __future__ import annotations

from gateway_server.model import MeterState
from gateway_server.store.queries import Queries
from gateway_server.store.records import UploadAccount

ROUTE = "ftp:"


class AccountQueries(Queries):
    """Verbs of upload accounts."""

    def upload_account(self, login: str) -> UploadAccount | None:
        """The meter known by ``ftp:LOGIN``, with the hash of its password; None if no route says so."""
        row = self.connection.one(
            "SELECT m.serial, m.state, COALESCE(a.secret, '') FROM route r JOIN meter m ON m.id = r.meter_id"
            " LEFT JOIN upload_account a ON a.login = ? WHERE r.route = ?",
            (login, ROUTE + login),
        )
        return None if row is None else UploadAccount(login, row[0], MeterState(row[1]), row[2])

    def uploaded(self, since_ms: int, until_ms: int) -> dict[tuple[str, str], tuple[int, int]]:
        """Bytes and files that each account uploaded for each meter, empty while that is unknown, in sessions which
        began in this time, its end not included."""
        return {
            (login, serial): (size, files)
            for login, serial, size, files in self.connection.all(
                "SELECT caller, serial, SUM(bytes_received), COUNT(*) FROM session WHERE started_ms >= ?"
                " AND started_ms < ? AND transport = 'ftp' AND bytes_received > 0 GROUP BY caller, serial",
                (since_ms, until_ms),
            )
        }

    def set_upload_secret(self, login: str, secret: str) -> None:
        """Keeps the hash of an account's password; an empty one removes it."""
        with self.connection.transaction("upload secret"):
            if secret:
                self.connection.execute(
                    "INSERT INTO upload_account (login, secret) VALUES (?, ?)"
                    " ON CONFLICT (login) DO UPDATE SET secret = excluded.secret",
                    (login, secret),
                )
            else:
                self.connection.execute("DELETE FROM upload_account WHERE login = ?", (login,))
