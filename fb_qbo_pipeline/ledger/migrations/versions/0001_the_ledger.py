"""The ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.execute(sa.schema.CreateSequence(sa.Sequence("touched_batch", schema="fb_qbo")))
    _create_audit()
    _create_company_list()
    _create_cursor()
    _create_exception()
    _create_link()
    _create_outbox()
    _create_posted_document()
    _create_raw_record()
    _create_staged_document()
    _create_sync_report()
    _create_token()
    _create_touched_date()


def downgrade() -> None:
    """Drop them."""
    op.execute(sa.schema.DropSequence(sa.Sequence("touched_batch", schema="fb_qbo")))
    op.drop_table("touched_date", schema="fb_qbo")
    op.drop_table("token", schema="fb_qbo")
    op.drop_index(op.f("ix_sync_report_run_id"), table_name="sync_report", schema="fb_qbo")
    op.drop_index(op.f("ix_sync_report_integration_at"), table_name="sync_report", schema="fb_qbo")
    op.drop_table("sync_report", schema="fb_qbo")
    op.drop_index(op.f("ix_staged_document_integration_source_partition_date"), table_name="staged_document", schema="fb_qbo")
    op.drop_index(op.f("ix_staged_document_integration_requires_invoice"), table_name="staged_document", schema="fb_qbo")
    op.drop_index(op.f("ix_staged_document_integration_entity_number"), table_name="staged_document", schema="fb_qbo")
    op.drop_table("staged_document", schema="fb_qbo")
    op.drop_index(op.f("ix_raw_record_integration_resource_document_date"), table_name="raw_record", schema="fb_qbo")
    op.drop_index(op.f("ix_raw_record_integration_invoice_id"), table_name="raw_record", schema="fb_qbo")
    op.drop_table("raw_record", schema="fb_qbo")
    op.drop_index(op.f("ix_posted_document_integration_entity_qbo_id"), table_name="posted_document", schema="fb_qbo")
    op.drop_index(op.f("ix_posted_document_integration_entity_number"), table_name="posted_document", schema="fb_qbo")
    op.drop_index(op.f("ix_posted_document_integration_document_date"), table_name="posted_document", schema="fb_qbo")
    op.drop_table("posted_document", schema="fb_qbo")
    op.drop_index(op.f("ix_outbox_integration_state"), table_name="outbox", schema="fb_qbo")
    op.drop_index(op.f("ix_outbox_integration_source_source_id"), table_name="outbox", schema="fb_qbo")
    op.drop_table("outbox", schema="fb_qbo")
    op.drop_index(op.f("ix_link_integration_kind_qbo_id"), table_name="link", schema="fb_qbo")
    op.drop_table("link", schema="fb_qbo")
    op.drop_index("uq_exception_unresolved", table_name="exception", schema="fb_qbo", postgresql_where=sa.text("status <> 'resolved'"))
    op.drop_table("exception", schema="fb_qbo")
    op.drop_table("cursor", schema="fb_qbo")
    op.drop_table("company_list", schema="fb_qbo")
    op.drop_index(op.f("ix_audit_request_id"), table_name="audit", schema="fb_qbo")
    op.drop_index(op.f("ix_audit_integration_service_at"), table_name="audit", schema="fb_qbo")
    op.drop_table("audit", schema="fb_qbo")


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="read | write | batch | token"),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Numeric(), nullable=False),
        sa.Column("sent", sa.Text(), nullable=True, comment="body of a write, secrets removed"),
        sa.Column("received", sa.Text(), nullable=True, comment="answer to a write, secrets removed"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("tid", sa.Text(), nullable=True, comment="QuickBooks' own trace id"),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Text(), nullable=True, comment="of the code"),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        schema="fb_qbo",
        comment="every request that was made, and what came back",
    )
    op.create_index(op.f("ix_audit_integration_service_at"), "audit", ["integration", "service", "at"], unique=False, schema="fb_qbo")
    op.create_index(op.f("ix_audit_request_id"), "audit", ["request_id"], unique=False, schema="fb_qbo")


def _create_company_list() -> None:
    op.create_table(
        "company_list",
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("qbo_id", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("integration", "entity", "qbo_id", name=op.f("pk_company_list")),
        schema="fb_qbo",
        comment="mirror of the QuickBooks lists, so that reads stay few",
    )


def _create_cursor() -> None:
    op.create_table(
        "cursor",
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("integration", "name", name=op.f("pk_cursor")),
        schema="fb_qbo",
        comment="how far each feed has been read",
    )


def _create_exception() -> None:
    op.create_table(
        "exception",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="open | ignored | resolved"),
        sa.Column("stage", sa.Text(), nullable=False, comment="mapping | posting: who found it and who may resolve it"),
        sa.Column("fingerprint", sa.Text(), server_default="", nullable=False, comment="of the intent that was refused"),
        sa.Column("ignore_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception")),
        schema="fb_qbo",
        comment="documents held back: one unresolved row a document",
    )
    op.create_index(
        "uq_exception_unresolved",
        "exception",
        ["integration", "source", "source_id"],
        unique=True,
        schema="fb_qbo",
        postgresql_where=sa.text("status <> 'resolved'"),
    )


def _create_link() -> None:
    op.create_table(
        "link",
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="Customer | Vendor | Item"),
        sa.Column("key", sa.Text(), nullable=False, comment="stable on the FreshBooks side"),
        sa.Column("qbo_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", sa.Boolean(), nullable=False, comment="created by the pipeline, not found"),
        sa.Column("linked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("integration", "kind", "key", name=op.f("pk_link")),
        schema="fb_qbo",
        comment="customers, vendors and items: FreshBooks key to QuickBooks id",
    )
    op.create_index(op.f("ix_link_integration_kind_qbo_id"), "link", ["integration", "kind", "qbo_id"], unique=False, schema="fb_qbo")


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False, comment="idempotency key of the request that carries this row"),
        sa.Column("bid", sa.Text(), nullable=True, comment="item of a batch; null for a request of its own"),
        sa.Column("operation", sa.Text(), nullable=False, comment="create | update | void | delete"),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="byte for byte what is sent"),
        sa.Column("intent", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="what the answer is verified against"),
        sa.Column("state", sa.Text(), nullable=False, comment="sent | done | refused | withdrawn"),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("prepared_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        schema="fb_qbo",
        comment="every write, committed before it is sent",
    )
    op.create_index(
        op.f("ix_outbox_integration_source_source_id"), "outbox", ["integration", "source", "source_id"], unique=False, schema="fb_qbo"
    )
    op.create_index(op.f("ix_outbox_integration_state"), "outbox", ["integration", "state"], unique=False, schema="fb_qbo")


def _create_posted_document() -> None:
    op.create_table(
        "posted_document",
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("qbo_id", sa.Text(), nullable=False),
        sa.Column("sync_token", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total", sa.Numeric(), nullable=False, comment="as QuickBooks returned it"),
        sa.Column("tax", sa.Numeric(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="posted | voided | deleted"),
        sa.Column("fingerprint", sa.Text(), nullable=False, comment="of the intent that stands there"),
        sa.Column(
            "content", sa.Text(), server_default="", nullable=False, comment="identity of what QuickBooks returned: tells a person's change"
        ),
        sa.Column("adopted", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="found in QuickBooks, not created"),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("posted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("integration", "source", "source_id", name=op.f("pk_posted_document")),
        schema="fb_qbo",
        comment="what stands in QuickBooks, as the pipeline last saw it",
    )
    op.create_index(
        op.f("ix_posted_document_integration_document_date"),
        "posted_document",
        ["integration", "document_date"],
        unique=False,
        schema="fb_qbo",
    )
    op.create_index(
        op.f("ix_posted_document_integration_entity_number"),
        "posted_document",
        ["integration", "entity", "number"],
        unique=False,
        schema="fb_qbo",
    )
    op.create_index(
        op.f("ix_posted_document_integration_entity_qbo_id"),
        "posted_document",
        ["integration", "entity", "qbo_id"],
        unique=True,
        schema="fb_qbo",
    )


def _create_raw_record() -> None:
    op.create_table(
        "raw_record",
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False, comment="invoice | payment | expense | client | item | category"),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("document_date", sa.Date(), nullable=True, comment="partition; null for lists"),
        sa.Column("invoice_id", sa.BigInteger(), nullable=True, comment="of a payment"),
        sa.Column("state", sa.Text(), nullable=False, comment="present | deleted | gone"),
        sa.Column("digest", sa.Text(), nullable=False, comment="identity of the payload"),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="as FreshBooks sent it"),
        sa.Column("read_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("integration", "resource", "source_id", name=op.f("pk_raw_record")),
        schema="fb_qbo",
        comment="FreshBooks records as last read",
    )
    op.create_index(
        op.f("ix_raw_record_integration_invoice_id"), "raw_record", ["integration", "invoice_id"], unique=False, schema="fb_qbo"
    )
    op.create_index(
        op.f("ix_raw_record_integration_resource_document_date"),
        "raw_record",
        ["integration", "resource", "document_date"],
        unique=False,
        schema="fb_qbo",
    )


def _create_staged_document() -> None:
    op.create_table(
        "staged_document",
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="invoice | payment | expense"),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("partition_date", sa.Date(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False, comment="document | held | waiting | out_of_scope | deleted"),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False, comment="as FreshBooks has it"),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("total", sa.Numeric(), nullable=True),
        sa.Column("tax", sa.Numeric(), nullable=True),
        sa.Column("balance", sa.Numeric(), nullable=True),
        sa.Column("requires_invoice", sa.BigInteger(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=True, comment="identity of the intended document"),
        sa.Column(
            "document", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="the intended document, with symbolic references"
        ),
        sa.Column("problems", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="why it is held"),
        sa.Column("reason", sa.Text(), nullable=False, comment="why it is out of scope"),
        sa.Column("staged_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("integration", "source", "source_id", name=op.f("pk_staged_document")),
        schema="fb_qbo",
        comment="what mapping decided about each record",
    )
    op.create_index(
        op.f("ix_staged_document_integration_entity_number"),
        "staged_document",
        ["integration", "entity", "number"],
        unique=False,
        schema="fb_qbo",
    )
    op.create_index(
        op.f("ix_staged_document_integration_requires_invoice"),
        "staged_document",
        ["integration", "requires_invoice"],
        unique=False,
        schema="fb_qbo",
    )
    op.create_index(
        op.f("ix_staged_document_integration_source_partition_date"),
        "staged_document",
        ["integration", "source", "partition_date"],
        unique=False,
        schema="fb_qbo",
    )


def _create_sync_report() -> None:
    op.create_table(
        "sync_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("partition_start", sa.Date(), nullable=True),
        sa.Column("partition_end", sa.Date(), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_report")),
        schema="fb_qbo",
        comment="what each posting step did, for the sync report",
    )
    op.create_index(op.f("ix_sync_report_integration_at"), "sync_report", ["integration", "at"], unique=False, schema="fb_qbo")
    op.create_index(op.f("ix_sync_report_run_id"), "sync_report", ["run_id"], unique=False, schema="fb_qbo")


def _create_token() -> None:
    op.create_table(
        "token",
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False, comment="freshbooks | quickbooks"),
        sa.Column("secret", sa.Text(), nullable=False, comment="the encrypted pair"),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("integration", "service", name=op.f("pk_token")),
        schema="fb_qbo",
        comment="OAuth tokens, encrypted; one row a company and service, locked while it is refreshed",
    )


def _create_touched_date() -> None:
    op.create_table(
        "touched_date",
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False, comment="grows with every time that dates are noted"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("integration", "document_date", name=op.f("pk_touched_date")),
        schema="fb_qbo",
        comment="partitions that something has changed in and that wait for a run",
    )
