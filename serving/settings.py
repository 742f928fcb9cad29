"""Settings: one TOML file a service, each value overridable by an environment variable.

A wrong setting stops the service at start with one line that names it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Literal, NoReturn, TypeVar, cast

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from contracts.terms.errors import Malformed
from contracts.terms.identifiers import address
from serving.keys import KeyUnreadable

AnySettings = TypeVar("AnySettings", bound="ServiceSettings")


class ServiceSettings(BaseSettings):
    """What every service needs. Environment variables are FEIQIAN_<NAME>; they win over the file."""

    model_config = SettingsConfigDict(env_prefix="FEIQIAN_", extra="forbid", frozen=True)
    _file: ClassVar[Path | None] = None

    name: str = Field(min_length=1, description="what the service calls itself in logs and tokens")
    account: str = Field(description="the institution's account in the registry on chain")
    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    endpoint: str = Field(description="the URL under which others reach this service; peers sign for it")
    database: Path
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
        try:
            return self.password_file.read_text().rstrip("\n")
        except (OSError, UnicodeDecodeError) as failure:
            raise KeyUnreadable(f"password_file: cannot read {self.password_file}") from failure

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
