"""The rooms of one institution's compliance service on a database, with a clock that the test sets."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import cache

from compliance.cases.service import CasesService
from compliance.chaintime import ChainTime
from compliance.client import Decision, Screening
from compliance.holds.service import HoldsService
from compliance.inquiries.service import InquiriesService
from compliance.lists.loader import SHIPPED_LIST, load_list
from compliance.names.match import NameIndex
from compliance.policy import SHIPPED_POLICY, load_policy, read_policy
from compliance.repository import remember_version
from compliance.screening.log import AccountTags
from compliance.screening.record import Versions
from compliance.screening.rulebook import RuleBook
from compliance.screening.service import ScreeningService
from compliance.service import DecisionsService, Replayed
from compliance.tables import lists, policies
from contracts.chain.clock import ChainClock
from contracts.terms.parties import Participant, Party, Role, Status
from contracts.terms.payment import Leg
from serving.database import Database

WALLET, PROVIDER, ACQUIRER = (f"0x{digit * 40}" for digit in "123")
CNY = 156
NOON = 1_700_049_600
"""2023-11-15 12:00:00 UTC."""
LISTED = "Vladimir Putyn"
"""So called, a person resembles a listed one enough to be held, not to be refused."""
MERCHANT = Party("Bangkok Mango Rice", "organization", "TH")
TAGS = AccountTags(b"secret")


class Registry:
    """The countries of the two agents."""

    def participant(self, account: str) -> Participant | None:
        country = {WALLET: "CN", ACQUIRER: "TH"}.get(account, "SG")
        return Participant(account, "", "", country, Role(7), Status.ACTIVE, b"", "", ())

    def message_keys(self, account: str) -> tuple[bytes, ...]:
        return ()


@cache
def names() -> tuple[str, str, NameIndex]:
    """The shipped list: its version, its content, and its names to compare with."""
    listed = load_list(SHIPPED_LIST)
    return listed.version, listed.content, NameIndex(listed.entries)


class Desk:
    """The wallet's compliance, as a debtor agent; `policy` is the content of one, the shipped without."""

    def __init__(self, database: Database, policy: str = "") -> None:
        self.database, self.clock = database, ChainClock(monotonic=lambda: 0.0)
        self.clock.observe(NOON)
        version, content, index = names()
        self.policy = read_policy(policy) if policy else load_policy(SHIPPED_POLICY)
        rules = self.policy
        database.write(lambda connection: remember_version(connection, policies, rules.version, rules.content))
        database.write(lambda connection: remember_version(connection, lists, version, content))
        time, book = ChainTime(self.clock, 1), RuleBook(rules, index, Versions(rules.version, version))
        self.time = time
        self.screening = ScreeningService(database, WALLET, book, time, Registry(), TAGS)
        self.holds = HoldsService(database, WALLET, book, time, TAGS)
        self.cases = CasesService(database, self.holds, time)
        self.inquiries = InquiriesService(database, WALLET, self.holds, time)

    def pass_time(self, seconds: int) -> None:
        self.clock.observe(self.clock.now() + seconds)

    def decide(self, *asked: Screening) -> list[Decision]:
        answers = self.screening.screen(asked)
        assert all(isinstance(each, Decision) for each in answers), answers
        return [each for each in answers if isinstance(each, Decision)]

    def held(self, **changes: object) -> tuple[str, str]:
        """The key of a payment that officers must look at."""
        asked = payment(LISTED, **changes)  # type: ignore[arg-type]
        assert self.decide(asked)[0].outcome == "hold"
        return asked.uetr, asked.side

    def replay(self) -> Replayed:
        return DecisionsService(self.database).replay()


def payment(
    name: str = "Wang Xiaoming", amount: int = 10_000, account: str = "6222", merchant: Party = MERCHANT
) -> Screening:
    """A payment as the wallet's node would ask about it."""
    return Screening(
        uetr=str(uuid.uuid4()),
        side="debtor",
        debtor=Party(name, "person", "CN", "", "CN", account),
        creditor=merchant,
        debtor_agent=WALLET,
        creditor_agent=ACQUIRER,
        legs=(Leg(WALLET, PROVIDER, CNY, amount),),
    )


def payments(count: int, customers: int, name: Callable[[int], str]) -> Sequence[Screening]:
    """So many payments of customers who pay again and again."""
    return [payment(name(each % customers), 100, f"6222-{each % customers}") for each in range(count)]
