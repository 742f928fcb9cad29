"""The decision: a pure function of its inputs, the policy and the lists, so that it can be run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compliance.client import Screening
from compliance.names.match import Match, NameIndex
from compliance.policy import Policy
from compliance.screening.questions import Inputs, Review, moved
from contracts.terms.money import currency

CLEAR, HOLD, REFUSE = "clear", "hold", "refuse"
OUTCOMES = (CLEAR, HOLD, REFUSE)

RELEASE = "release"
OFFICERS_TO_RELEASE = 2
"""Different officers who must have released each match that holds a payment; one is enough to refuse it."""

REGULATORY = "RR04"
AMOUNT_NOT_ALLOWED = "AM02"
CURRENCY_NOT_ALLOWED = "AM03"
LIMIT_OF_THE_DAY = "AM14"


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
    thousandths; `detail` names no person."""

    outcome: str
    reason: str
    detail: str
    score: int
    matches: tuple[PartyMatch, ...]


def find_matches(screening: Screening, names: NameIndex) -> tuple[PartyMatch, ...]:
    """What both parties' names resemble, the best first."""
    parties = (("debtor", screening.debtor), ("creditor", screening.creditor))
    found = [PartyMatch(role, match) for role, party in parties if party for match in names.matches(party)]
    return tuple(sorted(found, key=lambda each: -each.match.score))


def decide(inputs: Inputs, matches: tuple[PartyMatch, ...], policy: Policy) -> Verdict:
    """Clear, hold or refuse. `matches` are those of `find_matches` for these inputs."""
    score = matches[0].match.score if matches else 0

    def verdict(outcome: str, reason: str = "", detail: str = "") -> Verdict:
        return Verdict(outcome, reason, detail, score, matches)

    if blocked := _blocked_country(inputs, policy):
        return verdict(REFUSE, REGULATORY, blocked)
    if any(review.action == REFUSE for review in inputs.facts.reviews):
        return verdict(REFUSE, REGULATORY, "an officer refused")
    if score >= policy.refuse_score:
        return verdict(REFUSE, REGULATORY, _resemblance(matches[0]))
    amounts = moved(inputs.screening, inputs.account)
    if any(unit not in policy.limits for unit in amounts):
        return verdict(REFUSE, CURRENCY_NOT_ALLOWED, "the policy has no limits for the currency")
    if over := _over_payment_limit(amounts, policy):
        return verdict(REFUSE, AMOUNT_NOT_ALLOWED, over)
    if over := _over_day_limit(inputs, amounts, policy):
        return verdict(REFUSE, LIMIT_OF_THE_DAY, over)
    if score < policy.hold_score:
        return verdict(CLEAR)
    if officers_missing(matches, inputs.facts.reviews, policy):
        return verdict(HOLD, REGULATORY, _resemblance(matches[0]))
    return verdict(CLEAR, detail=f"{OFFICERS_TO_RELEASE} officers released it")


def officers_missing(matches: Sequence[PartyMatch], reviews: Sequence[Review], policy: Policy) -> int:
    """How many more officers must release, so that each match that holds was released by enough different ones."""
    released = [review for review in reviews if review.action == RELEASE]
    missing = [
        OFFICERS_TO_RELEASE - len({review.officer for review in released if found.reference in review.entries})
        for found in matches
        if found.match.score >= policy.hold_score
    ]
    return max([0, *missing])


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


def _over_payment_limit(amounts: Mapping[int, int], policy: Policy) -> str:
    for unit, amount in sorted(amounts.items()):
        if amount > policy.limits[unit].payment:
            return f"over the limit of a payment in {currency(unit)}"
    return ""


def _over_day_limit(inputs: Inputs, amounts: Mapping[int, int], policy: Policy) -> str:
    if inputs.screening.side != "debtor":
        return ""
    spent = {each.currency: each.amount for each in inputs.facts.spent}
    for unit, amount in sorted(amounts.items()):
        if spent.get(unit, 0) + amount > policy.limits[unit].day:
            return f"over the debtor account's limit of the day in {currency(unit)}"
    return ""
