"""`feiqian council`: read, propose, approve, execute; pause. A governor approves what it read, named by its hash."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from contracts.terms.errors import FeiqianError, Malformed, UnknownSuccessor

if TYPE_CHECKING:  # these bring the chain's libraries along, which `--help` need not wait for
    from contracts.chain.client import Finality
    from contracts.chain.governing import Chamber, Motion, Standing
    from contracts.chain.transactions import TransactionSender

app = typer.Typer(no_args_is_help=True, help="Govern a network: propose, approve, execute; pause.")

_HASH = re.compile(r"0x[0-9a-f]{64}", re.ASCII)

NetworkFile = Annotated[
    Path, typer.Option("--network", envvar="FEIQIAN_NETWORK", help="the network's genesis file", metavar="GENESIS.json")
]
ChainUrl = Annotated[str, typer.Option("--chain-url", envvar="FEIQIAN_CHAIN_URL", help="a chain node's JSON-RPC")]
FinalityWord = Annotated[
    Literal["seals", "instant", "tag"],
    typer.Option("--finality", envvar="FEIQIAN_FINALITY", help="what makes a block final"),
]
Key = Annotated[Path, typer.Option("--key", envvar="FEIQIAN_GOVERNOR_KEY", help="the keystore to sign with")]
PasswordFile = Annotated[
    Path, typer.Option("--password-file", envvar="FEIQIAN_GOVERNOR_PASSWORD_FILE", help="the keystore's password")
]
Number = Annotated[int, typer.Argument(min=0, metavar="ID", help="the proposal")]
Read = Annotated[
    str, typer.Argument(metavar="CALLS_HASH", help="the hash of the calls that you read, as show prints it")
]


@app.command()
def show(
    network: NetworkFile,
    chain_url: ChainUrl,
    number: Annotated[int | None, typer.Argument(min=0, metavar="[ID]", help="one proposal, also a closed one")] = None,
    finality: FinalityWord = "seals",
    as_json: Annotated[bool, typer.Option("--json", help="in JSON; calls in the form that propose reads")] = False,
) -> None:
    """Show the governors and every open proposal, its calls in words."""
    from contracts.chain.governing import open_motions, read_motion, read_standing

    with _refusals():
        chamber = _chamber(network, chain_url, finality)
        standing = read_standing(chamber)
        known = None if number is None else (read_motion(chamber, number, standing.governors),)
        motions = open_motions(chamber, standing) if known is None else known
        if as_json:
            typer.echo(json.dumps(_document(chamber, standing, motions)))
        else:
            typer.echo("\n".join(_lines(chamber, standing, motions)))


@app.command()
def propose(
    calls: Annotated[Path, typer.Argument(metavar="CALLS.json", help="a list of calls; - reads standard input")],
    network: NetworkFile,
    chain_url: ChainUrl,
    key: Key,
    password_file: PasswordFile,
    finality: FinalityWord = "seals",
) -> None:
    """Propose calls. Counts as your approval of them."""
    from contracts.chain.wording import read_calls

    with _refusals():
        sender, chamber = _sender(network, chain_url, finality, key, password_file)
        document = _json(_text(calls), str(calls))
        number = chamber.council.propose(sender, read_calls(document, chamber.network.contracts))
        _echo_motion(chamber, number)


@app.command()
def unpause(
    network: NetworkFile,
    chain_url: ChainUrl,
    key: Key,
    password_file: PasswordFile,
    finality: FinalityWord = "seals",
) -> None:
    """Propose to start settlement again."""
    from contracts.chain.council import Call, Council

    with _refusals():
        sender, chamber = _sender(network, chain_url, finality, key, password_file)
        call = Call(chamber.council.address, Council.unpause_call())
        _echo_motion(chamber, chamber.council.propose(sender, [call]))


@app.command()
def sign(
    number: Number,
    calls_hash: Read,
    network: NetworkFile,
    chain_url: ChainUrl,
    key: Key,
    password_file: PasswordFile,
    finality: FinalityWord = "seals",
) -> None:
    """Approve the calls that you read, for another to submit: prints one line of JSON, sends nothing."""
    from contracts.chain import governing
    from contracts.terms.documents import to_document

    with _refusals():
        chamber = _chamber(network, chain_url, finality)
        signed = governing.sign(chamber, number, _hash(calls_hash), governing.open_key(key, password_file))
        typer.echo(json.dumps(to_document(signed)))


@app.command()
def submit(
    number: Number,
    approvals: Annotated[
        list[Path], typer.Argument(metavar="APPROVAL...", help="what sign printed; - reads standard input")
    ],
    network: NetworkFile,
    chain_url: ChainUrl,
    key: Key,
    password_file: PasswordFile,
    finality: FinalityWord = "seals",
) -> None:
    """Bring signed approvals. The key is any that can pay for the transaction."""
    from contracts.chain.governing import check_approvals, read_approvals

    with _refusals():
        sender, chamber = _sender(network, chain_url, finality, key, password_file)
        signed = read_approvals("\n".join(_text(each) for each in approvals))
        check_approvals(chamber, number, signed)
        chamber.council.approve_by_signature(sender, number, [each.signature for each in signed])
        _echo_motion(chamber, number)


@app.command()
def approve(
    number: Number,
    calls_hash: Read,
    network: NetworkFile,
    chain_url: ChainUrl,
    key: Key,
    password_file: PasswordFile,
    finality: FinalityWord = "seals",
) -> None:
    """Approve the calls that you read, by a transaction of your own."""
    from contracts.chain.governing import check_read, read_motion

    with _refusals():
        sender, chamber = _sender(network, chain_url, finality, key, password_file)
        motion = read_motion(chamber, number, ())
        check_read(chamber, motion, _hash(calls_hash))
        chamber.council.approve(sender, number, motion.calls)
        _echo_motion(chamber, number)


@app.command()
def withdraw(
    number: Number,
    network: NetworkFile,
    chain_url: ChainUrl,
    key: Key,
    password_file: PasswordFile,
    finality: FinalityWord = "seals",
) -> None:
    """Take your approval back. Your signature counts no more for this proposal, your own transaction does."""
    with _refusals():
        sender, chamber = _sender(network, chain_url, finality, key, password_file)
        chamber.council.withdraw(sender, number)
        _echo_motion(chamber, number)


@app.command()
def cancel(
    number: Number,
    network: NetworkFile,
    chain_url: ChainUrl,
    key: Key,
    password_file: PasswordFile,
    finality: FinalityWord = "seals",
) -> None:
    """End a proposal of your own for ever."""
    with _refusals():
        sender, chamber = _sender(network, chain_url, finality, key, password_file)
        chamber.council.cancel(sender, number)
        _echo_motion(chamber, number)


@app.command()
def execute(
    number: Number,
    network: NetworkFile,
    chain_url: ChainUrl,
    key: Key,
    password_file: PasswordFile,
    finality: FinalityWord = "seals",
) -> None:
    """Run an approved proposal after its delay. The key is any that can pay for the transaction."""
    with _refusals():
        sender, chamber = _sender(network, chain_url, finality, key, password_file)
        chamber.council.execute(sender, number)
        _echo_motion(chamber, number)


@app.command()
def pause(
    network: NetworkFile,
    chain_url: ChainUrl,
    key: Key,
    password_file: PasswordFile,
    finality: FinalityWord = "seals",
) -> None:
    """Stop settlement at once. The guardian's key."""
    with _refusals():
        sender, chamber = _sender(network, chain_url, finality, key, password_file)
        chamber.council.pause(sender)
    typer.echo("settlement is paused")


