"""What must hold after payments went through a network that failed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from devnet.network.run import MEMBERS_SERVICES
from tests.end_to_end import load
from tests.end_to_end.load import Order, Stage
from tests.faults.plan import Fault
from tests.faults.proxy import Proxy

BUGS = ("bug", "cannot", "reconciliation break", "halt")


def conclude(stage: Stage, orders: Sequence[Order]) -> Counter[str]:
    """Ask once more for each payment, now that nothing fails: the same key, the same answer. How they ended."""
    stage.orders += orders
    with ThreadPoolExecutor(16, thread_name_prefix="conclude") as pool:
        return Counter(pool.map(lambda order: _conclude(stage, order), orders))


def _conclude(stage: Stage, order: Order) -> str:
    shown = order.seen
    load.conclude(stage, order)
    if not order.uetr:
        return f"refused at the door ({order.refused})"
    ended = stage.ended[order.uetr]
    assert ended.final, "a payment that does not end"
    assert shown is None or not shown.final or ended == shown, "what was final has changed"
    return ended.status


def exact(stage: Stage, scratch: Path) -> None:
    """Both currencies or neither, exactly once, every earmark ended, all sums."""
    load.check_payment_versus_payment(stage)
    load.check_exactly_once(stage, scratch)
    load.check_customers_paid_what_settled(stage)
    load.check_sums(stage)


def bugs(stage: Stage) -> list[str]:
    """Lines in the services' logs that no fault of a network may cause."""
    found = []
    for service in MEMBERS_SERVICES:
        assert stage.processes.is_running(service), service
        for line in stage.folder.log(service).read_text().splitlines():
            event = str(json.loads(line).get("event", "")) if line.startswith("{") else line
            if event.startswith(BUGS):
                found.append(f"{service}: {line[:2000]}")
    return found


def table(proxy: Proxy) -> list[str]:
    """How often what went wrong where."""
    lines = [f"{'link':32}" + "".join(f"{fault:>11}" for fault in Fault)]
    for link in sorted({name for name, _ in proxy.counts}):
        lines.append(f"{link:32}" + "".join(f"{proxy.counts[link, fault]:>11}" for fault in Fault))
    totals = (sum(count for (_, each), count in proxy.counts.items() if each is fault) for fault in Fault)
    return [*lines, f"{'all':32}" + "".join(f"{total:>11}" for total in totals)]
