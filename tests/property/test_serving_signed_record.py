"""The record that a member makes before it signs: whatever happens in whatever order, no payment settles twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Connection, MetaData, create_engine

from contracts.terms.batch import Batch
from contracts.terms.commitments import batch_hash
from contracts.terms.errors import AlreadySigned, Unavailable
from serving.cosigning import NOT_SEEN, SignedRecord, signed_tables

AGENT, OTHER_AGENT, CONTRACT, SUCCESSOR = ("0x" + digit * 40 for digit in "1234")
UETRS = [f"00000000-0000-4000-8000-{number:012d}" for number in range(4)]
START, LIFETIME = 1_000, 15


def batch(
    sequence: int = 0, root: int = 1, deadline: int = START + LIFETIME, lane: int = 0, agent: str = AGENT
) -> Batch:
    return Batch(agent, lane, sequence, bytes([root]) * 32, 1, (agent,), (), deadline)


@pytest.fixture
def connection() -> Iterator[Connection]:
    yield from opened()


def opened() -> Iterator[Connection]:
    metadata = MetaData()
    signed_tables(metadata)
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def record() -> SignedRecord:
    return SignedRecord(signed_tables(MetaData()))


def test_a_batch_is_recorded_once_however_often_it_is_asked(connection: Connection, record: SignedRecord) -> None:
    for _ in range(3):
        record.record(connection, batch(), UETRS[:2], CONTRACT)
    assert record.payments_of(connection, batch_hash(batch())) == UETRS[:2]
    assert record.is_live(connection, batch_hash(batch()))
    assert record.live(connection, UETRS) == set(UETRS[:2])


def test_a_batch_without_own_payments_is_recorded_too(connection: Connection, record: SignedRecord) -> None:
    record.record(connection, batch(), [], CONTRACT)
    assert record.is_live(connection, batch_hash(batch()))
    assert record.settle(connection, batch().place, batch_hash(batch())) == []


def test_another_batch_at_the_same_place_may_hold_the_payment(connection: Connection, record: SignedRecord) -> None:
    record.record(connection, batch(root=1), UETRS[:1], CONTRACT)
    record.record(connection, batch(root=2), UETRS[:2], CONTRACT)
    assert record.live(connection, UETRS) == set(UETRS[:2])


@pytest.mark.parametrize(
    "elsewhere", [batch(sequence=1), batch(lane=1), batch(agent=OTHER_AGENT)], ids=["sequence", "lane", "agent"]
)
def test_another_place_is_refused_while_the_first_batch_may_settle(
    connection: Connection, record: SignedRecord, elsewhere: Batch
) -> None:
    record.record(connection, batch(), UETRS[:1], CONTRACT)
    with pytest.raises(AlreadySigned) as refusal:
        record.record(connection, elsewhere, UETRS[:2], CONTRACT)
    assert refusal.value.fields == {"uetr": UETRS[0]}
    assert not record.is_live(connection, batch_hash(elsewhere))
    record.record(connection, elsewhere, UETRS[1:2], CONTRACT)


def test_another_place_is_free_once_the_deadline_is_past_in_a_final_block(
    connection: Connection, record: SignedRecord
) -> None:
    """A batch may still be in the block of its very deadline: that block does not bury it."""
    record.record(connection, batch(), UETRS[:1], CONTRACT)
    record.bury(connection, START + LIFETIME)
    with pytest.raises(AlreadySigned):
        record.record(connection, batch(sequence=1), UETRS[:1], CONTRACT)
    record.bury(connection, START + LIFETIME + 1)
    record.record(connection, batch(sequence=1, deadline=START + 2 * LIFETIME), UETRS[:1], CONTRACT)


def test_another_place_is_free_once_the_first_is_final_without_the_payment(
    connection: Connection, record: SignedRecord
) -> None:
    record.record(connection, batch(root=1), UETRS[:1], CONTRACT)
    record.record(connection, batch(root=2), UETRS[1:2], CONTRACT)
    assert record.settle(connection, batch().place, batch_hash(batch(root=2))) == UETRS[1:2]
    record.record(connection, batch(sequence=1), UETRS[:1], CONTRACT)
    with pytest.raises(AlreadySigned):
        record.record(connection, batch(sequence=2), UETRS[1:2], CONTRACT)


def test_a_batch_of_others_that_settles_at_a_place_kills_ours(connection: Connection, record: SignedRecord) -> None:
    record.record(connection, batch(root=1), UETRS[:1], CONTRACT)
    assert record.settle(connection, batch().place, batch_hash(batch(root=9))) == []
    record.record(connection, batch(sequence=1), UETRS[:1], CONTRACT)


def test_what_is_settled_stays_settled_after_its_deadline(connection: Connection, record: SignedRecord) -> None:
    record.record(connection, batch(), UETRS[:1], CONTRACT)
    record.settle(connection, batch().place, batch_hash(batch()))
    record.bury(connection, START + 10 * LIFETIME)
    with pytest.raises(AlreadySigned):
        record.record(connection, batch(sequence=1, deadline=START + 11 * LIFETIME), UETRS[:1], CONTRACT)
    with pytest.raises(AlreadySigned, match="settled"):
        record.record(connection, batch(), UETRS[:1], CONTRACT)


def test_a_dead_batch_is_not_signed_again(connection: Connection, record: SignedRecord) -> None:
    record.record(connection, batch(), UETRS[:1], CONTRACT)
    record.bury(connection, START + LIFETIME + 1)
    with pytest.raises(AlreadySigned, match="dead"):
        record.record(connection, batch(), UETRS[:1], CONTRACT)
    assert record.live(connection, UETRS) == set()


def test_what_was_signed_for_a_retired_contract_is_dead_and_its_payments_free(
    connection: Connection, record: SignedRecord
) -> None:
    record.record(connection, batch(root=1), UETRS[:1], CONTRACT)
    with pytest.raises(AlreadySigned):  # the retirement is not final yet
        record.record(connection, batch(root=2), UETRS[:1], SUCCESSOR)
    record.retire(connection, CONTRACT)
    assert not record.is_live(connection, batch_hash(batch(root=1)))
    assert record.live(connection, UETRS) == set()
    record.record(connection, batch(root=2, sequence=1), UETRS[:1], SUCCESSOR)
    assert record.live(connection, UETRS) == {UETRS[0]}


def test_what_settled_before_the_retirement_stays_settled(connection: Connection, record: SignedRecord) -> None:
    record.record(connection, batch(), UETRS[:1], CONTRACT)
    record.settle(connection, batch().place, batch_hash(batch()))
    record.retire(connection, CONTRACT)
    for sequence in (0, 1):
        with pytest.raises(AlreadySigned):
            record.record(connection, batch(sequence=sequence, root=2), UETRS[:1], SUCCESSOR)
    with pytest.raises(AlreadySigned, match="settled"):
        record.record(connection, batch(), UETRS[:1], SUCCESSOR)


def test_the_same_batch_is_signed_for_the_successor_once_the_old_one_is_dead(
    connection: Connection, record: SignedRecord
) -> None:
    """The same payments at the same place with the same deadline have the same hash, which names no contract."""
    record.record(connection, batch(), UETRS[:2], CONTRACT)
    with pytest.raises(AlreadySigned, match="live"):
        record.record(connection, batch(), UETRS[:2], SUCCESSOR)
    record.retire(connection, CONTRACT)
    record.record(connection, batch(), UETRS[:2], SUCCESSOR)
    record.retire(connection, CONTRACT)
    assert record.live(connection, UETRS) == set(UETRS[:2])
    assert record.settle(connection, batch().place, batch_hash(batch())) == UETRS[:2]


def test_a_retirement_ends_only_what_was_signed_for_that_contract(connection: Connection, record: SignedRecord) -> None:
    record.record(connection, batch(), UETRS[:1], SUCCESSOR)
    record.retire(connection, CONTRACT)
    assert record.live(connection, UETRS) == {UETRS[0]}


def restored(at: int | None = START) -> SignedRecord:
    """A record from a backup; the newest final block at the service's start had this time."""
    return SignedRecord(signed_tables(MetaData()), at)


