"""Whatever is asked, priced anew, released and refused in whatever order: the totals of days and years are what may
be paid."""

from __future__ import annotations

import uuid
from collections import Counter
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from compliance.app import MIGRATIONS
from compliance.chaintime import ChainTime
from compliance.client import Decision, Screening
from compliance.holds.service import HoldsService
from compliance.limits import SCOPES, Calendar
from compliance.lists.loader import SHIPPED_LIST, load_list
from compliance.names.match import NameIndex
from compliance.policy import SHIPPED_POLICY, read_policy
from compliance.repository import remember_version
from compliance.screening.log import AccountTags
from compliance.screening.record import Versions
from compliance.screening.rulebook import RuleBook
from compliance.screening.service import ScreeningService
from compliance.service import DecisionsService
from compliance.tables import lists, policies, totals
from contracts.chain.clock import ChainClock
from contracts.terms.errors import Conflict, NotFound
from contracts.terms.parties import Participant, Party, Role, Status
from contracts.terms.payment import Leg
from serving.database import Database
from tests.databases import migrated

LISTED = load_list(SHIPPED_LIST)
POLICY = read_policy(SHIPPED_POLICY.read_text().replace('zone = "UTC"', 'zone = "Asia/Bangkok"'))
ZONE = Calendar("Asia/Bangkok")
BOOK = RuleBook(POLICY, NameIndex(LISTED.entries), Versions(POLICY.version, LISTED.version))
WALLET, PROVIDER, ACQUIRER = (f"0x{digit * 40}" for digit in "123")
CNY, DAY = 156, 86_400
TAGS, CORRIDOR = AccountTags(b"secret"), "CN-TH"
NAMES = ("Wang Xiaoming", "Vladimir Putyn")

payments = st.integers(0, 3)
amounts = st.integers(1, POLICY.limits.of_customers[CNY][-1].payment + 1)
ask = st.tuples(st.just("ask"), payments, amounts)
review = st.tuples(st.sampled_from(["release", "refuse"]), payments, st.sampled_from(["anna", "boris"]))
wait = st.tuples(st.just("wait"), st.just(0), st.integers(1, DAY))
moves = st.lists(st.one_of(ask, ask, review, review, wait), max_size=25)


class Registry:
    """The countries of the two agents, which are the corridor."""

    def participant(self, account: str) -> Participant | None:
        country = {WALLET: "CN", ACQUIRER: "TH"}[account]
        return Participant(account, "", "", country, Role(7), Status.ACTIVE, b"", "", ())

    def message_keys(self, account: str) -> tuple[bytes, ...]:
        return ()


class House:
    """The services on one database, with a clock that the test sets."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock = database, ChainClock(monotonic=lambda: 0.0)
        self.clock.observe(1_700_000_000)
        database.write(lambda connection: remember_version(connection, policies, POLICY.version, POLICY.content))
        database.write(lambda connection: remember_version(connection, lists, LISTED.version, LISTED.content))
        time = ChainTime(self.clock, 1)
        self.screening = ScreeningService(database, WALLET, BOOK, time, Registry(), TAGS)
        self.holds = HoldsService(database, WALLET, BOOK, time, TAGS)
        self.asked: dict[int, Screening] = {}
        self.days: dict[int, str] = {}

    def move(self, what: str, payment: int, value: int | str) -> None:
        if what == "wait":
            self.clock.observe(self.clock.now() + int(value))
        elif what == "ask":
            self.ask(payment, int(value))
        elif payment in self.asked:
            with suppress(Conflict, NotFound):
                self.holds.review((self.asked[payment].uetr, "debtor"), str(value), what, "seen")

    def ask(self, payment: int, amount: int) -> None:
        known = self.asked.get(payment)
        self.asked[payment] = Screening(
            uetr=known.uetr if known else str(uuid.uuid4()),
            side="debtor",
            debtor=Party(NAMES[payment % 2], "person", account=str(payment // 2)),
            creditor=Party("Bangkok Mango Rice", "organization"),
            debtor_agent=WALLET,
            creditor_agent=ACQUIRER,
            legs=(Leg(WALLET, PROVIDER, CNY, amount),),
            attempt=known.attempt + 1 if known else 0,
        )
        self.days[payment] = ZONE.date_of(self.clock.now()).isoformat()
        self.decisions([payment])

    def decisions(self, numbers: list[int]) -> list[Decision]:
        answers = self.screening.screen([self.asked[number] for number in numbers])
        assert all(isinstance(answer, Decision) for answer in answers), answers
        return [answer for answer in answers if isinstance(answer, Decision)]

    def expected(self) -> Counter[tuple[bytes, str]]:
        """What may still be paid, by account or corridor and by day and year, from the answers alone."""
        numbers, sums = sorted(self.asked), Counter[tuple[bytes, str]]()
        for number, answer in zip(numbers, self.decisions(numbers), strict=True):
            if answer.outcome != "refuse":
                asked = self.asked[number]
                for scope in SCOPES:
                    for period in (self.days[number], self.days[number][:4]):
                        sums[TAGS.tag(asked, scope, CORRIDOR), period] += asked.legs[0].amount
        return sums

    def stored(self) -> Counter[tuple[bytes, str]]:
        with self.database.read() as connection:
            rows = connection.execute(select(totals)).all()
        return Counter({(row.tag, row.period): row.amount for row in rows if row.amount})


@given(moves)
@settings(max_examples=40)
def test_totals_are_those_of_the_newest_decisions_that_may_be_paid(steps: list[tuple[str, int, int | str]]) -> None:
    with migrated(MIGRATIONS) as database:
        house = House(database)
        for step in steps:
            house.move(*step)
        assert house.stored() == house.expected()
        assert DecisionsService(database).replay().faults == ()
