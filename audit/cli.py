"""`feiqian audit`: prove a payment offline; prove through a chain node that nothing is missing and all sums agree."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from audit import reports
from audit.completeness import BatchLeaves, check_completeness
from audit.errors import NotProven, WrongForm
from audit.history import open_client
from audit.offline import go_offline
from audit.sums import Books, check_sums
from audit.verify import Verified, verify
from contracts.chain.network import Network, load_network
from contracts.terms.documents import from_document
from contracts.terms.errors import FeiqianError, Malformed
from contracts.terms.evidence import MAX_EVIDENCE_BYTES, read_evidence
from contracts.terms.identifiers import address
from contracts.terms.money import currency

app = typer.Typer(help="Prove payments, completeness and sums, trusting nobody but the network file.")

_MINOR = re.compile(r"0|-?[1-9][0-9]{0,38}", re.ASCII)

NetworkFile = Annotated[Path, typer.Option("--network", help="The network's genesis file.", metavar="GENESIS.json")]
ChainUrl = Annotated[str, typer.Option("--chain-url", help="A chain node's JSON-RPC address.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]


@app.command("verify")
def verify_command(
    evidence: Annotated[Path, typer.Argument(metavar="EVIDENCE.json", help="The evidence of one payment.")],
    network: NetworkFile,
    as_json: AsJson = False,
) -> None:
    """Check one payment's evidence offline: this process gives up network and databases first."""
    go_offline()
    try:
        verified = _verify_file(evidence, _network(network))
    except NotProven as failure:
        _answer(reports.refused_document(failure), reports.refused_view(failure), as_json)
        raise typer.Exit(1) from None
    _answer(reports.verified_document(verified), reports.verified_view(verified), as_json)


@app.command("completeness")
def completeness_command(
    network: NetworkFile,
    chain_url: ChainUrl,
    leaves: Annotated[
        Path | None, typer.Option(help='JSON: [{"debtor_agent", "lane", "sequence", "payments": [...]}, ...]')
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that every participant's batches are gapless, and that payments given add up to their batches."""
    try:
        pinned = load_network(network)
        report = check_completeness(open_client(pinned, chain_url), pinned, _read_leaves(leaves) if leaves else ())
    except FeiqianError as failure:
        _fail(failure)
    _answer(reports.completeness_document(report), reports.completeness_view(report), as_json)
    raise typer.Exit(int(bool(report.problems)))


@app.command("sums")
def sums_command(
    network: NetworkFile,
    chain_url: ChainUrl,
    books: Annotated[
        Path | None, typer.Option(help='JSON: {account: {"CNY": "minor units", ...}, ...}, one book an institution')
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check per currency that issued = redeemed + all positions on chain = all books."""
    try:
        pinned = load_network(network)
        report = check_sums(open_client(pinned, chain_url), pinned, _read_books(books) if books else None)
    except FeiqianError as failure:
        _fail(failure)
    _answer(reports.sums_document(report), reports.sums_view(report), as_json)
    raise typer.Exit(int(bool(report.problems)))


def _verify_file(path: Path, network: Network) -> Verified:
    try:
        with path.open("rb") as file:
            evidence = read_evidence(file.read(MAX_EVIDENCE_BYTES + 1))
    except Malformed as failure:
        raise WrongForm(failure.detail, step="form") from failure
    except OSError as failure:
        raise WrongForm(f"{path}: {failure.strerror or failure}", step="form") from failure
    return verify(evidence, network)


def _network(path: Path) -> Network:
    try:
        return load_network(path)
    except FeiqianError as failure:
        _fail(failure)


def _read_leaves(path: Path) -> tuple[BatchLeaves, ...]:
    return from_document(tuple[BatchLeaves, ...], _read_json(path))


def _read_books(path: Path) -> Books:
    """Institutions' books from a file. Raises Malformed with what is wrong."""
    content = _read_json(path)
    if not isinstance(content, dict) or not all(isinstance(book, dict) for book in content.values()):
        raise Malformed(f"{path}: an object of objects is needed: account, then currency")
    return {
        address(account): {currency(code).numeric: _minor(amount, path) for code, amount in book.items()}
        for account, book in content.items()
    }


def _minor(amount: object, path: Path) -> int:
    if not isinstance(amount, str) or not _MINOR.fullmatch(amount):
        raise Malformed(f'{path}: an amount is a string of minor units, such as "1250"')
    return int(amount)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as failure:
        raise Malformed(f"{path}: {failure.strerror or failure}") from failure
    except (ValueError, RecursionError) as failure:
        raise Malformed(f"{path}: not JSON: {failure}") from failure


def _answer(document: dict[str, Any], view: Any, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(document))
    else:
        reports.show(view)


def _fail(failure: FeiqianError) -> NoReturn:
    typer.echo(f"{failure.title}: {failure.detail}", err=True)
    raise typer.Exit(1)
