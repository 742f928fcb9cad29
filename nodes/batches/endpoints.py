"""HTTP for auditors: the batches that this debtor agent settled, and what is in them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from contracts.terms.batch import LANES
from contracts.terms.errors import NotFound
from nodes.batches import repository
from nodes.batches.form import leaves_of
from nodes.batches.schemas import LeavesBody, SettledBatchBody
from nodes.context import NodeContext, context
from serving.auth import Caller, require
from serving.bodies import StrictRoute

router = APIRouter(tags=["audit"], route_class=StrictRoute)
Node = Annotated[NodeContext, Depends(context)]
Auditor = Annotated[Caller, Depends(require("audit"))]
Lane = Annotated[int, Path(ge=0, lt=LANES)]
BEYOND = 2**63
"""No sequence that a database stores is as large."""


@router.get("/v1/batches/{lane}")
def read_batches(
    lane: Lane,
    node: Node,
    _: Auditor,
    after: Annotated[int, Query(ge=-1, lt=BEYOND, description="the sequence to go on from; -1 from the first")] = -1,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[SettledBatchBody]:
    """The settled batches of a lane by sequence."""
    with node.database.read() as connection:
        return [SettledBatchBody.of(each) for each in repository.settled_batches(connection, lane, after, limit)]


@router.get("/v1/batches/{lane}/{sequence}/payments")
def read_leaves(lane: Lane, sequence: Annotated[int, Path(ge=0, lt=BEYOND)], node: Node, _: Auditor) -> LeavesBody:
    """All payments of one batch: `feiqian audit completeness` recomputes its root from them."""
    with node.database.read() as connection:
        formed = repository.settled_at(connection, lane, sequence)
        if formed is None:
            raise NotFound(f"no batch is settled at lane {lane}, sequence {sequence}")
        return LeavesBody.of(formed, leaves_of(connection, formed))