def _document(chamber: Chamber, standing: Standing, motions: tuple[Motion, ...]) -> dict[str, Any]:
    head = {"council": chamber.council.address, "chain_id": chamber.network.chain_id}
    return head | vars(standing) | {"proposals": [_motion_document(chamber, standing, each) for each in motions]}


def _motion_document(chamber: Chamber, standing: Standing, motion: Motion) -> dict[str, Any]:
    from contracts.chain.wording import write_call

    return {
        "id": motion.number,
        "stage": motion.stage(standing),
        "proposer": motion.proposal.proposer,
        "executable_at": motion.proposal.executable_at or None,
        "approved_by": motion.approved_by,
        "withdrawn_by": motion.withdrawn_by,
        "calls_hash": "0x" + motion.proposal.calls_hash.hex(),
        "calls": [write_call(call, chamber.network.contracts) for call in motion.calls],
    }


def _lines(chamber: Chamber, standing: Standing, motions: tuple[Motion, ...]) -> Iterator[str]:
    yield f"council      {chamber.council.address} on chain {chamber.network.chain_id}"
    yield f"settlement   {'PAUSED' if standing.paused else 'running'}"
    yield f"quorum       {standing.quorum} of {len(standing.governors)}, then {standing.delay} s"
    yield from (f"governor     {each}" for each in standing.governors)
    yield f"guardian     {standing.guardian}"
    for motion in motions:
        yield ""
        yield from _motion_lines(chamber, standing, motion)


