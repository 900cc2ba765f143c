"""DuckDB over files, in a locked sandbox: views over the files of one folder, and SELECT alone."""

import importlib.util
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from core.errors import QueryFailed, SourceUnavailable
from measurement.choices import ROW_WEIGHTS, SourceKind
from measurement.warehouses.base import (
    ROWS_A_FETCH,
    Answer,
    Limits,
    NeedsMemory,
    Stopper,
    gather,
)
from semantics.guard import Dialect

_PACKAGE = "package:"
_SCHEMA_MOVED = (duckdb.BinderException, duckdb.CatalogException)
_FILES_MOVED = (duckdb.IOException, duckdb.InvalidInputException)


class DuckDb:
    """One in-memory database whose views read the files of `config["folder"]`.

    `config`: `folder` (a path, or `package:name/inside`), `schema`, `views` (name -> SELECT, in
    order; `{folder}` stands for the folder), and if wanted `threads` and `memory_limit`. Views
    find the instant as of which they are read in `getvariable('etalon_now')`, in UTC.
    One thread adds floats in one order; more threads suit sources whose sums are of DECIMAL.
    """

    dialect = Dialect.DUCKDB
    row_weight = ROW_WEIGHTS[SourceKind.DUCKDB]

    def __init__(self, key: str, config: Mapping):
        self.key = key
        self.folder = _folder(key, config.get("folder", ""))
        self.schema = config.get("schema", "main")
        self._files = _files(self.folder)
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": int(config.get("threads", 1)),
                "memory_limit": str(config.get("memory_limit", "1GB")),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "temp_directory": "",
            },
        )
        self._stopper = Stopper(self._connection.interrupt)
        try:
            self._lock_in(config.get("views", {}))
        except BaseException:
            self._connection.close()
            raise

    def _lock_in(self, views: Mapping[str, str]) -> None:
        run = self._connection.execute
        run("SET VARIABLE etalon_now = TIMESTAMP '1970-01-01'")
        run(f"CREATE SCHEMA IF NOT EXISTS {_quoted(self.schema)}")
        run(f"SET schema = {_literal(self.schema)}")
        # Only paths that existed when the source was opened; a folder would allow new files. Views
        # come after it: DuckDB reads what a view names as soon as the view is made.
        paths = ", ".join(_literal(path) for path in self._files)
        run(f"SET allowed_paths = [{paths}]")
        run("SET enable_external_access = false")
        run("SET lock_configuration = true")
        folder = str(self.folder).replace("'", "''")
        for name, select in views.items():
            select = select.replace("{folder}", folder)
            try:
                self._one_select(select)
                run(f"CREATE VIEW {_quoted(name)} AS {select}")
            except (duckdb.Error, QueryFailed) as error:
                raise SourceUnavailable(
                    f"The source `{self.key}` cannot offer `{name}`: {_first_line(error)}"
                ) from error

    def query(self, sql: str, limits: Limits, *, now: datetime | None = None) -> Answer:
        self._one_select(sql)
        if now is not None:
            instant = now.astimezone(UTC).replace(tzinfo=None)
            self._connection.execute(
                f"SET VARIABLE etalon_now = TIMESTAMP '{instant:%Y-%m-%d %H:%M:%S.%f}'"
            )
        try:
            with self._stopper.within(limits.seconds):
                cursor = self._connection.execute(sql)
                columns = tuple(column[0] for column in cursor.description)
                return gather(_batches(cursor), columns, limits)
        except duckdb.InterruptException as error:
            raise self._stopper.reason(limits.seconds) or self._failed(error) from error
        except duckdb.Error as error:
            raise self._stopper.reason(limits.seconds) or self._failed(error) from error

    def _one_select(self, sql: str) -> None:
        try:
            statements = self._connection.extract_statements(sql)
        except duckdb.Error as error:
            raise QueryFailed(f"Not a query: {_first_line(error)}") from error
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise QueryFailed("A source answers exactly one SELECT, and nothing else.")

    def _failed(self, error: duckdb.Error) -> Exception:
        if isinstance(error, duckdb.OutOfMemoryException):
            return NeedsMemory(
                f"The source `{self.key}` needs more memory than it may use. "
                "Ask for a shorter range or fewer dimensions."
            )
        if isinstance(error, _SCHEMA_MOVED + _FILES_MOVED):
            return SourceUnavailable(
                f"The source `{self.key}` is not as the definition expects it: {_first_line(error)}"
            )
        return QueryFailed(f"The source `{self.key}` could not work it out: {_first_line(error)}")

    def interrupt(self) -> None:
        self._stopper.interrupt()

    def columns(self, relation: str) -> Mapping[str, str]:
        *schema, table = relation.split(".")
        rows = self._connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_name = ? AND table_schema = ? ORDER BY ordinal_position",
            [table, schema[-1] if schema else self.schema],
        ).fetchall()
        return dict(rows)

    def tables(self) -> list[str]:
        rows = self._connection.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables "
            "WHERE table_schema = ? ORDER BY 1",
            [self.schema],
        ).fetchall()
        return [name for (name,) in rows]

    def is_current(self) -> bool:
        return self._files == _files(self.folder)

    def close(self) -> None:
        self._connection.close()


def _batches(cursor) -> Iterator[list[tuple]]:
    while batch := cursor.fetchmany(ROWS_A_FETCH):
        yield batch


def _folder(key: str, text: str) -> Path:
    """The folder that a source's files lie in; `package:name/inside` is looked up anew each time,
    since an environment may be made again elsewhere."""
    if text.startswith(_PACKAGE):
        package, _, inside = text.removeprefix(_PACKAGE).partition("/")
        found = importlib.util.find_spec(package)
        if found is None or not found.submodule_search_locations:
            raise SourceUnavailable(
                f"The source `{key}` reads files of the Python package `{package}`, which is not "
                "installed here."
            )
        folder = Path(next(iter(found.submodule_search_locations))) / inside
    else:
        folder = Path(text)
    if not text or not folder.is_dir():
        raise SourceUnavailable(f"The folder of the source `{key}` is missing: {folder}.")
    return folder


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            status = path.stat()
            found[str(path)] = (status.st_mtime_ns, status.st_size)
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0][:300]
