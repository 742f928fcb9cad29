"""What can be read off the Vyper sources without running them, held for every function, also the next one.

No analyser on the market reads Vyper 0.4 to any use (DECISIONS says what each of them did), so these are rules over the
compiler's own analysis: which state a function writes, what it calls, whom it asks. Each rule is shown to find what
is planted in a contract that breaks it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pytest
from vyper import ast as vy
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.phases import CompilerData
from vyper.warnings import VyperWarning

from contracts.chain.compile import CONTRACTS, SOURCES

ANYBODY = {
    "Council.approve_by_signature": "each signature is a governor's",
    "Council.execute": "the quorum decided and the delay is over",
    "Settlement.settle": "the members signed",
    "Settlement.would_settle": "changes nothing",
    "Ledger.transfer": "moves the caller's own",
    "Ledger.transferFrom": "ERC-6909: only what the owner allowed (tested call by call)",
    "Ledger.approve": "the caller's own allowance",
    "Ledger.setOperator": "the caller's own operators",
}
"""Functions that change state and do not ask who calls."""

SILENT = {"Ledger.apply": "Settlement tells of the batch"}
"""Functions that change state without an event."""

RAW_CALLS = {
    "agenda.run": "what the council decided",
    "Settlement.would_settle": "itself, to be told why not",
}
MOST_ROUNDS = 64
"""As many as a batch may have positions."""

FORBIDDEN = re.compile(
    r"tx\.\w+|block\.(?!timestamp)\w+|selfdestruct|is_delegate_call|create_\w+|raw_create|raw_log|raw_revert"
    r"|unsafe_\w+|@payable|__default__|\bsend\(|\bprint\("
)
"""Other people's signatures as authority, chance from a block, code of others, unchecked sums, coins to lose."""


@dataclass(frozen=True)
class Contract:
    """A contract as the compiler understands it, its imported modules included."""

    name: str
    folder: Path = SOURCES

    @cached_property
    def analysis(self) -> Any:
        bundle = FilesystemInputBundle([self.folder])
        return CompilerData(bundle.load_file(f"{self.name}.vy"), input_bundle=bundle).global_ctx

    @property
    def entries(self) -> Iterator[Any]:
        """Its external functions as written; the getters of public variables have no text."""
        yield from (each for each in self.analysis.exposed_functions if isinstance(each.ast_def, vy.FunctionDef))

    @property
    def changing(self) -> Iterator[Any]:
        yield from (each for each in self.entries if each.is_mutable)

    @property
    def functions(self) -> dict[str, Any]:
        """All functions that run, by module and name."""
        found = [*self.entries, self.analysis.init_function]
        found += [inner for each in found for inner in each.reachable_internal_functions]
        return {f"{Path(each.ast_def.module_node.path).stem}.{each.name}": each for each in found}

    def named(self, function: Any) -> str:
        return f"{self.name}.{function.name}"


def bodies(function: Any) -> list[Any]:
    return [each.ast_def for each in (function, *function.reachable_internal_functions)]


def within(function: Any, *kinds: type) -> Iterator[Any]:
    yield from (node for body in bodies(function) for node in body.get_descendants(kinds))


def written(function: Any) -> set[Any]:
    return {each.variable for each in function.get_variable_writes() if each.variable.is_storage}


def text(node: Any) -> str:
    return str(node.node_source_code)


def unguarded(contract: Contract) -> set[str]:
    """Functions that may change state and assert nothing of their caller, nor anything if the caller is so and so."""

    def asks(function: Any) -> bool:
        questions = [each for each in within(function, vy.Assert, vy.If) if "msg.sender" in text(each.test)]
        return any(isinstance(each, vy.Assert) or any(each.get_descendants(vy.Assert)) for each in questions)

    return {contract.named(each) for each in contract.changing if not asks(each)}


def silent(contract: Contract) -> set[str]:
    """Functions that write storage and log nothing."""
    return {contract.named(each) for each in contract.changing if written(each) and not any(within(each, vy.Log))}


def raw_calls(contract: Contract) -> set[str]:
    calls = (vy.Call,)
    return {
        name
        for name, each in contract.functions.items()
        if any(text(node.func) == "raw_call" for node in each.ast_def.get_descendants(calls))
    }


def calls_to_variables(contract: Contract) -> set[str]:
    """Calls to an address that is neither built into the code nor the contract itself."""

    def fixed(target: Any) -> bool:
        if isinstance(target, vy.Call):  # Interface(address)
            [target] = target.args
        return text(target) == "self" or (isinstance(target, vy.Name) and target._expr_info.var_info.is_immutable)

    return {
        f"{name}: {text(node)}"
        for name, each in contract.functions.items()
        for node in each.ast_def.get_descendants((vy.ExtCall, vy.StaticCall))
        if not fixed(node.value.func.value)
    }


def long_loops(contract: Contract) -> set[str]:
    def rounds(loop: Any) -> int:
        if not isinstance(loop.iter, vy.Call):
            kind = loop.iter._metadata["type"]
            return int(kind.count)
        bounds = [each.value for each in loop.iter.keywords] or loop.iter.args[-1:]
        return int(bounds[0].get_folded_value().value)

    return {
        f"{name}: {text(node.iter)}"
        for name, each in contract.functions.items()
        for node in each.ast_def.get_descendants(vy.For)
        if rounds(node) > MOST_ROUNDS
    }


