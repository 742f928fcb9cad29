"""What must hold after every kill, to the minor unit."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from functools import partial
from pathlib import Path

from sqlalchemy import text

from devnet.network import auditor, cast
from devnet.network.people import CUSTOMERS, MERCHANTS, Customer, Merchant, paid_in
from tests import databases
from tests.crashes.acts import RESEMBLING, Deed, Script, insist
from tests.end_to_end import load

ENDS = {"settled", "refused", "expired", "cancelled"}
_BLOCKS = 300.0
"""Seconds for the last final block of a payment, or of a hold at the creditor agent that nobody looks at."""
_OPEN = {
    "node": (
        "SELECT count(*) FROM payments WHERE state NOT IN ('settled', 'refused', 'expired', 'cancelled')",
        "SELECT coalesce(sum(earmarked), 0) FROM accounts",
    ),
    "bridge": ("SELECT count(*) FROM reservations WHERE state IN ('reserved', 'signed')",),
}
"""By kind of service, what is 0 when nothing is under way."""


def check_latest(script: Script, deeds: Collection[Deed]) -> None:
    """These payments have ended, are what their keys ask for, and who had a part in them has exactly the money that
    follows; nobody has anything under way, and all books agree with the chain."""
    for deed in deeds:
        assert insist(deed.again) == deed.uetr, "the same key gave another payment"
        assert deed.standing.status in ENDS
    _check_customers(script, {deed.customer for deed in deeds})
    _check_merchants(script, {deed.merchant for deed in deeds})
    for service, queries in _queries():
        for query in queries:
            load.await_equal(partial(_number, script, service, query), 0, _BLOCKS)
    load.check_sums(script.stage)


def check_all(script: Script, scratch: Path) -> None:
    """All payments of the network: both currencies or neither, once, and no end is another than it was."""
    settled = {deed.uetr: deed.standing.target_amount for deed in script.settled()}
    assert len({deed.uetr for deed in script.deeds}) == len(script.deeds)
    leaves = load.leaves_of(script.stage)
    assert Counter(terms.uetr for terms in leaves) == Counter(settled.keys())
    for terms in leaves:
        out, back = terms.legs
        assert (out.source, back.target) == (terms.debtor_agent, terms.creditor_agent)
        assert out.target == back.source == script.stage.apis.bridge.account
        assert out.currency != back.currency
        assert back.amount == settled[terms.uetr]
    for deed in script.deeds:
        seen = script.stage.apis.nodes[deed.country].payment(deed.uetr, deed.owner)
        assert (seen, insist(deed.again)) == (deed.standing, deed.uetr), "an end or an answer changed"
    _check_customers(script, [*CUSTOMERS, RESEMBLING, *script.opened])
    _check_merchants(script, MERCHANTS)
    auditor.gather_leaves(script.stage.apis, scratch / "leaves.json")
    complete = auditor.check_completeness(script.stage.folder, scratch / "leaves.json")
    assert complete.content, complete.said


def _check_customers(script: Script, people: Collection[Customer]) -> None:
    """What they paid in, less what they paid, and what they were returned; nothing is set aside."""
    moved: dict[str, int] = defaultdict(int)
    for deed in script.settled():
        moved[deed.customer.id] += deed.standing.target_amount if deed.is_return else -deed.standing.total
    for each in people:
        wanted = paid_in(each.country) + moved[each.id]
        load.await_equal(partial(script.balance, each.country, each.id, each.owner), (wanted, wanted))


def _check_merchants(script: Script, shops: Collection[Merchant]) -> None:
    """What they received, less what they returned."""
    moved: dict[str, int] = defaultdict(int)
    for deed in script.settled():
        moved[deed.merchant.id] += -deed.standing.total if deed.is_return else deed.standing.target_amount
    for each in shops:
        wanted = moved[each.id]
        load.await_equal(partial(script.balance, each.country, f"merchant:{each.id}", each.owner), (wanted, wanted))


def _queries() -> list[tuple[str, tuple[str, ...]]]:
    nodes = [(each.node, _OPEN["node"]) for each in cast.INSTITUTIONS]
    return [*nodes, (cast.PROVIDER_BRIDGE, _OPEN["bridge"])]


def _number(script: Script, service: str, query: str) -> int:
    with databases.looking(script.stage.folder.database(service)) as connection:
        return int(connection.execute(text(query)).scalar_one())
