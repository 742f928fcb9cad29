"""What may become a transaction of this chain: decoding, signature, and what its sender can pay.

Error texts follow go-ethereum's txpool, because clients match on them. py-evm leaves some of these checks of
typed transactions to the caller (signature, intrinsic gas), so they are made here, before the pool.
"""

import rlp
from eth.abc import BlockHeaderAPI, SignedTransactionAPI, StateAPI
from eth.constants import CREATE_CONTRACT_ADDRESS, SECPK1_N
from eth.exceptions import UnrecognizedTransactionType
from eth.vm.forks.cancun.transactions import CancunTransactionBuilder
from eth_utils.exceptions import ValidationError

from devnet.chain.errors import invalid_params, refused

NONCE_GAP = 64
MAXIMUM_BYTES = 128 * 1024
MAXIMUM_INIT_CODE = 49_152
HALF_ORDER = SECPK1_N // 2


def decode_transaction(raw: bytes, chain_id: int) -> SignedTransactionAPI:
    """A signed transaction of this chain from its EIP-2718 bytes; RpcError says what is wrong with it."""
    if len(raw) > MAXIMUM_BYTES:
        raise refused("oversized data")
    if not raw:
        raise invalid_params("empty transaction")
    if raw[0] < 0x7F and raw[0] not in (1, 2):
        raise refused("transaction type not supported")
    try:
        transaction = CancunTransactionBuilder.decode(raw)
        if transaction.encode() != raw:
            raise invalid_params("transaction is not canonically encoded")
    except (rlp.exceptions.RLPException, ValidationError, UnrecognizedTransactionType, TypeError) as error:
        raise invalid_params("cannot decode transaction") from error
    _check_signature(transaction, chain_id)
    return transaction


def _check_signature(transaction: SignedTransactionAPI, chain_id: int) -> None:
    signed_for = transaction.chain_id
    if signed_for is None:
        raise refused("only replay-protected (EIP-155) transactions allowed over RPC")
    if signed_for != chain_id:
        raise refused(f"invalid chain id for signer: have {signed_for} want {chain_id}")
    if not 0 < transaction.s <= HALF_ORDER:
        raise refused("invalid sender: signature s is not in the lower half order (EIP-2)")
    if transaction.gas < transaction.intrinsic_gas:
        raise refused(f"intrinsic gas too low: gas {transaction.gas}, minimum needed {transaction.intrinsic_gas}")
    try:
        transaction.validate()
        transaction.check_signature_validity()
    except (ValidationError, ValueError) as error:
        raise refused(f"invalid sender: {error}") from error


def check_affordable(transaction: SignedTransactionAPI, state: StateAPI, header: BlockHeaderAPI) -> None:
    """Refuse what could not enter the next block: `header` is its header, `state` the state before it."""
    nonce = state.get_nonce(transaction.sender)
    if transaction.nonce < nonce:
        raise refused(f"nonce too low: next nonce {nonce}, tx nonce {transaction.nonce}")
    if transaction.nonce > nonce + NONCE_GAP:
        raise refused(f"nonce too high: next nonce {nonce}, tx nonce {transaction.nonce}")
    if state.get_code(transaction.sender):
        raise refused("sender not an eoa")
    if transaction.gas > header.gas_limit // 2:
        raise refused(f"exceeds block gas limit: gas {transaction.gas}, limit {header.gas_limit // 2}")
    if transaction.to == CREATE_CONTRACT_ADDRESS and len(transaction.data) > MAXIMUM_INIT_CODE:
        raise refused(f"max initcode size exceeded: {len(transaction.data)} bytes")
    cap, tip = transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas
    if tip > cap:
        raise refused(f"max priority fee per gas higher than max fee per gas: {tip} > {cap}")
    asked = header.base_fee_per_gas or 0
    if cap < asked:
        raise refused(f"transaction underpriced: max fee per gas less than block base fee: {cap} < {asked}")
    balance, cost = state.get_balance(transaction.sender), transaction.value + transaction.gas * cap
    if balance < cost:
        raise refused(f"insufficient funds for gas * price + value: have {balance} want {cost}")