def idle_state(contract: Contract) -> set[str]:
    """Storage that nobody writes after the deployment, or that nobody reads."""
    functions = contract.functions.values()
    every = {each.variable for function in functions for each in function.get_variable_accesses()}
    after = {each for function in contract.changing for each in written(function)}
    read = {each for function in functions for each in _read(function)}
    return {
        each.decl_node.target.id
        for each in every
        if each.is_storage and (each not in after or not (each.is_public or each in read))
    }


def _read(function: Any) -> Iterator[Any]:
    """The variables that a function's expressions name, but for those that it only assigns to."""
    assigned = [_variable(each.target) for each in function.ast_def.get_descendants(vy.Assign)]
    for node in function.ast_def.get_descendants(vy.Attribute):
        if not any(node is each for each in assigned) and node._expr_info and node._expr_info.var_info:
            yield node._expr_info.var_info


def _variable(target: Any) -> Any:
    """Of `self.keys[key].purpose` the part `self.keys`."""
    while isinstance(target, vy.Subscript | vy.Attribute) and not isinstance(target.value, vy.Name):
        target = target.value
    return target


def forbidden(contract: Contract) -> set[str]:
    definitions = [each.ast_def for each in contract.functions.values()]
    decorators = ["@" + text(decorator) for each in definitions for decorator in each.decorator_list]
    return {found for each in (*map(text, definitions), *decorators) for found in FORBIDDEN.findall(each)}


def unreasoned(contract: Contract) -> set[str]:
    """Asserts and raises without a reason of the form "contract: reason"."""
    told = re.compile(rf"({'|'.join(CONTRACTS).lower()}): .+")

    def reasoned(node: Any) -> bool:
        said = node.msg if isinstance(node, vy.Assert) else node.exc
        value = said.reduced() if said else None
        return isinstance(value, vy.Str) and bool(told.fullmatch(value.value))

    return {
        f"{name}: {text(node)}"
        for name, each in contract.functions.items()
        for node in each.ast_def.get_descendants((vy.Assert, vy.Raise))
        if not reasoned(node)
    }


def disguised(contract: Contract) -> set[str]:
    """Functions that change nothing and call nobody, and yet do not say so with @view or @pure."""
    return {
        name
        for name, each in contract.functions.items()
        if each.is_mutable and not each.is_constructor and not written(each)
        and not any(within(each, vy.Log, vy.ExtCall))
        and not any(text(node.func) == "raw_call" for node in within(each, vy.Call))
    }  # fmt: skip


@lru_cache(maxsize=1)
def ours() -> list[Contract]:
    return [Contract(name) for name in CONTRACTS]


def found_in_ours(rule: Callable[[Contract], set[str]]) -> set[str]:
    return {finding for contract in ours() for finding in rule(contract)}


def test_compiler_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", VyperWarning)
        for name in CONTRACTS:
            assert Contract(name).analysis


def test_who_changes_state_is_asked_who_they_are() -> None:
    assert found_in_ours(unguarded) == set(ANYBODY)


def test_what_changes_is_told() -> None:
    assert found_in_ours(silent) == set(SILENT)


def test_calls_without_an_interface_are_these() -> None:
    assert found_in_ours(raw_calls) == set(RAW_CALLS)


@pytest.mark.parametrize("rule", [calls_to_variables, long_loops, idle_state, forbidden, unreasoned, disguised])
def test_nothing_is_found(rule: Callable[[Contract], set[str]]) -> None:
    assert found_in_ours(rule) == set()


PLANTED = """# pragma version 0.4.3
interface Other:
    def poke(): nonpayable

event Told:
    pass

OTHER: immutable(Other)
other: address
count: uint256
never_read: uint256
never_written: uint256

@deploy
def __init__(other: Other):
    OTHER = other
    self.never_written = 1

@external
def open_to_all():
    self.count += self.never_written
    self._tell()

@external
def untold(other: address):
    assert msg.sender == self.other, "ledger: not the other"
    self.other = other
    self.never_read = 2

@external
def to_others():
    assert tx.origin == msg.sender, "because"
    extcall OTHER.poke()
    extcall Other(self.other).poke()
    raw_call(self.other, b"", is_delegate_call=True)

@external
def long() -> uint256:
    assert msg.sender == self, "ledger: fine"
    assert self.count > 0
    total: uint256 = 0
    for i: uint256 in range(65):
        total = unsafe_add(total, i)
    for i: uint256 in range(self.count, bound=64):
        total += i
    return total

@external
@payable
def __default__():
    assert msg.sender == self, "ledger: fine"
    self._tell()

@internal
def _tell():
    log Told()
"""


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    folder = tmp_path_factory.mktemp("planted")
    (folder / "Planted.vy").write_text(PLANTED)
    return Contract("Planted", folder)


@pytest.mark.parametrize(
    ("rule", "findings"),
    [
        (unguarded, {"Planted.open_to_all"}),
        (silent, {"Planted.untold"}),
        (raw_calls, {"Planted.to_others"}),
        (calls_to_variables, {"Planted.to_others: extcall Other(self.other).poke()"}),
        (long_loops, {"Planted.long: range(65)"}),
        (idle_state, {"never_read", "never_written"}),
        (forbidden, {"tx.origin", "is_delegate_call", "unsafe_add", "@payable", "__default__"}),
        (
            unreasoned,
            {'Planted.to_others: assert tx.origin == msg.sender, "because"', "Planted.long: assert self.count > 0"},
        ),
        (disguised, {"Planted.long"}),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_rule_finds_what_is_planted(
    planted: Contract, rule: Callable[[Contract], set[str]], findings: set[str]
) -> None:
    assert rule(planted) == findings
