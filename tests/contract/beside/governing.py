"""Moves of the Council, of the guardian, and of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from contracts.terms.identifiers import Address
from tests.contract.beside.drafts import FORMS, LUCK, living_keys, pick
from tests.contract.beside.ground import CURRENCIES, DELAY, GOVERNORS, USD, admission, creation
from tests.contract.beside.moves import Moves
from tests.contract.beside.wire import address
from tests.contract.model.council import OPEN, Approval
from tests.contract.model.participants import ACTIVE, COMPLIANCE, MEMBER_ROLES, SETTLEMENT, SUSPENDED
from tests.contract.model.settlement import Settlement
from tests.contract.model.world import Call, Domain, Signature

MORE_GOVERNORS = (*GOVERNORS, "governor_4", "governor_5")
APPLICANTS = tuple(f"applicant_{number}" for number in range(6))


class Governing(Moves):
    def govern(self, sender: Address, function: str, *arguments: object) -> str:
        return self.send(sender, self.council.address, function, *arguments)

    def execute(self, number: int) -> None:
        calls = self.calls_of(number)
        if not self.govern(address("relayer"), "execute", number):
            self.tally.executed.update(call.function for call in calls)

    def open_proposals(self) -> list[int]:
        proposals = enumerate(self.council.proposals)
        return [number for number, each in proposals if (each.state, each.epoch) == (OPEN, self.council.epoch)]

    def proposal(self, luck: Random) -> int:
        """An open one, mostly; else one that is closed, lapsed or was never made."""
        return int(pick(luck, *self.open_proposals() * 4, 0, len(self.council.proposals)))

    def governor(self, luck: Random) -> Address:
        return pick(luck, *self.council.governors * 3, *map(address, MORE_GOVERNORS), address("stranger"))  # type: ignore[no-any-return]

    # What a council may want

    def call(self, luck: Random) -> Call:
        """Whatever mends the network, if something is to mend; else anything, and not all of it possible."""
        mends = self.mends(luck)
        if mends and luck.random() < 0.5:
            return pick(luck, *mends)  # type: ignore[no-any-return]
        return pick(luck, *self.wishes(luck))()  # type: ignore[no-any-return]

    def mends(self, luck: Random) -> list[Call]:
        register = self.register.address
        mends = [Call(self.council.address, "unpause")] * self.council.paused
        for account, record in self.register.records.items():
            if record.status == SUSPENDED:
                mends.append(Call(register, "reinstate", (account,)))
            if record.status == ACTIVE and record.roles & MEMBER_ROLES:
                mends += [
                    Call(register, "rotate_key", (account, purpose, self.new_key(), 0))
                    for purpose in (SETTLEMENT, COMPLIANCE)
                    if not living_keys(self.register, account, purpose)
                ]
        return mends

    def wishes(self, luck: Random) -> list[Callable[[], Call]]:
        register, ledger, council = self.register.address, self.ledger.address, self.council.address
        account = pick(luck, *self.register.records)
        applicant, roles = pick(luck, *APPLICANTS), pick(luck, 1, 2, 3, 4, 7, 8, 9, 16, 31, 0, 32)
        currency = pick(luck, *CURRENCIES, USD)
        bank = pick(luck, account, self.register.bank_of(currency), address("bank_thb"), address("bank_cny"))
        governors = tuple(map(address, luck.choices(MORE_GOVERNORS, k=luck.randint(0, 3))))
        return [
            lambda: Call(register, "admit", admission(applicant, roles)),
            lambda: Call(register, "admit", admission(applicant, 3)),
            lambda: Call(register, "suspend", (account,)),
            lambda: Call(register, "reinstate", (account,)),
            lambda: Call(register, "set_roles", (account, roles)),
            lambda: Call(register, "set_roles", (account, self.register.record(account).roles | 3)),
            lambda: Call(register, "set_codes", (account, (f"CODE:{self.turn}",))),
            lambda: Call(register, "set_settlement_bank", (currency, bank)),
            lambda: Call(register, "leave", (account,)),
            lambda: Call(ledger, "define_currency", (pick(luck, currency, USD), "USD", "US Dollar", 2)),
            lambda: Call(ledger, "define_currency", (999, pick(luck, "usd", "US", ""), "", pick(luck, 2, 5))),
            lambda: Call(ledger, "replace_settlement", (self.settlement.address, self.successor())),
            lambda: Call(ledger, "replace_settlement", (self.ground.addresses["Settlement"], self.settlement.address)),
            lambda: Call(council, "set_governors", (governors, pick(luck, 1, 2, 0, 6))),
            lambda: Call(council, "set_governors", (tuple(map(address, GOVERNORS)), 2)),
            lambda: Call(council, "set_guardian", (address(pick(luck, "guardian", "stranger")),)),
            lambda: Call(council, "unpause"),
            lambda: Call(address("stranger"), "nothing"),
        ]

    def successor(self) -> Address:
        """A Settlement deployed to go on where the one in office will end."""
        plan, before = self.ground.addresses, self.settlement.address
        parts = (plan["Council"], plan["Participants"], plan["Ledger"], before)
        made = self.pair.evm.create(
            address("deployer"), creation(self.ground.codes["Settlement"], "Settlement", *parts)
        )
        self.pair.world = self.world.copied()
        Settlement(self.world, made, *parts)
        return made

    # Proposals, step by step

    @rule(luck=LUCK, count=st.sampled_from([1, 1, 2, 3]))
    def valid_proposal(self, luck: Random, count: int) -> None:
        calls = tuple(self.call(luck) for _ in range(count))
        self.govern(pick(luck, *self.council.governors), "propose", tuple(each.target for each in calls), calls)

    @rule(luck=LUCK)
    def wrong_proposal(self, luck: Random) -> None:
        call = Call(self.council.address, "unpause")
        targets, calls = pick(luck, ((), ()), ((call.target,), ()), ((call.target,), (call,)))
        self.govern(self.governor(luck), "propose", targets, calls)

    @rule(luck=LUCK)
    def valid_approval(self, luck: Random) -> None:
        number = self.proposal(luck)
        self.govern(self.governor(luck), "approve", number, self.calls_of(number))

    @rule(luck=LUCK)
    def wrong_approval(self, luck: Random) -> None:
        """Of other calls than those that the number stands for."""
        number = self.proposal(luck)
        others = pick(luck, (), (Call(self.council.address, "pause"),), *[p.calls for p in self.council.proposals])
        self.govern(self.governor(luck), "approve", number, others)

    def calls_of(self, number: int) -> tuple[Call, ...]:
        return self.council.proposals[number].calls if number < len(self.council.proposals) else ()

    @precondition(lambda self: self.open_proposals())
    @rule(luck=LUCK, count=st.integers(0, 3))
    def valid_signed_approvals(self, luck: Random, count: int) -> None:
        number = pick(luck, *self.open_proposals())
        signatures = [self.approval(number, self.governor(luck)) for _ in range(count)]
        self.govern(address("relayer"), "approve_by_signature", number, tuple(signatures))

    @rule(luck=LUCK)
    def wrong_signed_approval(self, luck: Random) -> None:
        number = self.proposal(luck)
        good = self.approval(number, self.governor(luck))
        content = good.content
        assert isinstance(content, Approval)
        bad = pick(
            luck,
            replace(good, form=pick(luck, *FORMS)),
            replace(good, domain=Domain(self.world.chain_id + 1, self.council.address)),
            replace(good, domain=Domain(self.world.chain_id, self.register.address)),
            replace(good, content=replace(content, proposal=number + 1)),
            replace(good, content=replace(content, calls=())),
            replace(good, content=replace(content, epoch=content.epoch - 1)),
        )
        self.govern(address("relayer"), "approve_by_signature", number, (bad,))

    def approval(self, number: int, governor: Address) -> Signature:
        return Signature(governor, self.council.domain, Approval(number, self.calls_of(number), self.council.epoch))

    @rule(luck=LUCK)
    def valid_withdrawal(self, luck: Random) -> None:
        self.govern(self.governor(luck), "withdraw", self.proposal(luck))

    @rule(luck=LUCK)
    def valid_cancellation(self, luck: Random) -> None:
        self.govern(self.governor(luck), "cancel", self.proposal(luck))

    @rule(luck=LUCK)
    def valid_execution(self, luck: Random) -> None:
        """When it is time, or before."""
        number = self.proposal(luck)
        if number < len(self.council.proposals) and luck.random() < 0.5:
            self.pass_time(max(0, self.council.proposals[number].executable_at - self.world.now))
        self.execute(number)

    @rule(luck=LUCK)
    def valid_council(self, luck: Random) -> None:
        self.carry(self.call(luck))

    @rule(luck=LUCK)
    def valid_mending(self, luck: Random) -> None:
        if mends := self.mends(luck):
            self.carry(pick(luck, *mends))

    @rule(luck=LUCK)
    def valid_admission(self, luck: Random) -> None:
        names = [each for each in APPLICANTS if address(each) not in self.register.records]
        if names:
            self.carry(Call(self.register.address, "admit", admission(names[0], pick(luck, 1, 2, 3, 4, 8, 16, 31))))

    @rule(chance=st.integers(0, 2))
    def valid_upgrade(self, chance: int) -> None:
        if chance == 0:
            call = Call(self.ledger.address, "replace_settlement", (self.settlement.address, self.successor()))
            self.carry(call)

    @rule(luck=LUCK, chance=st.integers(0, 2))
    def valid_new_governors(self, luck: Random, chance: int) -> None:
        if chance == 0:
            governors = tuple(map(address, luck.sample(MORE_GOVERNORS, 3)))
            self.carry(Call(self.council.address, "set_governors", (governors, pick(luck, 1, 2, 3))))

    def carry(self, call: Call) -> None:
        """From proposal to execution in one go, else few would get there."""
        number, governors = len(self.council.proposals), self.council.governors
        self.govern(governors[0], "propose", (call.target,), (call,))
        for governor in governors[1 : self.council.quorum]:
            self.govern(governor, "approve", number, (call,))
        self.pass_time(DELAY)
        self.execute(number)

    @rule(luck=LUCK, function=st.sampled_from(["unpause", "set_guardian", "set_governors"]))
    def wrong_without_council(self, luck: Random, function: str) -> None:
        me = self.governor(luck)
        self.govern(me, function, *{"set_guardian": (me,), "set_governors": ((me,), 1)}.get(function, ()))

    @rule(luck=LUCK)
    def wrong_define_or_replace(self, luck: Random) -> None:
        me, ledger = self.governor(luck), self.ledger.address
        if luck.random() < 0.5:
            self.send(me, ledger, "define_currency", USD, "USD", "US Dollar", 2)
        else:
            self.send(me, ledger, "replace_settlement", self.settlement.address, me)

    @rule(luck=LUCK, chance=st.integers(0, 3))
    def valid_pause(self, luck: Random, chance: int) -> None:
        self.govern(self.council.guardian if chance == 0 else self.governor(luck), "pause")

    @rule(seconds=st.sampled_from([1, 1, 2, 5, 14, 15, 16, DELAY, 60, 86_400, 7 * 86_400]))
    def late_by(self, seconds: int) -> None:
        self.pass_time(seconds)
