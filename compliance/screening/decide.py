"""The decision: a pure function of its inputs, the policy and the lists, so that it can be run again.

A limit, a country, a name: which of them decided is the verdict's `rule`, by which alerts are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from compliance.client import Screening
from compliance.names.judge import Match
from compliance.names.match import NameIndex
from compliance.policy import Policy
from compliance.screening.over import over_limit
from compliance.screening.questions import Inputs, Review

CLEAR, HOLD, REFUSE, REQUEST_INFORMATION = "clear", "hold", "refuse", "request-information"
OUTCOMES = (CLEAR, HOLD, REFUSE, REQUEST_INFORMATION)
WAITING = (HOLD, REQUEST_INFORMATION)
"""Outcomes that wait for officers; one of them, until the other agent has answered."""

RELEASE, ASK, ANSWERED = "release", "ask", "answered"
"""What stands as `Review.action` beside `REFUSE`: an officer asked the other agent for information, or it answered."""
OFFICERS_TO_RELEASE = 2
"""Different officers who must have released each match that holds a payment; how many refuse it, the policy says."""

REGULATORY = "RR04"


@dataclass(frozen=True)
class PartyMatch:
    """A match and whose: "debtor" or "creditor"."""

    role: str
    match: Match

    @property
    def reference(self) -> str:
        """What an officer releases: the listed entry, as the match of this party."""
        return f"{self.role} {self.match.list_name} {self.match.entry_id}"


@dataclass(frozen=True)
class Verdict:
    """`reason` is an ISO 20022 ExternalStatusReason1Code, empty when clear; `score` that of the best match, in
    thousandths; `detail` names no person. `rule` is what decided, empty when clear; it is no part of what is compared,
    because decisions before there were rules had none. `asks` are the particulars that the other agent must be asked
    for, of a new verdict alone: what was asked is an inquiry from then on."""

    outcome: str
    reason: str
    detail: str
    score: int
    matches: tuple[PartyMatch, ...]
    rule: str = field(default="", compare=False)
    asks: tuple[str, ...] = field(default=(), compare=False)

    @property
    def waits(self) -> bool:
        return self.outcome in WAITING


def find_matches(screening: Screening, names: NameIndex) -> tuple[PartyMatch, ...]:
    """What both parties' names resemble, the best first."""
    parties = (("debtor", screening.debtor), ("creditor", screening.creditor))
    found = [PartyMatch(role, match) for role, party in parties if party for match in names.matches(party)]
    return tuple(sorted(found, key=lambda each: -each.match.score))


def decide(inputs: Inputs, matches: tuple[PartyMatch, ...], policy: Policy, asks: tuple[str, ...] = ()) -> Verdict:
    """Clear, hold, refuse or request information. `matches` are those of `find_matches` for these inputs, `asks` the
    particulars that would tell the other agent's customer from all that hold (`particulars.missing`): until that agent
    has answered, they are requested. Whatever it answers, officers decide."""
    score = matches[0].match.score if matches else 0
    reviews = inputs.facts.reviews

    def verdict(outcome: str, reason: str = "", detail: str = "", rule: str = "") -> Verdict:
        return Verdict(outcome, reason, detail, score, matches, rule)

    if blocked := _blocked_country(inputs, policy):
        return verdict(REFUSE, REGULATORY, blocked, "country")
    if refusers_missing(reviews, policy) == 0:
        return verdict(REFUSE, REGULATORY, _refused_by(policy.refusers), "officers")
    if score >= policy.refuse_score:
        return verdict(REFUSE, REGULATORY, _resemblance(matches[0]), "name")
    if over := over_limit(inputs, policy):
        return verdict(REFUSE, over.reason, over.said, over.rule)
    refused = standing(reviews, REFUSE)
    if score < policy.hold_score and not refused:
        return verdict(CLEAR)
    if refused or officers_missing(matches, reviews, policy):
        said = _resemblance(matches[0]) if matches else _refused_by(1)
        if not _unanswered(reviews, bool(asks)):
            return verdict(HOLD, REGULATORY, said, "name")
        return replace(verdict(REQUEST_INFORMATION, REGULATORY, said, "name"), asks=asks)
    return verdict(CLEAR, detail=f"{OFFICERS_TO_RELEASE} officers released it")


def officers_missing(matches: Sequence[PartyMatch], reviews: Sequence[Review], policy: Policy) -> int:
    """How many more officers must release, so that each match that holds was released by enough different ones."""
    released = standing(reviews, RELEASE)
    missing = [
        OFFICERS_TO_RELEASE - len({review.officer for review in released if found.reference in review.entries})
        for found in matches
        if found.match.score >= policy.hold_score
    ]
    return max([0, *missing])


def refusers_missing(reviews: Sequence[Review], policy: Policy) -> int:
    """How many more officers must refuse, so that enough different ones have."""
    return max(0, policy.refusers - len({review.officer for review in standing(reviews, REFUSE)}))


def standing(reviews: Sequence[Review], action: str) -> list[Review]:
    """The reviews with this action of officers who have not since done the opposite: nobody counts for both."""
    last = {review.officer: review.action for review in reviews if review.action in (RELEASE, REFUSE)}
    return [each for each in reviews if each.action == action == last[each.officer]]


def _unanswered(reviews: Sequence[Review], by_rule: bool) -> bool:
    """Whether an answer is missing to what officers asked, and the rule once."""
    asked = by_rule + sum(review.action == ASK for review in reviews)
    return asked > sum(review.action == ANSWERED for review in reviews)


def _refused_by(officers: int) -> str:
    return "an officer refused" if officers == 1 else f"{officers} officers refused"


def _blocked_country(inputs: Inputs, policy: Policy) -> str:
    if blocked := policy.blocked_countries.intersection(inputs.facts.agent_countries):
        return f"an agent is in {min(blocked)}, which the policy blocks"
    for role, party in (("debtor", inputs.screening.debtor), ("creditor", inputs.screening.creditor)):
        if party and (blocked := policy.blocked_countries & {party.country, party.nationality}):
            return f"the {role} is of {min(blocked)}, which the policy blocks"
    return ""


def _resemblance(found: PartyMatch) -> str:
    match = found.match
    return f"the {found.role} resembles {match.list_name} {match.entry_id} ({match.score} of 1000)"
