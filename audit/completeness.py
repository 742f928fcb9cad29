"""Nothing missing: every lane of every participant is a gapless sequence of batches, and leaves add up to them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from audit.history import History, read_history
from contracts.chain.client import ChainClient
from contracts.chain.events import BatchSettled, SettlementReplaced
from contracts.chain.ledger import Ledger
from contracts.chain.network import Network
from contracts.chain.participants import Participants
from contracts.chain.settlement import Settlement
from contracts.terms.batch import LANES, Place
from contracts.terms.commitments import payment_leaf
from contracts.terms.identifiers import Address
from contracts.terms.merkle import root_of
from contracts.terms.payment import PaymentTerms


@dataclass(frozen=True)
class BatchLeaves:
    """The payments of one batch in the order of its tree, as an institution gives them to its auditor
    (`GET /v1/batches/{lane}/{sequence}/payments`)."""

    debtor_agent: Address
    lane: int
    sequence: int
    payments: tuple[PaymentTerms, ...]

    @property
    def place(self) -> Place:
        return Place(self.debtor_agent, self.lane, self.sequence)


@dataclass(frozen=True)
class LaneReport:
    """One lane that has settled anything: `batches` with `payments` in all."""

    debtor_agent: Address
    lane: int
    batches: int
    payments: int


@dataclass(frozen=True)
class CompletenessReport:
    """What was found up to final block `block_number` in all `settlements`, the last of which is in office;
    `leaves_checked` batches were recomputed from their payments. Nothing is missing when there are no `problems`."""

    block_number: int
    settlements: tuple[Address, ...]
    participants: int
    lanes: tuple[LaneReport, ...]
    leaves_checked: int
    problems: tuple[str, ...]


def check_completeness(client: ChainClient, network: Network, leaves: Sequence[BatchLeaves] = ()) -> CompletenessReport:
    """Compare events, storage and, where given, leaves. Raises as `audit.history.read_history`."""
    history = read_history(client, network)
    block = history.until.number
    accounts = Participants(client, network.contracts.participants.address).accounts(block)
    settled = _settled_by_lane(history)
    problems = [*_office_problems(client, network, history), *_stranger_problems(settled, accounts)]
    for account in accounts:
        for lane in range(LANES):
            problems.extend(_lane_problems(client, history, account, lane, settled.get((account, lane), [])))
    problems.extend(_leaf_problems(leaves, {event.place: event for each in settled.values() for event in each}))
    lanes = _lane_reports(settled)
    return CompletenessReport(block, history.settlements, len(accounts), lanes, len(leaves), tuple(problems))


Lanes = Mapping[tuple[Address, int], Sequence[BatchSettled]]


def _settled_by_lane(history: History) -> Lanes:
    lanes: dict[tuple[Address, int], list[BatchSettled]] = defaultdict(list)
    for event in history.events:
        if isinstance(event, BatchSettled):
            lanes[event.place.debtor_agent, event.place.lane].append(event)
    return lanes


def _lane_reports(settled: Lanes) -> tuple[LaneReport, ...]:
    return tuple(
        LaneReport(account, lane, len(events), sum(event.payment_count for event in events))
        for (account, lane), events in sorted(settled.items())
    )


def _office_problems(client: ChainClient, network: Network, history: History) -> Iterator[str]:
    """Batches could be settled where this audit does not look if the events left a Settlement out."""
    told = history.settlements[-1]
    in_office = Ledger(client, network.contracts.ledger.address).settlement(history.until.number)
    if in_office != told:
        yield f"the Settlement in office is {in_office}, by the events it is {told}"
    incumbent = network.contracts.settlement.address
    for event in history.events:
        if isinstance(event, SettlementReplaced):
            incumbent = event.new
        elif isinstance(event, BatchSettled) and event.origin.contract != incumbent:
            yield f"{event.origin.contract} settled a batch while {incumbent} was in office"


def _stranger_problems(settled: Lanes, accounts: Sequence[Address]) -> Iterator[str]:
    for account in sorted({account for account, _ in settled} - set(accounts)):
        yield f"{account} settled batches and is no participant"


def _lane_problems(
    client: ChainClient, history: History, account: Address, lane: int, events: Sequence[BatchSettled]
) -> Iterator[str]:
    """The sequences of a lane go on from one Settlement to its successor; each keeps the hashes of its own batches."""
    where, block = f"{account} lane {lane}", history.until.number
    expected = Settlement(client, history.settlements[-1]).next_sequence(account, lane, block)
    found = [event.place.sequence for event in events]
    if missing := sorted(set(range(expected)) - set(found)):
        yield f"{where}: no event of batch {missing[0]} ({len(missing)} missing of {expected})"
    elif found != list(range(expected)):
        yield f"{where}: the events are not the batches 0 to {expected - 1}, once each and in order"
    for event in events:
        if Settlement(client, event.origin.contract).batch_hash(event.place, block) != event.batch_hash:
            yield f"{where}: the stored hash of batch {event.place.sequence} is not that of its event"


def _leaf_problems(leaves: Sequence[BatchLeaves], events: Mapping[Place, BatchSettled]) -> Iterator[str]:
    for batch in leaves:
        where = f"leaves of {batch.debtor_agent} lane {batch.lane} batch {batch.sequence}"
        event = events.get(batch.place)
        if event is None:
            yield f"{where}: no such batch was settled"
        elif len(batch.payments) != event.payment_count:
            yield f"{where}: {len(batch.payments)} payments, the batch has {event.payment_count}"
        elif root_of([payment_leaf(terms) for terms in batch.payments]) != event.payments_root:
            yield f"{where}: the payments do not give the batch's root"
    yield from _repeated(leaves)


def _repeated(leaves: Sequence[BatchLeaves]) -> Iterator[str]:
    places = Counter(batch.place for batch in leaves)
    for place in (place for place, times in places.items() if times > 1):
        yield f"leaves of {place.debtor_agent} lane {place.lane} batch {place.sequence}: given twice"
    uetrs = Counter(terms.uetr for batch in leaves if places[batch.place] == 1 for terms in batch.payments)
    for uetr in sorted(uetr for uetr, times in uetrs.items() if times > 1):
        yield f"payment {uetr} was settled {uetrs[uetr]} times"
