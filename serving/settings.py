"""Settings: one TOML file a service, each value overridable by an environment variable.

A wrong setting stops the service at start with one line that names it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, Literal, NoReturn, TypeVar, cast

from pydantic import Field, PlainSerializer, PlainValidator, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from contracts.terms.errors import Malformed
from contracts.terms.identifiers import address
from serving.keys import KeyUnreadable

AnySettings = TypeVar("AnySettings", bound="ServiceSettings")


def read_place(value: object) -> Path | URL:
    """Where a database is, from a setting's text. Raises ValueError."""
    if isinstance(value, Path | URL):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError("a file, or postgresql://user@host:port/name")
    if "://" not in value:
        return Path(value)
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername != "postgresql" or not url.database:
        raise ValueError("a file, or postgresql://user@host:port/name")  # never the value: it may hold a password
    return url


class ServiceSettings(BaseSettings):
    """What every service needs. Environment variables are FEIQIAN_<NAME>; they win over the file."""

    model_config = SettingsConfigDict(env_prefix="FEIQIAN_", extra="forbid", frozen=True)
    _file: ClassVar[Path | None] = None

    name: str = Field(min_length=1, description="what the service calls itself in logs and tokens")
    account: str = Field(description="the institution's account in the registry on chain")
    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    endpoint: str = Field(description="the URL under which others reach this service; peers sign for it")
    database: Annotated[Path | URL, PlainValidator(read_place), PlainSerializer(str)] = Field(
        description="a SQLite file, or postgresql://user@host:port/name"
    )
    database_password_file: Path | None = Field(
        default=None, description="file with the password of the PostgreSQL user, when the URL has none"
    )
    state_folder: Path | None = Field(
        default=None,
        description="where a service on PostgreSQL keeps what it acknowledged; beside the settings file unless said",
    )
    network: Path = Field(description="the network's genesis file: chain id, validators, contracts")
    chain_url: str = Field(description="JSON-RPC of a chain node that this institution trusts")
    finality: Literal["seals", "instant", "tag"] = Field(
        default="seals",
        description="what makes a block final: seals, consensus (QBFT), or the chain node's word",
    )
    message_key: Path = Field(description="keystore of the Ed25519 key that signs HTTP messages")
    token_key: Path = Field(description="keystore of the Ed25519 key that signs bearer tokens")
    password_file: Path = Field(description="file with the password of the keystores")

    @field_validator("account")
    @classmethod
    def _check_account(cls, value: str) -> str:
        try:
            return address(value)
        except Malformed as failure:
            raise ValueError(failure.detail) from failure

    @field_validator("endpoint", "chain_url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")) or value.endswith("/"):
            raise ValueError("must start with http:// or https:// and not end with /")
        return value

    def password(self) -> str:
        """The keystores' password, without the line end. Raises KeyUnreadable."""
        return _read_password("password_file", self.password_file)

    def place(self) -> Path | URL:
        """Where the database is; a URL has its password here. Raises KeyUnreadable."""
        if self.database_password_file is None or isinstance(self.database, Path):
            return self.database
        return self.database.set(password=_read_password("database_password_file", self.database_password_file))

    def state(self) -> Path:
        """The folder of what the service must remember outside its database."""
        return self.state_folder or (self._file or Path("none")).absolute().parent

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, TomlConfigSettingsSource(settings_cls, cls._file)


def _read_password(setting: str, file: Path) -> str:
    try:
        return file.read_text().rstrip("\n")
    except (OSError, UnicodeDecodeError) as failure:
        raise KeyUnreadable(f"{setting}: cannot read {file}") from failure


def load_settings(kind: type[AnySettings], file: Path) -> AnySettings:
    """Read a service's settings, or leave the process with one line that names the wrong one (exit code 2)."""
    if not file.is_file():
        stop(f"settings: there is no file {file}")
    bound = type(kind.__name__, (kind,), {"_file": file, "__module__": kind.__module__})
    try:
        return cast(Callable[[], AnySettings], bound)()
    except ValidationError as failure:
        first = failure.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        stop(f"settings: {where}: {first['msg']} (in {file} or the environment)")
    except (ValueError, OSError) as failure:
        stop(f"settings: {file}: {failure}")


def stop(why: str) -> NoReturn:
    """Leave the process with one line on standard error and exit code 2: what is wrong is the operator's to mend."""
    print(" ".join(why.split()), file=sys.stderr)  # noqa: T201
    sys.exit(2)
