"""Each owner's events counted in their order, so that who follows them resumes where it was."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_PLACES = """
    UPDATE payment_events SET owner = counted.owner, place = counted.place FROM (
        SELECT e.uetr, e.number, a.owner,
            row_number() OVER (PARTITION BY a.owner ORDER BY e.at, e.uetr, e.number) AS place
        FROM payment_events e JOIN payments p ON p.uetr = e.uetr JOIN accounts a ON a.id = p.account
    ) AS counted WHERE payment_events.uetr = counted.uetr AND payment_events.number = counted.number
"""


def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner"),
    )
    op.add_column("payment_events", sa.Column("owner", sa.Text(), nullable=False, server_default=""))
    op.add_column("payment_events", sa.Column("place", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(_PLACES)
    op.execute("INSERT INTO feeds (owner, last) SELECT owner, max(place) FROM payment_events GROUP BY owner")
    op.create_index("payment_events_by_owner", "payment_events", ["owner", "place"], unique=True)
