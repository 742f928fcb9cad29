"""Quotes at the door."""

from __future__ import annotations

from pydantic import Field

from contracts.terms.errors import FeiqianError
from contracts.terms.money import format_decimal
from nodes.quotes.service import CustomerQuote
from serving.bodies import ProblemBody, Schema


class QuoteBody(Schema):
    account: str = Field(min_length=1, max_length=70, description="the customer's account that pays")
    code: str = Field(min_length=1, max_length=4096, description="the text of the scanned payment code")
    amount: str | None = Field(
        default=None, description="minor units of the merchant's currency, if the code names no amount"
    )


class QuotesBody(Schema):
    quotes: list[QuoteBody] = Field(min_length=1, max_length=1000)


class QuotedBody(Schema):
    """An exact price. Amounts are minor units."""

    quote_id: str
    merchant: str
    source_currency: str
    source_amount: str = Field(description="what the merchant's side costs in the customer's currency")
    fee: str = Field(description="in the customer's currency")
    total: str = Field(description="what the customer pays: source_amount + fee")
    target_currency: str
    target_amount: str = Field(description="what the merchant receives")
    rate: str = Field(description="target currency per unit of source currency")
    rate_date: str = Field(description="business date of the reference rate")
    provider: str
    expires: int = Field(description="chain time in seconds until which POST /v1/payments takes this quote")
    display: str = Field(description="for the customer's screen")

    @classmethod
    def of(cls, priced: CustomerQuote) -> QuotedBody:
        source, target, quote = priced.source_currency, priced.target_currency, priced.quote
        display = (
            f"pay {source.alpha} {format_decimal(priced.total, source)}: "
            f"{priced.payee.name} receives {target.alpha} {format_decimal(quote.target_amount, target)}"
        )
        return cls(
            quote_id=priced.id,
            merchant=priced.payee.name,
            source_currency=source.alpha,
            source_amount=str(quote.source_amount),
            fee=str(priced.fee),
            total=str(priced.total),
            target_currency=target.alpha,
            target_amount=str(quote.target_amount),
            rate=priced.rate,
            rate_date=priced.rate_date,
            provider=quote.provider,
            expires=priced.expires,
            display=display,
        )


class QuoteAnswerBody(Schema):
    """What `POST /v1/quotes` would have answered to this request alone: one of the two."""

    quote: QuotedBody | None = None
    problem: ProblemBody | None = None

    @classmethod
    def of(cls, answer: CustomerQuote | FeiqianError) -> QuoteAnswerBody:
        if isinstance(answer, FeiqianError):
            return cls(problem=ProblemBody.of(answer))
        return cls(quote=QuotedBody.of(answer))


class QuoteAnswersBody(Schema):
    answers: list[QuoteAnswerBody] = Field(description="one for each request, in their order")
