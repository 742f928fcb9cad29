"""Every way the network says no, as one tree.

    FeiqianError
    ├── Malformed            the request cannot be read                      400
    │   ├── BadPaymentCode
    │   ├── BadAmount
    │   └── UnknownCurrency
    ├── Unauthenticated      nobody we know signed it                        401
    │   ├── BadToken
    │   ├── BadSignature
    │   └── Replayed
    ├── Forbidden            known, but not allowed                          403
    ├── NotFound             nothing has that identifier                     404
    ├── Conflict             it contradicts what is already recorded         409
    │   ├── QuoteAlreadyUsed
    │   ├── AlreadySigned
    │   └── WrongState
    ├── Refused              understood, and the answer is no                422
    │   ├── IdempotencyKeyReused, QuoteExpired, InsufficientFunds, ...
    │   └── ContractRefusal  a contract reverted with a reason
    ├── Unavailable          not now; try again                              503
    │   ├── PeerUnavailable, ChainUnavailable, ComplianceUnavailable
    │   └── Busy
    └── MustHalt             no answer: the service itself must halt
        ├── FinalityViolated
        └── UnknownSuccessor

Reason codes are those of ISO 20022, external code set ExternalStatusReason1Code.
`serving/problems.py` turns a leaf into an RFC 9457 document; its fields become members of that document.
Bugs are not in this tree: they are `assert`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar


class FeiqianError(Exception):
    """A refusal with a stable `kind`, a title, an ISO 20022 `reason` and typed `fields`.

    `iso_reason` is the reason of this very refusal: the leaf's, unless another institution gave its own.
    """

    title: ClassVar[str] = "The request failed"
    reason: ClassVar[str] = "NARR"

    def __init__(self, detail: str, **fields: str | int) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = fields
        self.iso_reason = self.reason

    @classmethod
    def kind(cls) -> str:
        """The class name in kebab case: the last segment of the problem's `type`."""
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in cls.__name__).lstrip("-")


class Malformed(FeiqianError):
    title = "The request cannot be read"
    reason = "FF01"


class BadPaymentCode(Malformed):
    title = "The payment code cannot be read"


class BadAmount(Malformed):
    title = "The amount is not one that can be paid"
    reason = "AM12"


class UnknownCurrency(Malformed):
    title = "The currency is not known"
    reason = "AM11"


class Unauthenticated(FeiqianError):
    title = "The caller is not known"
    reason = "DS0G"


class BadToken(Unauthenticated):
    title = "The bearer token is missing or not valid"


class BadSignature(Unauthenticated):
    title = "The message signature is missing or not valid"
    reason = "DS02"


class Replayed(Unauthenticated):
    title = "This signed message was received before"
    reason = "DUPL"


class Forbidden(FeiqianError):
    title = "The caller may not do this"
    reason = "AG01"


class NotFound(FeiqianError):
    title = "Nothing has this identifier"
    reason = "RR09"


class UnknownAccount(NotFound):
    title = "The account is not known here"
    reason = "AC01"


class UnknownMerchant(NotFound):
    title = "The merchant is not known"
    reason = "AC03"


class UnknownInstitution(NotFound):
    title = "No institution answers for this code"
    reason = "RC01"


class Conflict(FeiqianError):
    title = "The request contradicts what is recorded"
    reason = "AM05"


class QuoteAlreadyUsed(Conflict):
    title = "The quote was already used by another payment"


class AlreadyUsed(Conflict):
    title = "The customer's code was used"


class AlreadySigned(Conflict):
    title = "Another batch with this payment or place was already signed"


class WrongState(Conflict):
    title = "The payment has moved on"


class Refused(FeiqianError):
    title = "The request was refused"
    reason = "AG03"


class IdempotencyKeyReused(Refused):
    title = "The idempotency key was used with another request"
    reason = "AM05"


class QuoteExpired(Refused):
    title = "The quote has expired"
    reason = "TM01"


class DeadlinePassed(Refused):
    title = "The deadline has passed"
    reason = "TM01"


class InsufficientFunds(Refused):
    title = "The account has not enough money"
    reason = "AM04"


class ScreeningRefused(Refused):
    title = "Compliance refused the payment"
    reason = "RR04"


class NotScreened(Refused):
    title = "The payment has no clear decision"
    reason = "RR04"


class LimitExceeded(Refused):
    title = "The amount is over a limit"
    reason = "AM14"


class AlreadyReturned(Refused):
    title = "More would be returned than was paid"
    reason = "AM09"


class NoPrice(Refused):
    title = "No FX provider offers a price"
    reason = "AM03"


class NotAgreed(Refused):
    title = "The payment or batch is not the one that was agreed"
    reason = "AM09"


class Unsupported(Refused):
    title = "This kind of payment is not supported"
    reason = "AG03"


class ContractRefusal(Refused):
    """A contract reverted; `detail` is its reason, of the form "contract: reason"."""

    title = "A contract refused"
    reason = "ED05"


class Unavailable(FeiqianError):
    title = "Not available now"
    reason = "ED06"


class Busy(Unavailable):
    title = "Too many requests are waiting"


class PeerUnavailable(Unavailable):
    title = "The other institution does not answer"
    reason = "AB08"


class ChainUnavailable(Unavailable):
    title = "The chain does not answer"
    reason = "ED06"


class ComplianceUnavailable(Unavailable):
    title = "The compliance service does not answer"
    reason = "ED06"


class MustHalt(FeiqianError):
    """What the chain says leaves nothing that the service could do next and be trusted."""

    title = "The service must halt"
    reason = "ED05"

    @classmethod
    def alarm(cls) -> str:
        """What the service logs before it halts."""
        return f"halt: {cls.title[0].lower()}{cls.title[1:]}"


class FinalityViolated(MustHalt):
    """Promise 5 is broken."""

    title = "A final block changed"
    reason = "ED05"


class UnknownSuccessor(MustHalt):
    """The council admitted a Settlement contract that this release was not made for."""

    title = "The new Settlement is of another release"
    reason = "ED05"


def recalled(kind: str, detail: str, reason: str, fields: Mapping[str, str | int]) -> FeiqianError:
    """A refusal that was remembered by its `kind`, as it was first raised; of a kind that is gone, a Refused."""
    leaf = next((each for each in _tree(FeiqianError) if each.kind() == kind), Refused)
    error = leaf.__new__(leaf)
    FeiqianError.__init__(error, detail, **fields)
    error.iso_reason = reason
    return error


def _tree(branch: type[FeiqianError]) -> Iterator[type[FeiqianError]]:
    for each in branch.__subclasses__():
        yield each
        yield from _tree(each)
