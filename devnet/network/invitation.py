"""What a kept network tells whoever wants to try it: addresses, and ready-made lines for a shell."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from devnet.network.api import Apis, NodeApi
from devnet.network.folder import CHAIN, SERVICES, NetworkFolder
from devnet.network.people import CUSTOMERS, Merchant

_CURL = "curl -sS -w '\\n'"
_FIELD = "python3 -c 'import json,sys; print(json.load(sys.stdin)[\"{name}\"])'"


def addresses(folder: NetworkFolder) -> list[tuple[str, str]]:
    """Every service and where it answers."""
    chain = [("chain (JSON-RPC)", folder.url(CHAIN))]
    return chain + [(service, f"{folder.url(service)}/docs") for service in SERVICES if service != CHAIN]


def shell_lines(folder: NetworkFolder, apis: Apis, merchant: Merchant, code: str) -> str:
    """Lines for a wallet, a merchant and an auditor; run in order, they pay `merchant` once and prove it."""
    payer, wallet, acquirer = CUSTOMERS[0], apis.nodes[CUSTOMERS[0].country], apis.nodes[merchant.country]
    quote = json.dumps({"account": payer.id, "code": code, "amount": "12000"})
    pay = '{"quote_id":"\'$QUOTE\'"}'
    feiqian, network = _command(), shlex.quote(str(folder.network_file))
    evidence = shlex.quote(str(folder.path / "my-evidence.json"))
    return "\n".join(
        [
            f"# a wallet: {payer.name} at {wallet.institution.name} scans the code of {merchant.name} and pays",
            f"WALLET={_bearer(wallet, payer.owner, 'payments:write payments:read accounts:read')}",
            "QUOTE=$(" + _post(wallet, "WALLET", "/v1/quotes", shlex.quote(quote)) + f" | {_field('quote_id')})",
            "UETR=$("
            + _post(wallet, "WALLET", "/v1/payments", f"'{pay}'", ' -H "Idempotency-Key: $QUOTE"')
            + f" | {_field('uetr')})",
            _get(wallet, "WALLET", "/v1/payments/$UETR?wait=30"),
            "",
            f"# a merchant: {merchant.name} at {acquirer.institution.name} makes a code and sees what was paid",
            f"MERCHANT={_bearer(acquirer, merchant.owner, 'merchants:read')}",
            _get(acquirer, "MERCHANT", f"/v1/merchants/{merchant.id}/code?amount=8800&reference=TABLE7"),
            _get(acquirer, "MERCHANT", f"/v1/merchants/{merchant.id}/payments?limit=3"),
            "",
            "# an auditor: fetches the evidence of that payment and proves it offline",
            f"AUDITOR={_bearer(wallet, 'auditor', 'audit')}",
            _get(wallet, "AUDITOR", "/v1/payments/$UETR/evidence") + f" > {evidence}",
            f"{feiqian} audit verify {evidence} --network {network}",
            f"{feiqian} audit completeness --network {network} --chain-url {folder.url(CHAIN)}",
            "",
        ]
    )


def _command() -> str:
    """The command `feiqian` of this installation, as a shell finds it."""
    beside = Path(sys.executable).with_name("feiqian")
    return shlex.quote(str(beside)) if beside.exists() else "feiqian"


def _bearer(api: NodeApi, subject: str, scope: str) -> str:
    return f"'Authorization: Bearer {api.token(subject, scope)}'"


def _get(api: NodeApi, token: str, path: str) -> str:
    return f'{_CURL} -H "${token}" "{api.url}{path}"'


def _post(api: NodeApi, token: str, path: str, body: str, headers: str = "") -> str:
    return f'{_CURL} -H "${token}"{headers} -H "Content-Type: application/json" -d {body} {api.url}{path}'


def _field(name: str) -> str:
    return _FIELD.format(name=name)
