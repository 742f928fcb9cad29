"""What decisions follow from: one version of the policy and one of the lists."""

from __future__ import annotations

from dataclasses import dataclass

from compliance.client import Screening
from compliance.names.match import NameIndex
from compliance.policy import Policy
from compliance.screening.decide import PartyMatch, decide, find_matches
from compliance.screening.questions import Inputs
from compliance.screening.record import Decided, Salts, Versions, record_decision


@dataclass(frozen=True)
class RuleBook:
    """The policy, the listed names, and which versions of them these are."""

    policy: Policy
    names: NameIndex
    versions: Versions

    def matches(self, screening: Screening) -> tuple[PartyMatch, ...]:
        """What both parties' names resemble; this takes the longest and needs nothing that is stored."""
        return find_matches(screening, self.names)

    def decide(self, number: int, inputs: Inputs, matches: tuple[PartyMatch, ...], salts: Salts) -> Decided:
        """The decision, recorded as the `number`-th about its payment and side."""
        verdict = decide(inputs, matches, self.policy)
        return record_decision(number, inputs, verdict, self.versions, salts, self.policy.hold_seconds)