def test_a_restored_record_signs_nothing_not_even_what_it_knows(connection: Connection, record: SignedRecord) -> None:
    record.record(connection, batch(), UETRS[:1], CONTRACT)
    quiet = restored()
    for asked in (batch(), batch(sequence=1)):
        with pytest.raises(Unavailable, match="restored from a backup"):
            quiet.record(connection, asked, UETRS[:1], CONTRACT)
    assert not quiet.is_live(connection, batch_hash(batch(sequence=1)))


def test_quiet_lasts_one_batch_lifetime_after_the_first_block_made_since_the_start(connection: Connection) -> None:
    quiet = restored()
    for old in (START - 3600, START - 1, START):  # blocks that the chain had when the service started
        quiet.bury(connection, old)
    assert quiet.quiet_until == START + LIFETIME
    quiet.bury(connection, START + 4)
    for late in (START + 5, START + 4 + LIFETIME):
        quiet.bury(connection, late)
        assert quiet.quiet
        assert quiet.quiet_until == START + 4 + LIFETIME
        with pytest.raises(Unavailable):
            quiet.record(connection, batch(), UETRS[:1], CONTRACT)
    quiet.bury(connection, START + 5 + LIFETIME)
    assert not quiet.quiet
    assert quiet.quiet_until == 0
    quiet.record(connection, batch(deadline=START + 3 * LIFETIME), UETRS[:1], CONTRACT)


def test_before_the_chain_was_asked_no_block_ends_the_quiet(connection: Connection) -> None:
    quiet = restored(NOT_SEEN)
    for late in (START, START + 100 * LIFETIME):
        quiet.bury(connection, late)
    assert quiet.quiet


