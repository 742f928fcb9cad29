"""Bugs planted into the contracts' sources, one at a time: a machine that finds none of them has tested nothing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from contracts.chain.compile import SOURCES


@dataclass(frozen=True)
class Bug:
    """`old` stands once in the source file and becomes `new`; `contract` is what is compiled from it."""

    contract: str
    file: str
    old: str
    new: str

    def creation_code(self, folder: Path) -> bytes:
        """The contract compiled with the bug from a copy of all sources in `folder`."""
        sources = folder / "vyper"
        shutil.copytree(SOURCES, sources)
        path = sources / f"{self.file}.vy"
        healthy = path.read_text()
        assert healthy.count(self.old) == 1, f"{self.file}.vy does not hold once: {self.old}"
        path.write_text(healthy.replace(self.old, self.new))
        return _compiled(sources, self.contract)


def _compiled(sources: Path, contract: str) -> bytes:
    from vyper.compiler import compile_from_file_input
    from vyper.compiler.input_bundle import FilesystemInputBundle

    bundle = FilesystemInputBundle([sources])
    output = compile_from_file_input(
        bundle.load_file(f"{contract}.vy"), input_bundle=bundle, output_formats=("bytecode",)
    )
    return bytes.fromhex(output["bytecode"][2:])


BUGS: dict[str, Bug] = {
    "pause ignored": Bug(
        "Settlement",
        "Settlement",
        "assert not staticcall COUNCIL.paused()",
        "assert staticcall COUNCIL.paused() or True",
    ),
    "sequence not checked": Bug(
        "Settlement",
        "Settlement",
        "assert batch.sequence == next,",
        "assert batch.sequence >= next,",
    ),
    "deadline a second late": Bug(
        "Settlement",
        "Settlement",
        "assert block.timestamp <= convert(batch.deadline, uint256)",
        "assert block.timestamp <= convert(batch.deadline, uint256) + 1",
    ),
    "attestations never expire": Bug(
        "Settlement", "Settlement", "convert(endorsement.validUntil, uint256) >= block.timestamp", "True"
    ),
    "any batch at a settled place skipped": Bug(
        "Settlement",
        "Settlement",
        "self._stored(batch.debtorAgent, batch.lane, batch.sequence) == batch_hash:",
        "self._stored(batch.debtorAgent, batch.lane, batch.sequence) != empty(bytes32):",
    ),
    "members in any order": Bug(
        "Settlement", "Settlement", "assert convert(member, uint256) > convert(last, uint256)", "assert member != last"
    ),
    "debtor agent no member": Bug(
        "Settlement", "Settlement", "assert debtor_agent in members", "assert len(members) > 0"
    ),
    "position of a non-member": Bug(
        "Settlement",
        "Settlement",
        "assert position.account in members",
        "assert position.account in members or position.delta >= 0",
    ),
    "zero-sum over all currencies": Bug("Settlement", "Settlement", "if place >> 160 != last >> 160:", "if False:"),
    "liquidity after each batch": Bug(
        "Settlement",
        "Settlement",
        "if not self._apply(batches[i].batch, batch_hash):\n            short.append(i)",
        'assert self._apply(batches[i].batch, batch_hash), "ledger: insufficient liquidity"',
    ),
    "liquidity of the last short batch only": Bug("Settlement", "Settlement", "short.append(i)", "short = [i]"),
    "predecessor forgotten": Bug(
        "Settlement",
        "Settlement",
        "if own == empty(bytes32) and PREDECESSOR != empty(address):",
        "if own != empty(bytes32) and PREDECESSOR != empty(address):",
    ),
    "high s accepted": Bug(
        "Settlement", "signatures", "convert(signature.s, uint256) > MAX_S", "convert(signature.s, uint256) == 0"
    ),
    "cap a unit too wide": Bug("Ledger", "Ledger", "return net >= 0 or", "return net >= -1 or"),
    "receivers asked for their debt": Bug("Ledger", "Ledger", "if position.delta < 0:", "if position.delta != 0:"),
    "transfer without the bank": Bug(
        "Ledger", "Ledger", "assert sender == bank or receiver == bank,", "assert bank != empty(address),"
    ),
    "redeemed and still supplied": Bug(
        "Ledger", "Ledger", "self._total_supply[id] -= amount", "self._total_supply[id] -= amount * 0"
    ),
    "issued by any bank": Bug("Ledger", "Ledger", "assert msg.sender == bank,", "assert bank != empty(address),"),
    "allowance not used up": Bug("Ledger", "permissions", "] = allowed - amount", "] = allowed"),
    "dead keys sign": Bug(
        "Participants", "keyring", "convert(purpose, uint256) and self._lives(word)", "convert(purpose, uint256)"
    ),
    "a key of either purpose signs": Bug(
        "Participants",
        "keyring",
        "return word >> 64 == (convert(account, uint256) << 32) | convert(purpose, uint256) and",
        "return word >> 96 == convert(account, uint256) and",
    ),
    "no overlap": Bug(
        "Participants",
        "keyring",
        "self._end(old, max(overlap_until, convert(block.timestamp, uint64)))",
        "self._end(old, convert(block.timestamp, uint64))",
    ),
    "a key serves twice": Bug(
        "Participants",
        "keyring",
        'assert key != empty(bytes32), "participants: empty key"\n    assert self._words[key] == 0',
        'assert key != empty(bytes32), "participants: empty key"\n    assert True',
    ),
    "suspended members settle": Bug(
        "Participants", "standing", 'assert status == ACTIVE, "participants: suspended"', "assert True"
    ),
    "left with a balance": Bug(
        "Participants",
        "Participants",
        "assert staticcall LEDGER.is_clear(account),",
        "assert staticcall LEDGER.is_clear(account) or True,",
    ),
    "executed without a quorum": Bug(
        "Council",
        "Council",
        "assert self._proposals[id].approvals >= seats.quorum,",
        "assert self._proposals[id].approvals > 0,",
    ),
    "executed before the delay": Bug(
        "Council", "Council", "assert block.timestamp >=", "assert block.timestamp + 1 >="
    ),
    "other calls approved": Bug(
        "Council",
        "Council",
        "assert calls_hash == self._proposals[id].calls_hash,",
        "assert calls_hash != empty(bytes32),",
    ),
    "a withdrawn approval's signature counts": Bug(
        "Council",
        "Council",
        "if not (self._approved[id][governor] or self._withdrew[id][governor]):",
        "if not self._approved[id][governor]:",
    ),
    "proposals outlive their governors": Bug(
        "Council",
        "Council",
        "assert self._proposals[id].epoch == seats.epoch,",
        "assert self._proposals[id].epoch > 0,",
    ),
}
