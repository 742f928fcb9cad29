"""What a kept network tells whoever wants to try it: addresses, and ready-made lines for a shell."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from devnet.network.api import Apis, ComplianceApi, NodeApi
from devnet.network.folder import CHAIN, SERVICES, NetworkFolder
from devnet.network.people import CUSTOMERS, Customer, Merchant

_CURL = "curl -sS -w '\\n'"
_FIELD = "python3 -c 'import json,sys; print(json.load(sys.stdin)[\"{name}\"])'"


def addresses(folder: NetworkFolder) -> list[tuple[str, str]]:
    """Every service and where it answers."""
    chain = [("chain (JSON-RPC)", folder.url(CHAIN))]
    return chain + [(service, f"{folder.url(service)}/docs") for service in SERVICES if service != CHAIN]


def shell_lines(folder: NetworkFolder, apis: Apis, merchant: Merchant, code: str) -> str:
    """Lines for a wallet, a merchant, an auditor and two officers; run in order, they pay `merchant` and prove it."""
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
            *_officer_lines(apis, payer, merchant, code),
        ]
    )


def _officer_lines(apis: Apis, payer: Customer, merchant: Merchant, code: str) -> list[str]:
    """Lines that make a payment which is held, and for two officers of each agent, who see why and release it."""
    wallet, home, abroad = apis.nodes[payer.country], apis.compliance[payer.country], apis.compliance[merchant.country]
    account = {"id": "similar-name", "owner": payer.owner, "party": {"name": "Joseph Konny"}}
    quote = {"account": "similar-name", "code": code, "amount": "5000"}
    pay = '{"quote_id":"\'$QUOTE\'"}'
    money, key = {"amount": "100000"}, ' -H "Idempotency-Key: $QUOTE"'
    return [
        f"# officers: a customer of {wallet.institution.name} with a name like a listed one pays, and is held",
        f"OPERATOR={_bearer(wallet, 'operator', 'operator')}",
        _post(wallet, "OPERATOR", "/v1/accounts", _quoted(account)),
        _post(
            wallet,
            "OPERATOR",
            "/v1/accounts/similar-name/deposits",
            _quoted(money),
            ' -H "Idempotency-Key: first"',
        ),
        "QUOTE=$(" + _post(wallet, "WALLET", "/v1/quotes", _quoted(quote)) + f" | {_field('quote_id')})",
        "HELD=$(" + _post(wallet, "WALLET", "/v1/payments", f"'{pay}'", key) + f" | {_field('uetr')})",
        "# both agents screen the payer: two officers of each release it, within the policy's time (…/refuse: one)",
        *_two_officers("HOME", home, "debtor"),
        *_two_officers("ABROAD", abroad, "creditor"),
        _get(wallet, "WALLET", "/v1/payments/$HELD?wait=30"),
        "",
    ]


def _two_officers(name: str, office: ComplianceApi, side: str) -> list[str]:
    release, note = f"/v1/holds/$HELD/{side}/release", _quoted({"note": "another person: other birth date"})
    waiting = f'until curl -sfS -o /dev/null -H "${name}_ONE" {office.url}/v1/holds/$HELD/{side} 2>/dev/null'
    return [
        f"{name}_ONE={_bearer(office, 'officer-one', 'compliance:officer')}",
        f"{name}_TWO={_bearer(office, 'officer-two', 'compliance:officer')}",
        f"{waiting}; do sleep 0.2; done",
        _get(office, f"{name}_ONE", "/v1/holds"),
        _post(office, f"{name}_ONE", release, note),
        _post(office, f"{name}_TWO", release, note),
    ]


def _quoted(body: object) -> str:
    return shlex.quote(json.dumps(body))


def _command() -> str:
    """The command `feiqian` of this installation, as a shell finds it."""
    beside = Path(sys.executable).with_name("feiqian")
    return shlex.quote(str(beside)) if beside.exists() else "feiqian"


def _bearer(api: NodeApi | ComplianceApi, subject: str, scope: str) -> str:
    return f"'Authorization: Bearer {api.token(subject, scope)}'"


def _get(api: NodeApi | ComplianceApi, token: str, path: str) -> str:
    return f'{_CURL} -H "${token}" "{api.url}{path}"'


def _post(api: NodeApi | ComplianceApi, token: str, path: str, body: str, headers: str = "") -> str:
    return f'{_CURL} -H "${token}"{headers} -H "Content-Type: application/json" -d {body} {api.url}{path}'


def _field(name: str) -> str:
    return _FIELD.format(name=name)
