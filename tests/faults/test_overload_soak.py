"""Five times more payments than settle, of `make soak-faults`: what is taken settles, the rest is refused early with
when to ask again, memory is bounded, and soon after all is as before. Beside it the same without admission."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from devnet.network.api import NoAnswer, Problem
from tests.benchmarks import wallets, watch
from tests.benchmarks.city import NODES, City, city
from tests.benchmarks.wallets import Task

CUSTOMERS, CROWD, SECONDS, TIMES = 30, 48, 20, 5
PATIENCE = 90.0
MOST_GROWTH_MIB = 100.0
ROOMS = {"with admission": 5, "without admission": 10**9}
"""A small room for a machine that is busy with more than this: it grows with what settles."""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def here() -> Iterator[City]:
    with city(CUSTOMERS) as here:
        wallets.run(Task("closed", here.everybody, seconds=5, many=8))
        yield here


def overload(here: City, rate: float) -> tuple[Counter[str], float]:
    """Payments at a rate for a while: how each ended, and the seconds from then until a payment settles again."""
    task = Task("open", here.everybody, seed=2, seconds=SECONDS, rate=rate)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(wallets.run, task)
        time.sleep(SECONDS + 1)  # for as long as payments come
        recovered = _until_one_settles(here)
        return Counter(paid.ended for paid in running.result().paid), recovered


def _until_one_settles(here: City) -> float:
    began, node = time.monotonic(), here.apis.nodes["TH"]
    wallet = here.wallets["TH"][0]
    code, least = wallet.shops[0]
    for number in range(10_000):
        assert time.monotonic() < began + PATIENCE, "nothing settles any more"
        try:
            priced = node.quote(wallet.account, wallet.account, code, least)
            uetr = node.pay(priced.id, wallet.account, f"after-{began}-{number}")
            if node.payment(uetr, wallet.account, 40).status == "settled":
                break
        except (NoAnswer, Problem):
            time.sleep(0.2)
    return time.monotonic() - began


def set_room(here: City, room: int) -> None:
    """Start the nodes again with another setting."""
    here.processes.stop(NODES)
    for node in NODES:
        settings = here.folder.settings(node)
        lines = [line for line in settings.read_text().splitlines() if not line.startswith("room = ")]
        settings.write_text("\n".join([*lines, f"room = {room}", ""]))
    here.processes.start(NODES)
    here.processes.wait(NODES)


def told(name: str, rate: float, ended: Counter[str], recovered: float, grown: float) -> str:
    taken = {how: ended[how] for how in ("settled", "expired", "refused")}
    share = 100 * ended["settled"] / max(1, sum(taken.values()))
    early = sum(ended.values()) - sum(taken.values())
    line = f"{name:20}{rate:>8.0f}/s offered{sum(taken.values()):>7} taken{share:>6.0f} % of them settled"
    return f"{line}{early:>7} refused early{recovered:>7.1f} s to recover{grown:>6.0f} MiB grown"


def test_what_is_taken_settles_under_five_times_what_the_network_can(here: City) -> None:
    most = wallets.run(Task("closed", here.everybody, seed=1, seconds=10, many=CROWD))
    settles = sum(paid.ended == "settled" for paid in most.paid) / (most.ended - most.began)
    lines, found = [f"{settles:.0f} payments/s settle with {CROWD} wallets"], {}
    for name, room in ROOMS.items():
        set_room(here, room)
        before = watch.memory_mib(here.processes.pids())
        ended, recovered = overload(here, TIMES * settles)
        after = watch.memory_mib(here.processes.pids())
        grown = max(after[node] - before[node] for node in NODES)
        found[name] = ended, grown
        lines += [told(name, TIMES * settles, ended, recovered, grown), f"    {dict(ended)}"]
    print("\n" + "\n".join(lines))
    ended, grown = found["with admission"]
    assert ended["settled"] > ended["expired"] * 4
    assert ended["no price (503)"] + ended["not taken (503)"] > 0
    assert grown < MOST_GROWTH_MIB
