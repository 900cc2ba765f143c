"""PostgreSQL as a source: one read-only cursor a query, on a connection that is dropped after it.

The role should hold SELECT on the source's tables and nothing else. A read-only transaction is
no sandbox by itself, so the time limit is kept from outside of the session, where no statement
can change it, and nothing that a query sets outlives it.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime

import psycopg
from psycopg import sql as composed

from core.errors import QueryFailed, SourceUnavailable
from measurement.choices import ROW_WEIGHTS, SourceKind
from measurement.warehouses.base import ROWS_A_FETCH, Answer, Limits, Stopper, gather
from semantics.guard import Dialect

CONNECT_SECONDS = 5
# After the request to cancel, how long the server may take before the line is cut.
GRACE_SECONDS = 3
_SCHEMA_MOVED = (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable)


class PostgreSql:
    """`config`: `url_env`, the name of the environment variable that holds the address with its
    read-only role, and `schema`, where unqualified tables are looked for (`public`)."""

    dialect = Dialect.POSTGRESQL
    row_weight = ROW_WEIGHTS[SourceKind.POSTGRESQL]

    def __init__(self, key: str, config: Mapping):
        self.key = key
        self.schema = config.get("schema", "public")
        self._variable = config.get("url_env", "")
        if not os.environ.get(self._variable):
            raise SourceUnavailable(
                f"The source `{key}` takes its address from the environment variable "
                f"`{self._variable or '(none named)'}`, which is not set for this process."
            )
        self._url = os.environ[self._variable]
        self._running: psycopg.Connection | None = None
        self._stopper = Stopper(self._cancel)

    def query(self, sql: str, limits: Limits, *, now: datetime | None = None) -> Answer:
        # `now` is for sources whose views hide what is later; a database shows what it has.
        connection = self._connect(limits.seconds)
        try:
            with self._stopper.within(limits.seconds):
                self._running = connection
                return self._read(connection, sql, limits)
        except psycopg.errors.QueryCanceled as error:
            raise self._stopper.reason(limits.seconds) or self._failed(error) from error
        except psycopg.Error as error:
            raise self._stopper.reason(limits.seconds) or self._failed(error) from error
        finally:
            self._running = None
            connection.close()

    def _read(self, connection: psycopg.Connection, sql: str, limits: Limits) -> Answer:
        # A cursor can be declared for a query only, and as a prepared statement it is one alone.
        cursor = connection.cursor()
        cursor.execute(f"DECLARE etalon NO SCROLL CURSOR FOR {sql}", prepare=True)
        fetch = composed.SQL("FETCH {} FROM etalon").format(composed.Literal(ROWS_A_FETCH))
        cursor.execute(fetch)
        columns = tuple(column.name for column in cursor.description or ())
        return gather(_batches(cursor, fetch), columns, limits)

    def _connect(self, seconds: float) -> psycopg.Connection:
        try:
            connection = psycopg.connect(
                self._url,
                connect_timeout=CONNECT_SECONDS,
                application_name=f"etalon:{self.key}",
                options=(
                    "-c default_transaction_read_only=on -c cursor_tuple_fraction=1 "
                    f"-c statement_timeout={int(seconds * 1000) + 1000} -c lock_timeout=2000 "
                    "-c idle_in_transaction_session_timeout=60000"
                ),
            )
            connection.read_only = True
            connection.execute(
                composed.SQL("SET search_path = pg_catalog, {}").format(
                    composed.Identifier(self.schema)
                )
            )
        except psycopg.OperationalError as error:
            raise SourceUnavailable(
                f"The source `{self.key}` cannot be reached: {_first_line(error)}"
            ) from error
        return connection

    def _cancel(self) -> None:
        connection = self._running
        if connection is None:
            return
        try:
            connection.cancel_safe(timeout=GRACE_SECONDS)
        except psycopg.Error:
            # A server that takes no cancel loses the connection instead.
            connection.close()

    def _failed(self, error: psycopg.Error) -> Exception:
        if isinstance(error, _SCHEMA_MOVED):
            return SourceUnavailable(
                f"The source `{self.key}` is not as the definition expects it: {_first_line(error)}"
            )
        if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
            return SourceUnavailable(f"The source `{self.key}` went away: {_first_line(error)}")
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            return QueryFailed(f"The source `{self.key}` refused: {_first_line(error)}")
        return QueryFailed(f"The source `{self.key}` could not work it out: {_first_line(error)}")

    def interrupt(self) -> None:
        self._stopper.interrupt()

    def columns(self, relation: str) -> Mapping[str, str]:
        *schema, table = relation.split(".")
        with self._connect(CONNECT_SECONDS) as connection:
            rows = connection.execute(
                "SELECT column_name, data_type FROM information_schema.columns "
                "WHERE table_name = %s AND table_schema = %s ORDER BY ordinal_position",
                [table, schema[-1] if schema else self.schema],
            ).fetchall()
        connection.close()
        return {name: str(type_) for name, type_ in rows}

    def tables(self) -> list[str]:
        with self._connect(CONNECT_SECONDS) as connection:
            rows = connection.execute(
                "SELECT table_schema || '.' || table_name FROM information_schema.tables "
                "WHERE table_schema = %s ORDER BY 1",
                [self.schema],
            ).fetchall()
        connection.close()
        return [name for (name,) in rows]

    def is_current(self) -> bool:
        return os.environ.get(self._variable) == self._url

    def close(self) -> None:
        self._stopper.interrupt()


def _batches(cursor: psycopg.Cursor, fetch: composed.Composed) -> Iterator[list[tuple]]:
    while batch := cursor.fetchall():
        yield batch
        if len(batch) < ROWS_A_FETCH:
            return
        cursor.execute(fetch)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:300]