@given(
    lead=st.integers(0, 20),
    life=st.integers(0, LIFETIME),
    blocks=st.lists(st.integers(1, 10), min_size=1, max_size=30),
)
def test_what_was_signed_before_the_start_is_over_when_it_signs_again(lead: int, life: int, blocks: list[int]) -> None:
    """A member judges by a clock that may lead the newest final block; no block made later is behind that clock."""
    quiet, times = restored(), [START + lead]
    for pause in blocks:
        times.append(times[-1] + pause)
    deadline_of_what_was_lost = START + lead + life
    for connection in opened():
        for final_time in times[1:]:
            quiet.bury(connection, final_time)
            assert quiet.quiet or final_time > deadline_of_what_was_lost
        assert quiet.quiet == (times[-1] <= times[1] + LIFETIME), "quiet must end, and not before its time"


@dataclass(frozen=True)
class Signed:
    batch: Batch
    uetrs: tuple[str, ...]
    contract: int


class Chain(RuleBasedStateMachine):
    """Contracts that take over from each other, of which the one in office stores one batch a place and takes none
    after its deadline; and a member that follows them. `seen` is the one in office by the member's newest final block.
    """

    def __init__(self) -> None:
        super().__init__()
        self._opened = opened()
        self.connection = next(self._opened)
        self.record = SignedRecord(signed_tables(MetaData()))
        self.now = START
        self.office = self.seen = 0
        self.signed: list[Signed] = []
        self.settled: dict[object, Signed] = {}

    def teardown(self) -> None:
        self._opened.close()  # type: ignore[attr-defined]

    def may_settle(self, signed: Signed, office: int) -> bool:
        in_time = signed.batch.deadline >= self.now
        return signed.contract == office and in_time and signed.batch.place not in self.settled

    @staticmethod
    def address(contract: int) -> str:
        return f"0x{contract:040x}"

    @rule(
        sequence=st.integers(0, 2),
        lane=st.integers(0, 1),
        root=st.integers(1, 3),
        life=st.integers(0, LIFETIME),
        uetrs=st.lists(st.sampled_from(UETRS), min_size=1, max_size=3, unique=True).map(tuple),
    )
    def ask(self, sequence: int, lane: int, root: int, life: int, uetrs: tuple[str, ...]) -> None:
        self._ask(Signed(replace(batch(sequence, root, self.now + life), lane=lane), uetrs, self.seen))

    @precondition(lambda self: any(each.contract != self.seen for each in self.signed))
    @rule(data=st.data())
    def ask_for_the_successor(self, data: st.DataObject) -> None:
        """The same batch as before the retirement."""
        old = data.draw(st.sampled_from([each for each in self.signed if each.contract != self.seen]))
        if old.batch.deadline >= self.now:
            self._ask(replace(old, contract=self.seen))

    def _ask(self, asked: Signed) -> None:
        known = any((each.batch, each.contract) == (asked.batch, asked.contract) for each in self.signed)
        if asked.batch.place in self.settled or known:
            return
        elsewhere = [
            each
            for each in self.signed
            if each.batch.place != asked.batch.place
            and set(each.uetrs) & set(asked.uetrs)
            and (self.may_settle(each, self.seen) or self.settled.get(each.batch.place) is each)
        ]
        try:
            self.record.record(self.connection, asked.batch, asked.uetrs, self.address(asked.contract))
        except AlreadySigned:
            assert elsewhere, "a payment that can settle nowhere else must not be stuck"
            return
        assert not elsewhere, "a payment that may settle elsewhere was signed again"
        self.signed.append(asked)

    @precondition(lambda self: any(self.may_settle(each, self.office) for each in self.signed))
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from([each for each in self.signed if self.may_settle(each, self.office)]))
        self.settled[chosen.batch.place] = chosen
        paid = self.record.settle(self.connection, chosen.batch.place, batch_hash(chosen.batch))
        assert sorted(paid) == sorted(chosen.uetrs)

    @rule()
    def replace_settlement(self) -> None:
        self.office += 1

    @precondition(lambda self: self.seen < self.office)
    @rule()
    def follow_the_replacement(self) -> None:
        self.record.retire(self.connection, self.address(self.seen))
        self.seen += 1

    @rule(seconds=st.integers(1, LIFETIME + 1))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds
        self.record.bury(self.connection, self.now)

    @invariant()
    def no_payment_settles_twice(self) -> None:
        paid = [uetr for each in self.settled.values() for uetr in each.uetrs]
        assert len(paid) == len(set(paid))

    @invariant()
    def live_is_what_may_still_settle(self) -> None:
        live = {uetr for each in self.signed if self.may_settle(each, self.seen) for uetr in each.uetrs}
        assert self.record.live(self.connection, UETRS) == live


TestChain = Chain.TestCase
TestChain.settings = settings(max_examples=40, stateful_step_count=25)
