"""What is known of listed entries beside their names, and what it makes of a match."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from compliance.client import Screening
from compliance.lists.entries import PEP, ListEntry
from compliance.lists.listed import FalsePositive, entry_digest
from compliance.names.judge import Match
from compliance.policy import Policy
from contracts.terms.errors import Malformed
from contracts.terms.parties import Party


@dataclass(frozen=True)
class Weighing:
    """Who is listed as politically exposed, by the entries' references, and the false positives whose entry is still
    the one that the officers looked at."""

    exposed: frozenset[str] = frozenset()
    false_positives: dict[str, list[FalsePositive]] = field(default_factory=dict)

    def of_party(self, party: Party, matches: Iterable[Match], at: int, policy: Policy) -> tuple[Match, ...]:
        """The matches of one party at chain time `at`, each with its score and reasons as they count, the best first.

        A politically exposed person is held, never refused for it; a false positive counts nothing.
        """
        weighed = (self._weigh(party, match, at, policy) for match in matches)
        return tuple(sorted(weighed, key=lambda match: -match.score))

    def of_payment(self, screening: Screening, role: str, match: Match, at: int, policy: Policy) -> Match:
        """As `of_party`, of the match of the debtor or the creditor."""
        party = screening.debtor if role == "debtor" else screening.creditor
        assert party is not None, "who matched is known"
        return self._weigh(party, match, at, policy)

    def _weigh(self, party: Party, match: Match, at: int, policy: Policy) -> Match:
        reference = f"{match.list_name} {match.entry_id}"
        for pair in self.false_positives.get(reference, ()):
            if at < pair.expires and pair.about(party):
                until = datetime.fromtimestamp(pair.expires, UTC).date().isoformat()
                return replace(match, score=0, reasons=(*match.reasons, f"judged another one, until {until}"))
        if reference in self.exposed and match.score >= policy.refuse_score:
            reason = "a politically exposed person: held, not refused"
            return replace(match, score=policy.refuse_score - 1, reasons=(*match.reasons, reason))
        return match


NOTHING_KNOWN = Weighing()


def weighing(entries: Sequence[ListEntry], pairs: Iterable[FalsePositive], policy: Policy) -> Weighing:
    """What is known of these entries. Raises Malformed when the policy could not hold a politically exposed person."""
    exposed = frozenset(entry.reference for entry in entries if entry.category == PEP)
    if exposed and policy.hold_score >= policy.refuse_score:
        raise Malformed("policy: with politically exposed persons listed, names.hold must be under names.refuse")
    by_reference = defaultdict[str, list[FalsePositive]](list)
    for pair in pairs:
        by_reference[pair.reference].append(pair)
    digests = {entry.reference: entry_digest(entry) for entry in entries if entry.reference in by_reference}
    still = {
        reference: [pair for pair in pairs_of if pair.entry_digest == digests.get(reference)]
        for reference, pairs_of in by_reference.items()
    }
    return Weighing(exposed, {reference: pairs_of for reference, pairs_of in still.items() if pairs_of})
