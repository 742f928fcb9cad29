"""The services' HTTP APIs as a wallet, a merchant, an operator and an auditor call them: bearer tokens, JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx2

from contracts.terms.batch import LANES
from contracts.terms.errors import FeiqianError, Unavailable
from devnet.network import cast
from devnet.network.cast import Institution
from devnet.network.folder import NetworkFolder

TOKEN_LIFETIME = 24 * 3600
_PAGE = 500
_MARGIN = 10.0


class NoAnswer(Unavailable):
    """The service did not answer: what was asked may or may not have happened."""

    title = "The service does not answer"


class Problem(FeiqianError):
    """The service answered with a problem document (RFC 9457); `status` is the HTTP status."""

    title = "The service refused"

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        super().__init__(str(document.get("detail", "")), status=status)
        self.status = status
        self.iso_reason = str(document.get("reason", ""))


@dataclass(frozen=True)
class Priced:
    """A quote as a wallet shows it. `total` in minor units of the customer's currency."""

    id: str
    total: int
    target_amount: int
    display: str


@dataclass(frozen=True)
class Standing:
    """Where a payment stands. Amounts in minor units: `total` is what the customer paid, `fee` included."""

    uetr: str
    status: str
    final: bool
    reason: str
    detail: str
    total: int
    fee: int
    target_amount: int
    deadline: int


class _Api:
    """JSON over one kept-alive client, with tokens as the service's own command line issues them."""

    def __init__(self, folder: NetworkFolder, service: str, timeout: float = 20.0) -> None:
        self.url = folder.url(service)
        limits = httpx2.Limits(max_connections=64, max_keepalive_connections=32)
        self._http = httpx2.Client(base_url=self.url, timeout=timeout, limits=limits, trust_env=False)
        self._tokens = folder.tokens(service)
        self.token = cache(self._token)

    def close(self) -> None:
        self._http.close()

    def _token(self, subject: str, scope: str) -> str:
        """A bearer token that lives a day; `scope` is one scope or several between blanks."""
        return self._tokens.issue(subject, scope.split(), TOKEN_LIFETIME)

    def _send(self, method: str, path: str, subject: str, scope: str, **options: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token(subject, scope)}", **options.pop("headers", {})}
        try:
            answer = self._http.request(method, path, headers=headers, **options)
        except httpx2.HTTPError as failure:
            raise NoAnswer(f"{self.url}{path}: {failure or type(failure).__name__}") from failure
        if answer.is_success:
            return answer
        try:
            document = answer.json()
        except ValueError:
            document = {"detail": answer.text[:200]}
        raise Problem(answer.status_code, document)

    def _get(self, path: str, subject: str, scope: str, **params: Any) -> Any:
        return self._send("GET", path, subject, scope, params=params).json()

    def _post(self, path: str, subject: str, scope: str, body: Any, **headers: str) -> Any:
        return self._send("POST", path, subject, scope, json=body, headers=headers).json()


