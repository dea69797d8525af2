"""Transactions that stand in QuickBooks unknown to the ledger, and changes that a person made there."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the column."""
    op.add_column(
        "posted_document",
        sa.Column("drift", sa.Text(), server_default="", nullable=False, comment="what a person has changed in QuickBooks since"),
        schema="fb_qbo",
    )
    op.create_table(
        "found_document",
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("qbo_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True, comment="by its marker; null: somebody else's"),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("total", sa.Numeric(), nullable=False),
        sa.Column(
            "invoices",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="ids of the QuickBooks invoices that a payment is linked to",
        ),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="the transaction, where it has a marker"),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("integration", "entity", "qbo_id", name=op.f("pk_found_document")),
        schema="fb_qbo",
        comment="transactions that stand in QuickBooks and that the ledger did not post: nothing is created beside them unseen",
    )
    op.create_index(
        op.f("ix_found_document_integration_source_source_id"),
        "found_document",
        ["integration", "source", "source_id"],
        unique=False,
        schema="fb_qbo",
    )
    op.create_index(
        op.f("ix_found_document_integration_entity_number"),
        "found_document",
        ["integration", "entity", "number"],
        unique=False,
        schema="fb_qbo",
    )


def downgrade() -> None:
    """Remove them; what they hold is read again from QuickBooks."""
    op.drop_table("found_document", schema="fb_qbo")
    op.drop_column("posted_document", "drift", schema="fb_qbo")
