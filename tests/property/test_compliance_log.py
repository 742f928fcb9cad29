"""The log: its proofs are those of RFC 6962 for any length, and whatever is done to a row of it is seen."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

import compliance.log.repository as log
from compliance.app import MIGRATIONS
from compliance.log.tree import (
    Frontier,
    consistency_proof,
    extends,
    includes,
    inclusion_proof,
    leaf_hash,
    parent_hash,
)
from tests.databases import migrated
from tests.desk import Desk, payment

ROOTS_OF_THE_STANDARD = {
    # Of the reference implementation's test entries, as published with it (RFC 6962, section 2.1.3).
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
ENTRIES = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
MOST = 70


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The definition, word for word: MTH of RFC 6962, 2.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    half = max(2**power for power in range(len(leaves).bit_length()) if 2**power < len(leaves))
    return parent_hash(root_of(leaves[:half]), root_of(leaves[half:]))


@cache
def grown() -> tuple[list[bytes], list[bytes], dict[tuple[int, int], bytes]]:
    """Leaves, the root after each, and the nodes that a log keeps."""
    leaves = [leaf_hash(str(each).encode()) for each in range(MOST)]
    end, roots, nodes = Frontier(), [Frontier().root], {}
    for leaf in leaves:
        end, completed = end.append(leaf)
        nodes |= {(level, place): node for level, place, node in completed}
        roots.append(end.root)
    return leaves, roots, nodes


def test_heads_are_those_of_the_standard() -> None:
    end = Frontier()
    for entry in ENTRIES:
        end, _ = end.append(leaf_hash(entry))
        if end.size in ROOTS_OF_THE_STANDARD:
            assert end.root.hex() == ROOTS_OF_THE_STANDARD[end.size]


@given(st.integers(1, MOST), st.data())
def test_a_proof_shows_what_is_so_and_nothing_else(size: int, data: st.DataObject) -> None:
    leaves, roots, nodes = grown()
    assert roots[size] == root_of(leaves[:size])
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, lambda level, place: nodes[level, place])
    assert includes(roots[size], size, index, leaves[index], proof)
    other = data.draw(st.integers(0, MOST - 1))
    assert includes(roots[size], size, other, leaves[index], proof) == (other == index)
    assert includes(roots[size], size, index, leaves[other], proof) == (other == index)
    assert includes(roots[other], other, index, leaves[index], proof) == (other == size)
    if proof:
        assert not includes(roots[size], size, index, leaves[index], proof[:-1])
        assert not includes(roots[size], size, index, leaves[index], [*proof[:-1], bytes(32)])
    assert not includes(roots[size], size, index, leaves[index], [*proof, bytes(32)])


@given(st.integers(0, MOST), st.integers(0, MOST), st.integers(0, MOST))
def test_a_log_that_did_not_only_grow_has_no_proof(one: int, another: int, third: int) -> None:
    _, roots, nodes = grown()
    old, size = sorted((one, another))
    proof = consistency_proof(old, size, lambda level, place: nodes[level, place])
    assert extends(roots[old], old, roots[size], size, proof)
    if old and third != old:
        assert not extends(roots[third], old, roots[size], size, proof)
    if third != size and old:
        assert not extends(roots[old], old, roots[third], size, proof)
    if proof:
        assert not extends(roots[old], old, roots[size], size, [*proof[:-1], bytes(32)])
        assert not extends(roots[old], old, roots[size], size, proof[1:])


def _filled(desk: Desk) -> None:
    """Ten entries: decisions, reviews, and acts of officers; an attestation's head in the middle."""
    first = desk.held()
    desk.decide(payment(), payment())
    desk.cases.note(first, "anna", "looks like a namesake")
    desk.cases.assign(first, "anna", "boris")
    with desk.database.read() as connection:
        end = log.frontier(connection)
    desk.database.write(lambda connection: log.remember_anchor(connection, bytes(32), end))
    desk.cases.attach(first, "boris", "5" * 64, 7, "passport")
    desk.holds.review(first, "anna", "release", "another person")
    desk.holds.review(first, "boris", "release", "another person")
    desk.cases.note(first, "clara", "told the customer")
    desk.decide(payment())


CRIMES = {
    "drop a decision": "DELETE FROM decisions WHERE sequence = {row}",
    "drop an act": "DELETE FROM acts WHERE sequence = {row}",
    "alter a decision": "UPDATE decisions SET record = {spoiled} WHERE sequence = {row}",
    "alter an act": "UPDATE acts SET record = {spoiled} WHERE sequence = {row}",
    "move an act": "UPDATE acts SET sequence = sequence + 100 WHERE sequence = {row}",
    "move a decision": "UPDATE decisions SET sequence = sequence + 100 WHERE sequence = {row}",
    "drop a leaf": "DELETE FROM log_nodes WHERE level = 0 AND place = {row} - 1",
    "alter a node": "UPDATE log_nodes SET hash = {spoiled_hash} WHERE level > 0 AND place = {row} / 4",
    "forget the end": "UPDATE log_head SET size = size - 1",
}


def _change(connection: Connection, crime: str, row: int) -> int:
    spoiled = "record || record" if connection.dialect.name == "postgresql" else "CAST(record || ' ' AS BLOB)"
    spoiled_hash = "'\\x00'::bytea" if connection.dialect.name == "postgresql" else "x'00'"
    command = CRIMES[crime].format(row=row, spoiled=spoiled, spoiled_hash=spoiled_hash)
    return int(connection.execute(text(command)).rowcount)


@given(st.sampled_from(sorted(CRIMES)), st.integers(1, 10))
@settings(max_examples=25, deadline=None)
def test_a_row_that_was_altered_dropped_or_moved_is_seen(crime: str, row: int) -> None:
    with migrated(MIGRATIONS) as database:
        desk = Desk(database)
        _filled(desk)
        assert desk.replay().faults == ()
        changed = database.write(lambda connection: _change(connection, crime, row))
        assert (desk.replay().faults != ()) == (changed > 0), "no row, no fault"


@given(st.integers(1, 10), st.integers(1, 10))
@settings(max_examples=15, deadline=None)
def test_two_entries_that_changed_places_are_seen(one: int, other: int) -> None:
    def swap(connection: Connection) -> None:
        for table in ("decisions", "acts"):
            for old, new in ((one, -other), (other, -one)):
                connection.execute(text(f"UPDATE {table} SET sequence = {new} WHERE sequence = {old}"))
            connection.execute(text(f"UPDATE {table} SET sequence = -sequence WHERE sequence < 0"))

    with migrated(MIGRATIONS) as database:
        desk = Desk(database)
        _filled(desk)
        database.write(swap)
        assert (desk.replay().faults != ()) == (one != other)


def test_a_log_written_anew_whole_is_seen_by_the_heads_that_were_attested() -> None:
    """Who owns the database may forge a log that fits itself; not one that fits what was signed and is on chain."""
    with migrated(MIGRATIONS) as database:
        desk = Desk(database)
        _filled(desk)

        def forge(connection: Connection) -> None:
            connection.execute(text("DELETE FROM acts WHERE sequence = 4"))
            for table in ("decisions", "acts"):
                connection.execute(text(f"UPDATE {table} SET sequence = -sequence + 1 WHERE sequence > 4"))
                connection.execute(text(f"UPDATE {table} SET sequence = -sequence WHERE sequence < 0"))
            records = [each.record for each in log.all_entries(connection)]
            for table in ("log_nodes", "log_head"):
                connection.execute(text(f"DELETE FROM {table}"))
            log.append(connection, Frontier(), records)

        database.write(forge)
        assert desk.replay().faults == ("an attestation has another head of 5 entries",)
