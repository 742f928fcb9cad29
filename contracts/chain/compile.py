"""The contracts' compiled form: compiled once from the Vyper sources beside this package, then read from a cache.

The cache is keyed by a hash of all sources and the compiler's version, so a changed source is never served stale.
Reading it does not import the compiler.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from contracts.terms.commitments import keccak
from contracts.terms.identifiers import Address

SOURCES = Path(__file__).resolve().parent.parent / "vyper"
CONTRACTS = ("Council", "Participants", "Ledger", "Settlement")
_FORMATS = ("abi", "bytecode", "bytecode_runtime", "layout", "method_identifiers")
_WORD = 32


@dataclass(frozen=True)
class Artifact:
    """One compiled contract. `runtime` lacks the immutables, which deployed code carries as 32-byte words behind it."""

    name: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes
    """Creation code, to be followed by the ABI-encoded constructor arguments."""
    runtime: bytes
    immutables: tuple[str, ...]
    """Names of the immutables ("module.NAME" for a module's), in the order of their words behind the runtime code."""
    storage_layout: Mapping[str, int]
    """Storage slot of each state variable ("module.name" for a module's)."""
    method_ids: Mapping[str, str]
    """Canonical signature -> 4-byte selector as "0x" hex."""


def compiled(name: str) -> Artifact:
    """The artifact of a contract of `CONTRACTS`, from the cache if the sources did not change."""
    assert name in CONTRACTS, f"there is no contract {name}"
    return _all_compiled()[name]


def runtime_code(name: str, immutables: Mapping[str, Address | int]) -> bytes:
    """The code that a deployment of `name` with these immutables has on chain."""
    artifact = compiled(name)
    assert set(immutables) == set(artifact.immutables), f"{name} has the immutables {artifact.immutables}"
    return artifact.runtime + b"".join(_word(immutables[each]) for each in artifact.immutables)


def code_hash(name: str, immutables: Mapping[str, Address | int]) -> bytes:
    """Keccak of `runtime_code`: what an account proof (EIP-1186) calls the code hash."""
    return keccak(runtime_code(name, immutables))


def check_code(name: str, deployed: bytes, immutables: Mapping[str, Address | int]) -> str | None:
    """Why `deployed` is not `name` compiled from our own source with these immutables; None when it is.

    Immutables left out of the mapping are not compared.
    """
    artifact = compiled(name)
    prefix, tail = deployed[: len(artifact.runtime)], deployed[len(artifact.runtime) :]
    if not deployed:
        return f"{name}: no contract is deployed at this address"
    if prefix != artifact.runtime or len(tail) != _WORD * len(artifact.immutables):
        return f"{name}: the deployed code is not compiled from our source"
    for position, immutable in enumerate(artifact.immutables):
        word = tail[_WORD * position : _WORD * (position + 1)]
        if immutable in immutables and word != _word(immutables[immutable]):
            return f"{name}: the immutable {immutable} is 0x{word.hex()}, not {immutables[immutable]}"
    return None


def source_hash() -> str:
    """SHA-256 (hex) over all sources, their names and the compiler's version."""
    digest = sha256(version("vyper").encode())
    for path in sorted(SOURCES.glob("*.vy")):
        digest.update(b"\0" + path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def cache_folder() -> Path:
    """$FEIQIAN_CACHE, else $XDG_CACHE_HOME/feiqian, else ~/.cache/feiqian; a private temporary one if unwritable."""
    if chosen := os.environ.get("FEIQIAN_CACHE"):
        folder = Path(chosen)
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache") / "feiqian"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return _temporary_folder()


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user without an entry in the user database and without $HOME
        return Path(os.devnull)


def _temporary_folder() -> Path:
    """One a user, so that it is shared between processes; refused if another user could have filled it."""
    folder = Path(tempfile.gettempdir()) / f"feiqian-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if folder.is_dir() and not folder.is_symlink() and status.st_uid == os.getuid() and not status.st_mode & 0o022:
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="feiqian-"))


@lru_cache(maxsize=1)
def _all_compiled() -> Mapping[str, Artifact]:
    path = cache_folder() / f"contracts-{source_hash()}.json"
    outputs = _read(path)
    if outputs is None:
        outputs = {name: _compile(name) for name in CONTRACTS}
        _write(path, outputs)
    return {name: _artifact(name, outputs[name]) for name in CONTRACTS}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        outputs = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    complete = isinstance(outputs, dict) and all(
        isinstance(outputs.get(name), dict) and outputs[name].keys() >= set(_FORMATS) for name in CONTRACTS
    )
    return outputs if complete else None


def _write(path: Path, outputs: Mapping[str, Any]) -> None:
    """Whole or not at all, so that processes which compile at the same time cannot spoil each other's file."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            json.dump(outputs, file)
        os.replace(file.name, path)
    except OSError:
        return  # the cache saves time only; what was compiled is at hand


def _compile(name: str) -> dict[str, Any]:
    from vyper.compiler import compile_from_file_input
    from vyper.compiler.input_bundle import FilesystemInputBundle

    bundle = FilesystemInputBundle([SOURCES])
    source = bundle.load_file(f"{name}.vy")
    output: dict[str, Any] = compile_from_file_input(source, input_bundle=bundle, output_formats=_FORMATS)
    return output


def _artifact(name: str, output: Mapping[str, Any]) -> Artifact:
    immutables = _places(output["layout"].get("code_layout", {}), "offset")
    return Artifact(
        name=name,
        abi=tuple(output["abi"]),
        bytecode=bytes.fromhex(output["bytecode"][2:]),
        runtime=bytes.fromhex(output["bytecode_runtime"][2:]),
        immutables=tuple(sorted(immutables, key=immutables.__getitem__)),
        storage_layout=_places(output["layout"].get("storage_layout", {}), "slot"),
        method_ids=output["method_identifiers"],
    )


def _places(layout: Mapping[str, Any], unit: str, module: str = "") -> dict[str, int]:
    """Where each variable stands; the compiler nests those of an imported module under the module's name."""
    places: dict[str, int] = {}
    for name, entry in layout.items():
        if isinstance(entry.get("type"), str):
            places[module + name] = entry[unit]
        else:
            places |= _places(entry, unit, f"{module}{name}.")
    return places


def _word(value: Address | int) -> bytes:
    number = int(value, 16) if isinstance(value, str) else value
    return number.to_bytes(_WORD, "big")
