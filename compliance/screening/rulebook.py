"""What decisions follow from: one version of the policy and one of the lists."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from compliance.client import Screening
from compliance.lists.listed import Listed
from compliance.names.match import NameIndex
from compliance.policy import Policy
from compliance.screening.decide import PartyMatch, Verdict, decide, find_matches
from compliance.screening.particulars import Told, missing, told
from compliance.screening.questions import Inputs
from compliance.screening.record import Decided, Salts, Versions, record_decision
from compliance.screening.weighing import NOTHING_KNOWN, Weighing, weighing


@dataclass(frozen=True)
class RuleBook:
    """The policy, the listed names and what else is known of them, and which versions of them these are. `told` says
    what may be asked of whom resembles them."""

    policy: Policy
    names: NameIndex
    versions: Versions
    weighing: Weighing = NOTHING_KNOWN
    told: Told = field(default_factory=dict)

    def matches(self, screening: Screening) -> tuple[PartyMatch, ...]:
        """What both parties' names resemble; this takes the longest and needs nothing that is stored."""
        return find_matches(screening, self.names)

    def decide(self, number: int, inputs: Inputs, matches: tuple[PartyMatch, ...], salts: Salts) -> Decided:
        """The decision, recorded as the `number`-th about its payment and side."""
        verdict = self._verdict(inputs, matches)
        return record_decision(number, inputs, verdict, self.versions, salts, self.policy.hold_seconds)

    def outcome(self, inputs: Inputs) -> str:
        """What these inputs would be decided to be."""
        return self._verdict(inputs, self.matches(inputs.screening)).outcome

    def weighed(self, inputs: Inputs, matches: tuple[PartyMatch, ...]) -> tuple[PartyMatch, ...]:
        """The matches as they count, the best first."""
        at, asked = inputs.facts.decided_at, inputs.screening
        found = [
            replace(each, match=self.weighing.of_payment(asked, each.role, each.match, at, self.policy))
            for each in matches
        ]
        return tuple(sorted(found, key=lambda each: -each.match.score))

    def _verdict(self, inputs: Inputs, matches: tuple[PartyMatch, ...]) -> Verdict:
        weighed = self.weighed(inputs, matches)
        return decide(inputs, weighed, self.policy, missing(inputs, weighed, self.told, self.policy))

    def take(self) -> RuleBook:
        """A book by itself is always in force."""
        return self

    def latest(self) -> RuleBook:
        return self


class Rules(Protocol):
    """Which book is in force. It is taken once for all that must be decided alike."""

    def take(self) -> RuleBook:
        """The book to clear payments by. Raises ComplianceUnavailable when a list is older than its limit."""
        ...

    def latest(self) -> RuleBook:
        """The book, however old its lists are: to refuse by, and to look at."""
        ...


def rule_book(policy: Policy, listed: Listed, names: NameIndex | None = None) -> RuleBook:
    """The book of a policy and of lists, whose index is `names` if it is there already. Raises Malformed."""
    known = weighing(listed.entries, listed.false_positives, policy)
    names = names or NameIndex(listed.entries)
    return RuleBook(
        policy, names, Versions(policy.version, listed.version, names.version), known, told(listed.entries, policy)
    )
