"""The auditor: evidence proven by a process without network, completeness of every lane, sums of every currency."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from audit.history import open_client
from audit.sums import SumsReport, check_sums
from contracts.terms.currencies import CURRENCIES
from contracts.terms.identifiers import Address
from devnet.network.api import Apis
from devnet.network.folder import CHAIN, NetworkFolder

_LOOK_AGAIN = 0.2
_DIGITS = b"0123456789"


@dataclass(frozen=True)
class Verdict:
    """What `feiqian audit` said: whether it was content, and its words."""

    content: bool
    said: str


def verify_evidence(folder: NetworkFolder, evidence: Path) -> Verdict:
    """`feiqian audit verify` as a process of its own; it needs the network file alone."""
    return _audit(folder, "verify", str(evidence))


def check_completeness(folder: NetworkFolder, leaves: Path) -> Verdict:
    """`feiqian audit completeness` of every participant, recomputing the batches' roots from `leaves`."""
    return _audit(folder, "completeness", "--chain-url", folder.url(CHAIN), "--leaves", str(leaves))


def _audit(folder: NetworkFolder, command: str, *arguments: str) -> Verdict:
    line = [sys.executable, "-m", "feiqian", "audit", command, *arguments, "--network", str(folder.network_file)]
    done = subprocess.run(  # noqa: S603
        line, cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, timeout=60, check=False
    )
    return Verdict(done.returncode == 0, done.stdout + done.stderr)


def flipped(content: bytes, seed: int) -> bytes:
    """The file with the lowest bit of one digit flipped: a 4 becomes a 5. The seed chooses which digit."""
    places = [place for place, byte in enumerate(content) if byte in _DIGITS]
    place = random.Random(seed).choice(places)  # noqa: S311
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def gather_leaves(apis: Apis, file: Path) -> int:
    """Write all payments of all batches of all institutions for the audit; the number of batches."""
    leaves = [node.leaves(each) for node in apis.nodes.values() for each in node.batches()]
    file.write_text(json.dumps(leaves))
    return len(leaves)


def await_sums(folder: NetworkFolder, apis: Apis, patience: float = 20.0) -> SumsReport:
    """Per currency: issued = positions on chain = books of all institutions. Books follow the chain within a moment,
    so it is asked again until they agree or `patience` seconds are over; the last report, with what is wrong."""
    network, end = folder.network, time.monotonic() + patience
    client = open_client(network, folder.url(CHAIN))
    while True:
        report = check_sums(client, network, gather_books(apis))
        report = replace(report, problems=(*report.problems, *_unbalanced(apis)))
        if not report.problems or time.monotonic() > end:
            return report
        time.sleep(_LOOK_AGAIN)


def gather_books(apis: Apis) -> dict[Address, dict[int, int]]:
    """By account, then ISO 4217 numeric code: what each institution's book says that it owns on chain."""
    books = {
        node.account: {CURRENCIES[line["currency"]][0]: int(line["settlement"]) for line in node.book()}
        for node in apis.nodes.values()
    }
    positions = {line["currency"]: int(line["stock"]) for line in apis.bridge.positions()}
    return books | {apis.bridge.account: positions}


def _unbalanced(apis: Apis) -> Iterator[str]:
    for node in apis.nodes.values():
        for line in node.book():
            if not line["balanced"]:
                yield f"the book of {node.institution.name} in {line['currency']} does not balance"
    for line in apis.bridge.positions():
        if not line["agrees"]:
            yield f"the FX provider's stock of {line['code']} is not the chain's"