class NodeApi(_Api):
    """An institution's node. All methods raise NoAnswer or Problem. Usable from several threads."""

    def __init__(self, folder: NetworkFolder, institution: Institution) -> None:
        super().__init__(folder, institution.node)
        self.institution = institution
        self.account = folder.plan.accounts[institution.slug]

    def open_account(self, account: str, owner: str, party: dict[str, str]) -> None:
        self._post("/v1/accounts", "operator", "operator", {"id": account, "owner": owner, "party": party})

    def deposit(self, account: str, amount: int, key: str) -> None:
        """Book minor units that a customer paid in, once per key."""
        path = f"/v1/accounts/{account}/deposits"
        self._post(path, "operator", "operator", {"amount": str(amount)}, **{"Idempotency-Key": key})

    def register_merchant(self, merchant: dict[str, str]) -> str:
        """The text of the merchant's static code."""
        return str(self._post("/v1/merchants", "operator", "operator", merchant)["code"])

    def merchant_code(self, merchant: str, owner: str, amount: int, reference: str) -> str:
        """The text of a code for one payment of minor units."""
        path, asked = f"/v1/merchants/{merchant}/code", {"amount": str(amount), "reference": reference}
        return str(self._get(path, owner, "merchants:read", **asked)["code"])

    def merchant_payments(self, merchant: str, owner: str) -> Iterator[dict[str, Any]]:
        """All payments to a merchant, the newest first, as the API gives them."""
        path, cursor = f"/v1/merchants/{merchant}/payments", ""
        while True:
            page = self._get(path, owner, "merchants:read", limit=_PAGE, cursor=cursor)
            yield from page["payments"]
            if not (cursor := page["next"] or ""):
                return

    def balance(self, account: str, owner: str) -> tuple[int, int]:
        """Balance and what of it is available, in minor units."""
        body = self._get(f"/v1/accounts/{account}", owner, "accounts:read")
        return int(body["balance"]), int(body["available"])

    def quote(self, account: str, owner: str, code: str, amount: int | None = None) -> Priced:
        """`amount` in minor units of the merchant's currency, where the code has none."""
        body = {"account": account, "code": code} | ({} if amount is None else {"amount": str(amount)})
        found = self._post("/v1/quotes", owner, "payments:write", body)
        return Priced(found["quote_id"], int(found["total"]), int(found["target_amount"]), found["display"])

    def pay(self, quote_id: str, owner: str, key: str) -> str:
        """The UETR."""
        body = {"quote_id": quote_id}
        return str(self._post("/v1/payments", owner, "payments:write", body, **{"Idempotency-Key": key})["uetr"])

    def payment(self, uetr: str, owner: str, wait: float = 0.0) -> Standing:
        """Where a payment stands, after at most `wait` seconds (60 at most) for a final state."""
        options = {"params": {"wait": wait}, "timeout": wait + _MARGIN}
        body = self._send("GET", f"/v1/payments/{uetr}", owner, "payments:read", **options).json()
        return Standing(
            uetr=body["uetr"],
            status=body["status"],
            final=body["final"],
            reason=body["reason"],
            detail=body["detail"],
            total=int(body["source_amount"]) + int(body["fee"]),
            fee=int(body["fee"]),
            target_amount=int(body["target_amount"]),
            deadline=body["deadline"],
        )

    def cancel(self, uetr: str, owner: str) -> str:
        """Withdraw a payment that is not agreed yet; its status afterwards."""
        return str(self._post(f"/v1/payments/{uetr}/cancellation", owner, "payments:write", {})["status"])

    def return_payment(self, uetr: str, owner: str, key: str, amount: int | None = None) -> str:
        """The UETR of the return of a received payment; `amount` in the merchant's minor units, all without it."""
        body = {} if amount is None else {"amount": str(amount)}
        headers = {"Idempotency-Key": key}
        return str(self._post(f"/v1/payments/{uetr}/returns", owner, "merchants:write", body, **headers)["uetr"])

    def consumer_code(self, account: str, owner: str, most: int) -> str:
        """The text of a code that the customer shows, good for one payment of at most `most` minor units."""
        body = {"account": account, "most": str(most)}
        return str(self._post("/v1/consumer-codes", owner, "payments:write", body)["code"])

    def charge(self, merchant: str, owner: str, code: str, amount: int, key: str) -> str:
        """The merchant scanned a customer's code: the UETR of the payment."""
        body, headers = {"code": code, "amount": str(amount)}, {"Idempotency-Key": key}
        path = f"/v1/merchants/{merchant}/charges"
        return str(self._post(path, owner, "merchants:write", body, **headers)["uetr"])

    def evidence(self, uetr: str) -> bytes:
        """The evidence file of a settled payment."""
        return self._send("GET", f"/v1/payments/{uetr}/evidence", "auditor", "audit").content

    def batches(self) -> Iterator[dict[str, Any]]:
        """All settled batches of every lane, as the API gives them."""
        for lane in range(LANES):
            after = -1
            while page := self._get(f"/v1/batches/{lane}", "auditor", "audit", after=after, limit=_PAGE):
                yield from page
                after = page[-1]["batch"]["sequence"]

    def leaves(self, batch: dict[str, Any]) -> dict[str, Any]:
        """All payments of one of `batches`, in the form that `feiqian audit completeness` reads."""
        place = f"{batch['batch']['lane']}/{batch['batch']['sequence']}"
        found: dict[str, Any] = self._get(f"/v1/batches/{place}/payments", "auditor", "audit")
        return {"debtor_agent": self.account, **found}

    def book(self) -> list[dict[str, Any]]:
        """The book per currency, as the API gives it."""
        found: list[dict[str, Any]] = self._get("/v1/book", "auditor", "audit")
        return found


class ComplianceApi(_Api):
    """An institution's compliance service, as its officers call it."""

    def holds(self, officer: str) -> list[dict[str, Any]]:
        """The queue of held payments, as the API gives it."""
        found: list[dict[str, Any]] = self._get("/v1/holds", officer, "compliance:officer")["holds"]
        return found

    def decide(self, officer: str, uetr: str, side: str, action: str, note: str) -> dict[str, Any]:
        """`action` is "release" or "refuse"; where the hold stands afterwards, as the API gives it."""
        path = f"/v1/holds/{uetr}/{side}/{action}"
        answer: dict[str, Any] = self._post(path, officer, "compliance:officer", {"note": note})
        return answer


class BridgeApi(_Api):
    """The FX provider's bridge, as its auditor calls it."""

    def __init__(self, folder: NetworkFolder) -> None:
        super().__init__(folder, cast.PROVIDER_BRIDGE)
        self.account = folder.plan.accounts[cast.PROVIDER.slug]

    def positions(self) -> list[dict[str, Any]]:
        """The position per currency, as the API gives it."""
        found: list[dict[str, Any]] = self._get("/v1/positions", "auditor", "audit")["positions"]
        return found


@dataclass(frozen=True)
class Apis:
    """Every institution's node and compliance by country (ISO 3166-1), and the bridge."""

    nodes: dict[str, NodeApi]
    compliance: dict[str, ComplianceApi]
    bridge: BridgeApi

    @classmethod
    def of(cls, folder: NetworkFolder) -> Apis:
        return cls(
            {each.country: NodeApi(folder, each) for each in cast.INSTITUTIONS},
            {each.country: ComplianceApi(folder, each.compliance) for each in cast.INSTITUTIONS},
            BridgeApi(folder),
        )

    def close(self) -> None:
        for api in self.all():
            api.close()

    def all(self) -> Sequence[_Api]:
        return (*self.nodes.values(), *self.compliance.values(), self.bridge)
