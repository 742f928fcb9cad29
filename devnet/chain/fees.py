"""eth_feeHistory: what blocks asked and what transactions paid, in wei per gas."""

from typing import TYPE_CHECKING, Any

from eth.vm.forks.london.headers import calculate_expected_base_fee_per_gas

from devnet.chain.errors import invalid_params
from devnet.chain.views import BlockRecord, base_fee, effective_price

if TYPE_CHECKING:
    from devnet.chain.chain import Chain

MAXIMUM_BLOCKS = 1024


def fee_history(chain: "Chain", count: int, newest: int, percentiles: list[Any]) -> dict[str, Any]:
    """Base fees of `count` blocks up to `newest` and of the one after, gas used ratios, and tips paid."""
    if not all(type(one) in (int, float) and 0 <= one <= 100 for one in percentiles):
        raise invalid_params("rewardPercentiles: want numbers from 0 to 100")
    if percentiles != sorted(percentiles) or len(percentiles) > 100:
        raise invalid_params("rewardPercentiles: want at most 100, ascending")
    count = min(count, MAXIMUM_BLOCKS, newest + 1)
    headers = [chain.header(number) for number in range(newest - count + 1, newest + 1)]
    if not headers:
        return {"oldestBlock": "0x0", "baseFeePerGas": [], "gasUsedRatio": []}
    following = calculate_expected_base_fee_per_gas(headers[-1])
    history: dict[str, Any] = {
        "oldestBlock": hex(headers[0].block_number),
        "baseFeePerGas": [*(hex(base_fee(one)) for one in headers), hex(following)],
        "gasUsedRatio": [one.gas_used / one.gas_limit for one in headers],
    }
    if percentiles:
        history["reward"] = [
            [hex(tip) for tip in _tips(chain.record(one.block_number), percentiles)] for one in headers
        ]
    return history


def _tips(record: BlockRecord, percentiles: list[float]) -> list[int]:
    asked = base_fee(record.header)
    paid, before = [], 0
    for transaction, receipt in zip(record.block.transactions, record.receipts, strict=True):
        paid.append((effective_price(transaction, asked) - asked, receipt.gas_used - before))
        before = receipt.gas_used
    if not paid:
        return [0] * len(percentiles)
    return [_weighted(sorted(paid), before * one / 100) for one in percentiles]


def _weighted(paid: list[tuple[int, int]], threshold: float) -> int:
    gas = 0
    for tip, used in paid:
        gas += used
        if gas >= threshold:
            return tip
    return paid[-1][0]
