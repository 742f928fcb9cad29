"""Each external function says what it does, what it takes and what it gives, in the compiler's own words for it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest
from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle

from contracts.chain.compile import CONTRACTS, SOURCES, compiled

MODULES = tuple(sorted(path.stem for path in SOURCES.glob("*.vy") if path.stem not in CONTRACTS))


@lru_cache(maxsize=32)
def documentation(source: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The compiler's userdoc and devdoc by the function's signature, without those that modules export."""
    bundle = FilesystemInputBundle([SOURCES])
    output = compile_from_file_input(
        bundle.load_file(f"{source}.vy"), input_bundle=bundle, output_formats=("userdoc", "devdoc")
    )
    return output["userdoc"].get("methods", {}), output["devdoc"].get("methods", {})


def functions(contract: str) -> list[dict[str, Any]]:
    return [dict(entry) for entry in compiled(contract).abi if entry["type"] == "function"]


def signatures(contract: str) -> dict[str, str]:
    return {signature.partition("(")[0]: signature for signature in compiled(contract).method_ids}


def documented(contract: str, name: str) -> tuple[str, dict[str, Any]]:
    """Notice and further documentation of a function, its own or that of the module that exports it."""
    signature = signatures(contract)[name]
    for source in (contract, *MODULES):
        notices, details = documentation(source)
        if signature in notices or signature in details:
            return notices.get(signature, {}).get("notice", ""), details.get(signature, {})
    return "", {}


EACH = [(contract, entry["name"]) for contract in CONTRACTS for entry in functions(contract)]


@pytest.mark.parametrize(("contract", "name"), EACH, ids=lambda each: each)
def test_external_function_is_documented(contract, name):
    entry = next(each for each in functions(contract) if each["name"] == name)
    notice, details = documented(contract, name)
    assert notice.endswith("."), f"{contract}.{name} has no @notice"
    assert set(details.get("params", {})) == {each["name"] for each in entry["inputs"]}
    assert len(details.get("returns", {})) == len(entry["outputs"])


@pytest.mark.parametrize("contract", CONTRACTS)
def test_contract_is_documented(contract):
    bundle = FilesystemInputBundle([SOURCES])
    output = compile_from_file_input(
        bundle.load_file(f"{contract}.vy"), input_bundle=bundle, output_formats=("userdoc", "devdoc")
    )
    assert output["userdoc"]["notice"].endswith(".")
    assert output["devdoc"]["title"] == contract
    assert output["devdoc"]["license"] == "Apache-2.0"
