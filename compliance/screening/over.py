"""Whether a payment is over a limit, and over which, in words that an officer can tell a customer."""

from __future__ import annotations

from dataclasses import dataclass

from compliance.limits import CORRIDOR, CUSTOMER, CUSTOMER_IN_CORRIDOR, DAY, PAYMENT, SCOPES, YEAR, corridor_of
from compliance.policy import Policy
from compliance.screening.questions import Inputs, period_of
from contracts.terms.money import Currency, currency, format_decimal

AMOUNT_NOT_ALLOWED = "AM02"
CURRENCY_NOT_ALLOWED = "AM03"
OVER_AGREED_LIMIT = "AM14"
_NOTHING = (0, 0, 0)


@dataclass(frozen=True)
class Over:
    """`reason` is an ISO 20022 ExternalStatusReason1Code; `rule` names the kind of limit, such as "limit-of-day"."""

    reason: str
    rule: str
    said: str


def over_limit(inputs: Inputs, policy: Policy) -> Over | None:
    """The first limit that the payment is over, by the limits in force on the day it is decided: of a payment on every
    side, of a day and a year on the debtor's."""
    facts = inputs.facts
    today, corridor = policy.calendar.date_of(facts.decided_at), corridor_of(facts.agent_countries)
    amounts = sorted(inputs.moved.items())
    in_force = [(unit, amount, policy.limits.in_force(today, unit, corridor)) for unit, amount in amounts]
    limits = [(unit, amount, most) for unit, amount, most in in_force if most is not None]
    if len(limits) < len(in_force):
        return Over(CURRENCY_NOT_ALLOWED, "currency", "the policy has no limits for the currency")
    used = {(each.period, each.currency): each.by_scope for each in facts.totals}
    counted = policy.calendar.date_of(facts.asked_at)  # in whose day and year it counts
    for length in (PAYMENT, DAY, YEAR) if inputs.screening.side == "debtor" else (PAYMENT,):
        period = period_of(counted, length)
        for unit, amount, most in limits:
            before = _NOTHING if length == PAYMENT else used.get((period, unit), _NOTHING)
            for scope, already in zip(SCOPES, before, strict=True):
                if (scope, length) in most and already + amount > most[scope, length]:
                    limit = _Limit(scope, length, period, currency(unit), corridor)
                    return limit.over(already, amount, most[scope, length], policy)
    return None


@dataclass(frozen=True)
class _Limit:
    """Which limit: of whom, of what length and in which day or year, in which currency and corridor."""

    scope: str
    length: str
    period: str
    unit: Currency
    corridor: str

    def over(self, before: int, amount: int, most: int, policy: Policy) -> Over:
        reason = AMOUNT_NOT_ALLOWED if self.length == PAYMENT else OVER_AGREED_LIMIT
        said = self._named() if policy.limits.undated else self._told(before, amount, most, policy.calendar.zone)
        return Over(reason, f"limit-of-{self.length}", said)

    def _named(self) -> str:
        """As decisions under policies without dates were told: they run again to the same words."""
        whose = "the limit of a payment" if self.length == PAYMENT else "the debtor account's limit of the day"
        return f"over {whose} in {self.unit}"

    def _told(self, before: int, amount: int, most: int, zone: str) -> str:
        whose = {
            CUSTOMER: "the debtor account's limit",
            CUSTOMER_IN_CORRIDOR: f"the debtor account's limit in the corridor {self.corridor}",
            CORRIDOR: f"the limit of the corridor {self.corridor}",
        }[self.scope]
        sums = f"{format_decimal(amount, self.unit)} asked, {format_decimal(most, self.unit)} allowed"
        if self.length == PAYMENT:
            where = "" if self.scope == CUSTOMER else f" in the corridor {self.corridor}"
            return f"over the limit of a payment in {self.unit}{where}: {sums}"
        moved_before = f"{format_decimal(before, self.unit)} moved before"
        return f"over {whose} of the {self.length} {self.period} ({zone}) in {self.unit}: {moved_before}, {sums}"
