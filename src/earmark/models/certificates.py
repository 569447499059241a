"""Certificates of earlier loads, kept between runs: a model is held against its reference once."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import structlog

from earmark.database import open_database, reading_faults
from earmark.engine.certificate import Certificate
from earmark.errors import StateUnavailable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS certificates (
    key TEXT PRIMARY KEY,
    certificate BLOB NOT NULL,
    used INTEGER NOT NULL
) STRICT
"""

MOST_KEPT = 256
"""Those used longest ago make room: files that changed leave certificates without a use."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.models")


class Certificates:
    """Certificates by key; safe to use from several threads and processes.

    A file that cannot be used costs a warning in the log and the time to make the certificate anew.
    """

    def __init__(self, file: Path, *, most: int = MOST_KEPT) -> None:
        """Keep certificates in the server's database, made when there is something to keep."""
        self._file, self._most = file, most

    def find(self, key: str) -> Certificate | None:
        """Return a certificate; None where there is none that can be read."""
        if not self._file.is_file():
            return None
        try:
            with self._opened() as database, reading_faults(self._file):
                row = database.execute(
                    "SELECT certificate FROM certificates WHERE key = ?", (key,)
                ).fetchone()
                self._touch(database, key)
            return None if row is None else msgspec.json.decode(row[0], type=Certificate)
        except (StateUnavailable, msgspec.MsgspecError) as error:
            _log.warning("a certificate cannot be read", error=str(error))
            return None

    def keep(self, key: str, certificate: Certificate) -> None:
        """Keep a certificate for later runs."""
        try:
            with self._opened() as database, reading_faults(self._file):
                database.execute(
                    "INSERT OR REPLACE INTO certificates VALUES (?, ?, 0)",
                    (key, msgspec.json.encode(certificate)),
                )
                self._touch(database, key)
                database.execute(
                    "DELETE FROM certificates WHERE key NOT IN"
                    " (SELECT key FROM certificates ORDER BY used DESC LIMIT ?)",
                    (self._most,),
                )
        except StateUnavailable as error:
            _log.warning("a certificate cannot be kept", error=str(error))

    def _opened(self) -> closing[sqlite3.Connection]:
        return closing(open_database(self._file, _SCHEMA))

    def _touch(self, database: sqlite3.Connection, key: str) -> None:
        """Note that a certificate was used now, by a count that outlives the process."""
        database.execute(
            "UPDATE certificates SET used = (SELECT max(used) + 1 FROM certificates) WHERE key = ?",
            (key,),
        )
