"""eth_call and eth_estimateGas: run a message on a state and throw the changes away."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from eth.abc import ComputationAPI, StateAPI
from eth.constants import CREATE_CONTRACT_ADDRESS, ZERO_ADDRESS
from eth.exceptions import OutOfGas, Revert
from eth.vm.forks.berlin.transactions import calculate_txn_intrinsic_gas_berlin
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from devnet.chain.errors import EXECUTION_REVERTED, RpcError, invalid_params, refused
from devnet.chain.quantities import as_hex, data, quantity

GAS_CAP = 30_000_000
ERROR_SELECTOR = bytes.fromhex("08c379a0")
PANIC_SELECTOR = bytes.fromhex("4e487b71")
CALL_STIPEND = 2300
KNOWN_FIELDS = {
    "from", "to", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value", "data", "input",
    "nonce", "accessList", "chainId", "type",
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """A message to run, shaped like a py-evm transaction; amounts in wei."""

    sender: bytes
    to: bytes
    gas: int
    value: int
    data: bytes
    max_fee_per_gas: int
    max_priority_fee_per_gas: int
    access_list: tuple[tuple[bytes, tuple[int, ...]], ...]
    type_id: int = 2

    @property
    def intrinsic_gas(self) -> int:
        return calculate_txn_intrinsic_gas_berlin(self)  # type: ignore[arg-type]


def parse_call(request: Any) -> Call:
    """A Call from a transaction object of execution-apis; missing gas means the cap."""
    if not isinstance(request, dict):
        raise invalid_params("transaction: want an object")
    unknown = sorted(set(request) - KNOWN_FIELDS)
    if unknown:
        raise invalid_params(f"transaction: unknown field {unknown[0]!r}")
    given = {key: value for key, value in request.items() if value is not None}
    price = quantity(given.get("maxFeePerGas", given.get("gasPrice", "0x0")), "maxFeePerGas")
    tip = quantity(given.get("maxPriorityFeePerGas", given.get("gasPrice", "0x0")), "maxPriorityFeePerGas")
    if "data" in given and "input" in given and given["data"] != given["input"]:
        raise invalid_params("transaction: data and input differ")
    return Call(
        sender=data(given.get("from", as_hex(ZERO_ADDRESS)), "from", 20),
        to=data(given["to"], "to", 20) if "to" in given else bytes(CREATE_CONTRACT_ADDRESS),
        gas=min(quantity(given["gas"], "gas"), GAS_CAP) if "gas" in given else GAS_CAP,
        value=quantity(given.get("value", "0x0"), "value"),
        data=data(given.get("input", given.get("data", "0x")), "data"),
        max_fee_per_gas=price,
        max_priority_fee_per_gas=min(tip, price),
        access_list=_access_list(given.get("accessList", [])),
    )


def _access_list(value: Any) -> tuple[tuple[bytes, tuple[int, ...]], ...]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise invalid_params("accessList: want a list of objects")
    entries = []
    for entry in value:
        keys = entry.get("storageKeys", [])
        if not isinstance(keys, list):
            raise invalid_params("accessList: storageKeys: want a list")
        slots = tuple(int.from_bytes(data(key, "storageKeys", 32), "big") for key in keys)
        entries.append((data(entry.get("address"), "accessList address", 20), slots))
    return tuple(entries)


def run_call(state: StateAPI, call: Call) -> bytes:
    """The output of a call on `state` (which is spent by it); RpcError says how it failed."""
    computation = _run(state, call)
    if computation.is_error:
        raise _failure(computation)
    return computation.output


def estimate_gas(new_state: Callable[[], StateAPI], call: Call) -> int:
    """The least gas limit, within 1.5 %, with which the call succeeds; RpcError if none does."""
    first = _run(new_state(), call)
    if first.is_error:
        raise _failure(first)
    used = call.gas - first.get_gas_remaining()
    too_little, enough = max(used - 1 - min(first.get_gas_refund(), used // 5), 20_999), call.gas
    # Usually exact: what was used, plus what EIP-150 holds back from inner calls.
    likely = (used + CALL_STIPEND) * 64 // 63
    for guess in (used, likely):
        if too_little < guess < enough:
            if _run(new_state(), replace(call, gas=guess)).is_error:
                too_little = guess
            else:
                enough = guess
    while too_little + 1 < enough and (enough - too_little) * 1000 > enough * 15:
        middle = (too_little + enough) // 2
        if _run(new_state(), replace(call, gas=middle)).is_error:
            too_little = middle
        else:
            enough = middle
    return enough


def _run(state: StateAPI, call: Call) -> ComputationAPI:
    cost = call.value + call.gas * call.max_fee_per_gas
    if state.get_balance(call.sender) < cost:  # type: ignore[arg-type]
        raise refused(f"insufficient funds for transfer: address {as_hex(call.sender)}")
    if call.gas < call.intrinsic_gas:
        raise refused(f"intrinsic gas too low: have {call.gas}, want {call.intrinsic_gas}")
    executor: Any = state.get_transaction_executor()
    message = executor.build_evm_message(call)
    computation: ComputationAPI = executor.build_computation(message, call)
    return computation


def _failure(computation: ComputationAPI) -> RpcError:
    if isinstance(computation.error, Revert):
        reason = revert_reason(computation.output)
        message = f"execution reverted: {reason}" if reason else "execution reverted"
        return RpcError(EXECUTION_REVERTED, message, as_hex(computation.output))
    if isinstance(computation.error, OutOfGas):
        return refused("out of gas")
    return refused(f"{type(computation.error).__name__}: {computation.error}")


def revert_reason(output: bytes) -> str | None:
    """The text of Error(string) or the number of Panic(uint256); None for anything else."""
    try:
        if output[:4] == ERROR_SELECTOR:
            return str(decode(["string"], output[4:])[0])
        if output[:4] == PANIC_SELECTOR:
            return f"panic code {decode(['uint256'], output[4:])[0]:#x}"
    except (DecodingError, UnicodeDecodeError, OverflowError):
        return None
    return None
