"""What QuickBooks shows of documents that a person has changed there, what a comparison of both services has found, and decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the tables. What was deleted or voided by hand counts as nothing already, by its drift."""
    op.add_column(
        "posted_document",
        sa.Column("drift_total", sa.Numeric(), nullable=True, comment="the total that QuickBooks shows since a person has changed it"),
        schema="fb_qbo",
    )
    op.create_table(
        "difference",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("partition_date", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False, comment="money at stake"),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_difference")),
        schema="fb_qbo",
        comment="what the last comparison of both services has found to differ",
    )
    op.create_index(op.f("ix_difference_integration_partition_date"), "difference", ["integration", "partition_date"], schema="fb_qbo")
    op.create_index(
        op.f("ix_difference_integration_source_source_id"), "difference", ["integration", "source", "source_id"], schema="fb_qbo"
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="post: is to be posted although something speaks against it"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False, comment="of the document that it is about"),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False, comment="what it was about, in words"),
        sa.Column("decided_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        schema="fb_qbo",
        comment="what people have decided about documents; rows are only added",
    )
    op.create_index(op.f("ix_decision_integration_source_source_id"), "decision", ["integration", "source", "source_id"], schema="fb_qbo")


def downgrade() -> None:
    """Remove them."""
    op.drop_table("decision", schema="fb_qbo")
    op.drop_table("difference", schema="fb_qbo")
    op.drop_column("posted_document", "drift_total", schema="fb_qbo")
