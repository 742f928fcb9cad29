"""When blocks come: at once while chain time leads the clock by at most 2 s, by heartbeat when idle."""

from dataclasses import dataclass

from eth_account import Account

from devnet.chain import Chain, open_chain

KEY = b"\x11" * 32
PAYER = Account.from_key(b"\x22" * 32)
START = 1_700_000_000


@dataclass
class Clocks:
    """Clocks that stand still until told."""

    wall: float = START + 100.0
    monotonic: float = 0.0

    def pass_seconds(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


def open_live(clocks: Clocks) -> Chain:
    genesis = {
        "chainId": 777,
        "timestamp": START,
        "gasLimit": 60_000_000,
        "validators": [Account.from_key(KEY).address],
        "alloc": {PAYER.address: {"balance": hex(10**18)}},
    }
    return open_chain(genesis, ":memory:", KEY, wall=lambda: clocks.wall, monotonic=lambda: clocks.monotonic)


def send(chain: Chain, nonce: int) -> None:
    fields = {"to": PAYER.address, "nonce": nonce, "gas": 21_000, "gasPrice": 0, "value": 1, "chainId": 777}
    chain.rpc("eth_sendRawTransaction", ["0x" + PAYER.sign_transaction(fields).raw_transaction.hex()])


def head(chain: Chain) -> tuple[int, int]:
    return chain.head.block_number, chain.head.timestamp - START


def test_an_idle_chain_seals_an_empty_block_each_heartbeat() -> None:
    clocks = Clocks()
    chain = open_live(clocks)
    assert chain.tick()  # the genesis block is long past
    assert head(chain) == (1, 100)
    assert not chain.tick()
    assert chain.due() == 5
    clocks.pass_seconds(4.9)
    assert not chain.tick()
    clocks.pass_seconds(0.1)
    assert chain.tick()
    assert head(chain) == (2, 105)


def test_transactions_seal_at_once_until_chain_time_leads_by_two_seconds() -> None:
    clocks = Clocks()
    chain = open_live(clocks)
    for nonce in range(5):
        send(chain, nonce)
    # 100, 101, 102: the fourth would lead by three seconds, so it waits, and the fifth with it.
    assert head(chain) == (3, 102)
    assert chain.due() == 1
    clocks.pass_seconds(1)
    assert chain.tick()
    assert head(chain) == (4, 103)
    assert chain.head.gas_used == 2 * 21_000


def test_idle_time_counts_from_when_a_leading_block_was_made() -> None:
    clocks = Clocks()
    chain = open_live(clocks)
    for nonce in range(3):
        send(chain, nonce)
    assert head(chain) == (3, 102)
    clocks.pass_seconds(5)
    assert chain.tick()
    assert head(chain) == (4, 105)


def test_chain_time_goes_on_when_the_clock_is_set_back() -> None:
    clocks = Clocks()
    chain = open_live(clocks)
    chain.tick()
    clocks.wall -= 3600
    assert not chain.tick()
    clocks.pass_seconds(5)
    assert chain.tick()
    assert head(chain) == (2, 105)


def test_chain_time_follows_a_clock_set_forward() -> None:
    clocks = Clocks()
    chain = open_live(clocks)
    chain.tick()
    clocks.wall += 3600
    assert chain.tick()
    assert head(chain) == (2, 3700)


def test_a_gap_that_nobody_fills_is_forgotten() -> None:
    clocks = Clocks()
    chain = open_live(clocks)
    send(chain, 1)
    clocks.pass_seconds(601)
    send(chain, 0)
    assert chain.head.gas_used == 21_000
    assert len(chain.pool) == 0
