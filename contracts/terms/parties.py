"""Who takes part: institutions as the registry on chain knows them, and the persons behind a payment."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Protocol

from contracts.terms.documents import LATER
from contracts.terms.identifiers import Address


class Role(IntFlag):
    """What an institution may do; the bits are those of the Participants contract."""

    DEBTOR_AGENT = 1
    CREDITOR_AGENT = 2
    FX_PROVIDER = 4
    SETTLEMENT_BANK = 8
    AUDITOR = 16


class Status(IntEnum):
    """An institution's standing; the numbers are those of the Participants contract."""

    NONE = 0
    ACTIVE = 1
    SUSPENDED = 2
    LEFT = 3


@dataclass(frozen=True)
class Participant:
    """One institution as the Participants contract records it."""

    account: Address
    lei: str
    bic: str
    country: str
    roles: Role
    status: Status
    message_key: bytes
    """The newest Ed25519 public key, 32 bytes. What verifies its HTTP messages is the directory's `message_keys`."""
    endpoint: str
    codes: tuple[str, ...]
    """Payment codes it answers for, each "SCHEME:PREFIX"; an empty prefix means: ask by a proxy look-up."""


class KeyDirectory(Protocol):
    """Where a service learns who its peers are. The chain's registry is the one implementation in production."""

    def participant(self, account: Address) -> Participant | None:
        """The institution with this account, or None if the registry has none."""
        ...

    def message_keys(self, account: Address) -> tuple[bytes, ...]:
        """The Ed25519 keys (32 bytes) that verify this account's messages now: two during an overlap, else one or
        none."""
        ...


@dataclass(frozen=True)
class Party:
    """A debtor or a creditor as compliance sees it (ISO 20022 PartyIdentification, the parts that are screened)."""

    name: str
    kind: str
    """"person" or "organization"."""
    country: str = ""
    birth_date: str = ""
    """ISO 8601 date, or empty."""
    nationality: str = ""
    account: str = ""
    """The account identification at its agent."""
    gender: str = field(default="", metadata=LATER)
    """"male", "female", or empty."""
    identification: str = field(default="", metadata=LATER)
    """The number of one document or register entry (ISO 20022 PrivateIdentification, OrganisationIdentification), or
    empty."""
