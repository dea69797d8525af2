"""What finance should know of a staged document, beside the document: whoever shows it need not read the whole."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, with the notes that the documents carry."""
    op.add_column(
        "staged_document",
        sa.Column(
            "notes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment="what finance should know although it is posted",
        ),
        schema="fb_qbo",
    )
    op.alter_column(
        "staged_document",
        "outcome",
        existing_type=sa.Text(),
        comment="document | held | waiting | out_of_scope | deleted | kept",
        existing_comment="document | held | waiting | out_of_scope | deleted",
        schema="fb_qbo",
    )
    op.execute(
        "UPDATE fb_qbo.staged_document SET notes = document -> 'notes' WHERE jsonb_typeof(document -> 'notes') = 'array'",
    )


def downgrade() -> None:
    """Remove it; the documents carry their notes."""
    op.alter_column(
        "staged_document",
        "outcome",
        existing_type=sa.Text(),
        comment="document | held | waiting | out_of_scope | deleted",
        existing_comment="document | held | waiting | out_of_scope | deleted | kept",
        schema="fb_qbo",
    )
    op.drop_column("staged_document", "notes", schema="fb_qbo")