def _motion_lines(chamber: Chamber, standing: Standing, motion: Motion) -> Iterator[str]:
    from contracts.chain.governing import check_call
    from contracts.chain.wording import call_text

    yield f"proposal {motion.number}   {_told(standing, motion)}"
    yield f"proposed by  {motion.proposal.proposer}"
    yield from (f"approved by  {each}" for each in motion.approved_by)
    yield f"calls hash   0x{motion.proposal.calls_hash.hex()}"
    for place, call in enumerate(motion.calls, 1):
        yield f"  {place}. {call_text(call, chamber.network.contracts)}"
        try:
            check_call(chamber, call)
        except UnknownSuccessor as failure:
            yield f"     WARNING: {failure.detail}"


def _told(standing: Standing, motion: Motion) -> str:
    stage, due = motion.stage(standing), motion.proposal.executable_at
    if stage == "open":
        return f"open: {motion.proposal.approvals} of {standing.quorum} approvals"
    if stage == "approved":
        return f"approved: may run {f'in {due - standing.chain_time} s' if due > standing.chain_time else 'now'}"
    return stage


def _echo_motion(chamber: Chamber, number: int) -> None:
    from contracts.chain.governing import read_motion, read_standing

    standing = read_standing(chamber, newest=True)
    motion = read_motion(chamber, number, standing.governors, newest=True)
    typer.echo("\n".join(_motion_lines(chamber, standing, motion)))


def _chamber(network: Path, chain_url: str, finality: Finality) -> Chamber:
    from contracts.chain.governing import open_chamber

    return open_chamber(network, chain_url, finality)


def _sender(
    network: Path, chain_url: str, finality: Finality, key: Path, password_file: Path
) -> tuple[TransactionSender, Chamber]:
    from contracts.chain.governing import open_key
    from contracts.chain.transactions import TransactionSender

    signer = open_key(key, password_file)
    chamber = _chamber(network, chain_url, finality)
    return TransactionSender(chamber.client, signer), chamber


def _hash(text: str) -> bytes:
    if not _HASH.fullmatch(text):
        raise Malformed("the calls' hash is 0x and 64 lower-case hex digits")
    return bytes.fromhex(text[2:])


def _text(path: Path) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text()
    except OSError as failure:
        raise Malformed(f"{path}: {failure.strerror or failure}") from failure
    except ValueError as failure:
        raise Malformed(f"{path}: no text") from failure


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as failure:
        raise Malformed(f"{name}: not JSON: {failure}") from failure


@contextmanager
def _refusals() -> Iterator[None]:
    """A refusal is one line on standard error and exit code 1."""
    try:
        yield
    except FeiqianError as failure:
        typer.echo(f"{failure.title}: {failure.detail}", err=True)
        raise typer.Exit(1) from None
