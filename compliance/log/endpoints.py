"""HTTP in, HTTP out: the log, for auditors."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from compliance.log.service import LogService
from serving.auth import require
from serving.bodies import Schema, StrictRoute
from serving.documents import HexField

Number = Annotated[int, Query(ge=1, le=2**62)]
Size = Annotated[int | None, Query(ge=0, le=2**62, description="of how many entries; of all without")]
Cursor = Annotated[int, Query(ge=0, le=2**62, description="next_cursor of the page before")]
Limit = Annotated[int, Query(ge=1, le=500)]


class HeadView(Schema):
    size: int
    root: HexField = Field(description="Merkle Tree Hash (RFC 6962, 2.1), as attestations carry it in logHead")


class EntryView(Schema):
    number: int
    record: dict[str, Any] = Field(description="its canonical JSON is what is hashed: sorted keys, no spaces, UTF-8")
    leaf: HexField = Field(description="the hash that the tree has of it")


class EntriesPage(Schema):
    entries: tuple[EntryView, ...]
    next_cursor: int | None = Field(description="ask with cursor=<this> for the next page; null at the end")


class AnchorView(Schema):
    batch_hash: HexField
    size: int
    root: HexField


class AnchorsPage(Schema):
    anchors: tuple[AnchorView, ...]
    next_cursor: int | None = Field(description="ask with cursor=<this> for the next page; null at the end")


class InclusionView(Schema):
    number: int
    size: int
    record: dict[str, Any]
    leaf: HexField
    proof: tuple[HexField, ...] = Field(description="audit path (RFC 6962, 2.1.1), from the leaf up")
    root: HexField


class ConsistencyView(Schema):
    old: int
    size: int
    old_root: HexField
    root: HexField
    proof: tuple[HexField, ...] = Field(description="consistency proof (RFC 6962, 2.1.2)")


def log_router(log: LogService) -> APIRouter:
    """What auditors read of the log, of which no entry has personal data."""
    router = APIRouter(
        prefix="/v1/log", route_class=StrictRoute, tags=["auditors"], dependencies=[Depends(require("audit"))]
    )

    @router.get("")
    def head() -> HeadView:
        """How long the log is, and its head."""
        end = log.head()
        return HeadView(size=end.size, root=end.root)

    @router.get("/entries")
    def entries(cursor: Cursor = 0, limit: Limit = 50) -> EntriesPage:
        """Decisions and officers' acts in their order."""
        found = log.entries(cursor, limit)
        shown = tuple(EntryView(number=each.number, record=json.loads(each.record), leaf=leaf) for each, leaf in found)
        return EntriesPage(entries=shown, next_cursor=shown[-1].number if len(found) == limit else None)

    @router.get("/anchors")
    def anchors(cursor: Cursor = 0, limit: Limit = 50) -> AnchorsPage:
        """The heads that were attested, by the size of the log; a page has all of a size or none."""
        page = log.anchors(cursor, limit)
        shown = tuple(AnchorView(batch_hash=each.batch_hash, size=each.size, root=each.root) for each in page.anchors)
        return AnchorsPage(anchors=shown, next_cursor=page.next_after)

    @router.get("/inclusion")
    def inclusion(number: Number, size: Size = None) -> InclusionView:
        """The proof that an entry is in the log."""
        found = log.inclusion(number, size)
        return InclusionView(**{**vars(found), "record": json.loads(found.record)})

    @router.get("/consistency")
    def consistency(old: Annotated[int, Query(ge=0, le=2**62)], size: Size = None) -> ConsistencyView:
        """The proof that the log only grew since it had `old` entries."""
        return ConsistencyView(**vars(log.consistency(old, size)))

    return router
