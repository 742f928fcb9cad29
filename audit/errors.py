"""Why evidence does not prove its payment: one error for each step of the verification.

Refused
└── NotProven
    ├── WrongForm
    ├── WrongNetwork
    ├── NotSealed
    ├── NotInOffice
    ├── StateNotProven
    ├── BatchNotStored
    ├── PaymentNotIncluded
    ├── NotAMember
    ├── AgreementMissing
    ├── QuoteDiffers
    └── NotEndorsed
"""

from __future__ import annotations

from contracts.terms.errors import Refused


class NotProven(Refused):
    """Evidence was refused; the field `step` names the step that failed."""

    title = "The evidence does not prove the payment"
    reason = "NARR"


class WrongForm(NotProven):
    title = "The evidence has not the form of an evidence file"


class WrongNetwork(NotProven):
    title = "The evidence is of another network"


class NotSealed(NotProven):
    title = "The block is not sealed by the network's validators"


class NotInOffice(NotProven):
    title = "The Settlement is neither the pinned one nor proven to be its successor"


class StateNotProven(NotProven):
    title = "The block's state does not hold the network's contracts as claimed"


class BatchNotStored(NotProven):
    title = "The batch is not the one that the chain settled"


class PaymentNotIncluded(NotProven):
    title = "The payment is not in the batch"


class NotAMember(NotProven):
    title = "The payment names an institution that is no member of the batch"


class AgreementMissing(NotProven):
    title = "An institution's agreement to the payment is not proven"


class QuoteDiffers(NotProven):
    title = "The payment is not what the FX provider quoted"


class NotEndorsed(NotProven):
    title = "A member's endorsement of the batch is not proven"
