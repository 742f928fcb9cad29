"""What a document of the terms must be before it is hashed: right lengths and ranges, not only right JSON types.

Struct hashes join fields of fixed width, so a 31-byte hash beside a 33-byte one would hash like two of 32.
"""

from __future__ import annotations

from collections.abc import Iterable

from contracts.terms.batch import Batch
from contracts.terms.errors import Malformed
from contracts.terms.identifiers import Address, address, uetr
from contracts.terms.merkle import InclusionPath
from contracts.terms.money import MAX_MINOR_UNITS, currency, payable
from contracts.terms.payment import PaymentTerms
from contracts.terms.quote import Quote

_MAX_LEGS = 16
_MAX_PATH = 32
_MAX_COUNT = 2**32


def wellformed_terms(terms: PaymentTerms) -> PaymentTerms:
    """The same terms. Raises Malformed (or a leaf under it) naming the first wrong field."""
    uetr(terms.uetr)
    if terms.original_uetr:
        uetr(terms.original_uetr)
    _addresses([terms.debtor_agent, terms.creditor_agent])
    if len(terms.legs) > _MAX_LEGS:
        raise Malformed(f"a payment has at most {_MAX_LEGS} legs")
    for leg in terms.legs:
        _addresses([leg.source, leg.target])
        currency(leg.currency)
        payable(leg.amount)
    hashes = (terms.quotes_hash, terms.debtor_commitment, terms.creditor_commitment)
    _hashes([*hashes, terms.debtor_decision, terms.creditor_decision])
    return terms


def wellformed_quote(quote: Quote) -> Quote:
    """The same quote. Raises Malformed."""
    _addresses([quote.provider, quote.buyer])
    for code, amount in ((quote.source_currency, quote.source_amount), (quote.target_currency, quote.target_amount)):
        currency(code)
        payable(amount)
    _hashes([quote.nonce])
    return quote


def wellformed_batch(batch: Batch) -> Batch:
    """The same batch; what it says is for `check_batch` to judge. Raises Malformed."""
    _addresses([batch.debtor_agent, *batch.members, *(position.account for position in batch.positions)])
    _hashes([batch.payments_root])
    if batch.payment_count >= _MAX_COUNT:
        raise Malformed("the batch has too many payments")
    for position in batch.positions:
        currency(position.currency)
        if abs(position.delta) > MAX_MINOR_UNITS * _MAX_COUNT:
            raise Malformed("a position is larger than any sum of payments")
    return batch


def wellformed_path(path: InclusionPath) -> InclusionPath:
    """The same path. Raises Malformed."""
    if len(path.siblings) > _MAX_PATH:
        raise Malformed(f"an inclusion path has at most {_MAX_PATH} hashes")
    _hashes(path.siblings)
    return path


def _addresses(texts: Iterable[Address]) -> None:
    for text in texts:
        if address(text) != text:
            raise Malformed(f"{text} must be written in lower case")


def _hashes(values: Iterable[bytes]) -> None:
    if any(len(value) != 32 for value in values):
        raise Malformed("a hash, nonce or commitment must have 32 bytes")
