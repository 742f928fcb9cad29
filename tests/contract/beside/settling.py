"""Moves of Settlement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from contracts.terms.batch import Batch
from contracts.terms.identifiers import Address
from contracts.terms.merkle import MerkleTree
from tests.contract.beside import faults
from tests.contract.beside.drafts import EDGE, LUCK, Book, draft, endorse, fit, leaves, numbered, pays, pick, root
from tests.contract.beside.ground import CURRENCIES
from tests.contract.beside.moves import Moves
from tests.contract.beside.wire import address
from tests.contract.model.settlement import Signed
from tests.contract.model.world import Call


class Settling(Moves):
    def can_settle(self) -> bool:
        return not self.council.paused and len(fit(self.register)) > 1

    def settle(self, batches: Sequence[Signed], settlement: Address | None = None) -> str:
        """Bring batches to the Settlement in office (or another), which first says whether it would."""
        target = settlement or self.settlement.address
        asked = Call(target, "would_settle", (tuple(batches),))
        would = self.world.read(asked)
        # It runs all that settle runs, so of the good ones, which cost most, only one in four is asked about.
        if would or self.turn % 4 == 0:
            self.pair.ask(asked)
        outcome = self.send(address("relayer"), target, "settle", tuple(batches))
        assert outcome == would.replace("settlement: no reason", "no reason")
        if not outcome:
            self.settled.extend(each for each in batches if each not in self.settled)
        return outcome

    def drafted(self, luck: Random, count: int, moves: int | None = None) -> list[Signed]:
        """Good batches for one call: each borne by what those before it leave, then put in any order."""
        book = Book(self.ledger)
        drafts = [draft(luck, self.settlement, book, moves=moves) for _ in range(count)]
        if count > 1:
            drafts = [drafts[place] for place in luck.sample(range(count), count)]
        return [endorse(luck, self.settlement, each) for each in numbered(self.settlement, drafts)]

    @precondition(can_settle)
    @rule(luck=LUCK)
    def valid_batch(self, luck: Random) -> None:
        self.settle(self.drafted(luck, 1))

    @precondition(can_settle)
    @rule(luck=LUCK, count=st.integers(2, 8))
    def valid_batches_together(self, luck: Random, count: int) -> None:
        self.settle(self.drafted(luck, min(count, pick(luck, 2, 3, count))))

    @precondition(can_settle)
    @rule(luck=LUCK)
    def valid_payment_versus_payment(self, luck: Random) -> None:
        """Several movements, mostly in more than one currency."""
        self.settle(self.drafted(luck, 1, moves=4))

    @precondition(can_settle)
    @rule(luck=LUCK)
    def valid_nothing_moved(self, luck: Random) -> None:
        """Payments that net to nothing, or no batch at all."""
        self.settle(self.drafted(luck, pick(luck, 1, 1, 0), moves=0))

    @precondition(can_settle)
    @rule(luck=LUCK)
    def valid_on_credit(self, luck: Random) -> None:
        """A debtor agent goes into debt to the last unit of a cap that it just got."""
        agent, currency = pick(luck, *fit(self.register)), pick(luck, *CURRENCIES)
        cap = pick(luck, 1, 40_000, EDGE - 1)
        self.send(self.register.bank_of(currency), self.ledger.address, "set_cap", agent, currency, cap)
        first = draft(luck, self.settlement, Book(self.ledger), [agent])
        drained = faults.drained(self.settlement, first, currency, 0)
        self.settle([endorse(luck, self.settlement, each) for each in numbered(self.settlement, [drained])])

    @precondition(can_settle)
    @rule(luck=LUCK)
    def valid_circle(self, luck: Random) -> None:
        """Gridlock: who pays first pays out of what it is paid last."""
        self.settle_in_order(luck, self.circle(luck))

    @precondition(can_settle)
    @rule(luck=LUCK)
    def wrong_beside_a_circle(self, luck: Random) -> None:
        """One short batch is mended by others of its call, one is not."""
        circle, able = self.circle(luck), fit(self.register)
        outside = [each for each in able if each not in circle[0].members]
        if outside:
            currency, payer = circle[0].positions[0].currency, pick(luck, *outside)
            amount = Book(self.ledger).room(payer, currency) + 1
            short = pays(self.settlement, payer, circle[0].debtor_agent, currency, amount)
            self.settle_in_order(luck, luck.sample([short, *circle], 3))

    def circle(self, luck: Random) -> list[Batch]:
        """One pays another all that it has and is about to get, then the other pays it all of its own."""
        last, first = luck.sample(fit(self.register), 2)
        currency, book = pick(luck, *CURRENCIES), Book(self.ledger)
        brought = book.room(last, currency)
        before = pays(self.settlement, first, last, currency, book.room(first, currency) + brought)
        return [before, pays(self.settlement, last, first, currency, brought)]

    def settle_in_order(self, luck: Random, batches: Sequence[Batch]) -> None:
        self.settle([endorse(luck, self.settlement, each) for each in numbered(self.settlement, batches)])

    @precondition(can_settle)
    @rule(luck=LUCK)
    def valid_signed_for_later(self, luck: Random) -> None:
        signed = tuple(self.drafted(luck, pick(luck, 1, 1, 2)))
        self.kept.append((self.settlement.address, signed))

    @precondition(lambda self: self.kept)
    @rule(luck=LUCK)
    def late_batches(self, luck: Random) -> None:
        """What was signed before, whatever has happened since."""
        settlement, signed = self.kept.pop(luck.randint(0, len(self.kept) - 1))
        self.settle(signed, settlement)

    @precondition(lambda self: self.settled)
    @rule(luck=LUCK)
    def replay_batch(self, luck: Random) -> None:
        signed = pick(luck, *self.settled[-8:])
        self.settle([pick(luck, signed, replace(signed, endorsements=()))])

    @precondition(lambda self: self.settled and self.can_settle())
    @rule(luck=LUCK)
    def replay_among_new_ones(self, luck: Random) -> None:
        """Somebody brought one batch of a joint settlement ahead of it."""
        new = self.drafted(luck, pick(luck, 1, 2))
        self.settle([*new, pick(luck, *self.settled[-8:]), new[0]])

    @precondition(lambda self: self.settled or self.kept)
    @rule(luck=LUCK)
    def valid_proof(self, luck: Random) -> None:
        """Whether a payment settled, asked of a settled batch or of one only signed, with a path right or wrong."""
        batch = pick(luck, *self.settled[-8:], *(each for _, batches in self.kept for each in batches)).batch
        count = batch.payment_count if batch.payments_root == root(batch.payment_count) else 1
        path = MerkleTree(leaves(count)).path(luck.randint(0, count - 1))
        wrong = replace(path, index=path.index ^ 1), replace(path, siblings=path.siblings[1:])
        leaf = leaves(5)[pick(luck, path.index, path.index, path.index, 4)]
        self.pair.ask(Call(self.settlement.address, "verify", (batch, leaf, pick(luck, path, path, path, *wrong))))

    @precondition(can_settle)
    @rule(luck=LUCK)
    def wrong_place(self, luck: Random) -> None:
        self.settle_misdrafted(luck, faults.place)

    @precondition(can_settle)
    @rule(luck=LUCK)
    def wrong_members(self, luck: Random) -> None:
        self.settle_misdrafted(luck, faults.members)

    @precondition(can_settle)
    @rule(luck=LUCK)
    def wrong_positions(self, luck: Random) -> None:
        self.settle_misdrafted(luck, faults.positions)

    @precondition(can_settle)
    @rule(luck=LUCK)
    def wrong_liquidity(self, luck: Random) -> None:
        self.settle_misdrafted(luck, faults.liquidity)

    @precondition(can_settle)
    @rule(luck=LUCK)
    def wrong_form_of_signature(self, luck: Random) -> None:
        self.settle_missigned(luck, faults.form)

    @precondition(can_settle)
    @rule(luck=LUCK)
    def wrong_key(self, luck: Random) -> None:
        self.settle_missigned(luck, faults.key)

    @precondition(can_settle)
    @rule(luck=LUCK)
    def wrong_content_signed(self, luck: Random) -> None:
        self.settle_missigned(luck, faults.content)

    @precondition(can_settle)
    @rule(luck=LUCK)
    def wrong_attestation(self, luck: Random) -> None:
        self.settle_missigned(luck, faults.attestation)

    @precondition(can_settle)
    @rule(luck=LUCK)
    def wrong_number_of_endorsements(self, luck: Random) -> None:
        self.settle_missigned(luck, faults.number)

    @precondition(can_settle)
    @rule(luck=LUCK)
    def wrong_one_among_good_ones(self, luck: Random) -> None:
        signed = self.drafted(luck, 3)
        place = luck.randint(0, 2)
        if luck.random() < 0.5:
            bad = pick(luck, *faults.MISDRAFTS)(luck, self.settlement, signed[place].batch)
            signed[place] = endorse(luck, self.settlement, bad)
        else:
            signed[place] = pick(luck, *faults.MISSIGNS)(luck, self.settlement, signed[place])
        self.settle(signed)

    def settle_misdrafted(self, luck: Random, fault: faults.Misdraft) -> None:
        [good] = self.drafted(luck, 1)
        self.settle([endorse(luck, self.settlement, fault(luck, self.settlement, good.batch))])

    def settle_missigned(self, luck: Random, fault: faults.Missign) -> None:
        [good] = self.drafted(luck, 1)
        self.settle([fault(luck, self.settlement, good)])

    @precondition(lambda self: self.council.paused)
    @rule(luck=LUCK)
    def wrong_while_paused(self, luck: Random) -> None:
        if fit(self.register):
            self.settle(self.drafted(luck, 1))
