"""A network on PostgreSQL: one new database a service, on one server."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from contracts.terms.errors import Malformed, Unavailable


def make_databases(server: str, services: Iterable[str]) -> dict[str, str]:
    """The URL of a new database for each service; `server` is a URL whose user may make databases.

    Raises Malformed, and Unavailable when the server does not answer or refuses.
    """
    try:
        url = make_url(server)
    except (ArgumentError, ValueError):
        url = URL.create("none")
    if url.drivername != "postgresql":
        raise Malformed("--database: postgresql://user@host:port, whose user may make databases")
    network = secrets.token_hex(4)
    made = {service: url.set(database=f"feiqian-{network}-{service}") for service in services}
    engine = create_engine(
        url.set(drivername="postgresql+psycopg", database=url.database or "postgres"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )
    try:
        with engine.connect() as connection:
            for each in made.values():
                connection.exec_driver_sql(f"CREATE DATABASE \"{each.database}\" ENCODING 'UTF8' TEMPLATE template0")
    except DBAPIError as failure:
        raise Unavailable(f"PostgreSQL: {str(failure.orig).strip().splitlines()[0]}") from failure
    finally:
        engine.dispose()
    return {service: each.render_as_string(hide_password=False) for service, each in made.items()}
