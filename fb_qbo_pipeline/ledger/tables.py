"""The ledger's tables: what was read, what was intended, what was sent, and what stands in QuickBooks.

Money is NUMERIC without a fixed scale, so that nothing is rounded by being stored. `integration` is the `name` of
integration.yaml and part of every key: several companies share one database. Instants are timestamptz in UTC;
document dates are plain dates in the business's calendar.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Sequence,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "fb_qbo"
metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    },
)


def _instant(name: str, *, nullable: bool = False, now: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=func.now() if now and not nullable else None)


token = Table(
    "token",
    metadata,
    Column("integration", Text, primary_key=True),
    Column("service", Text, primary_key=True, comment="freshbooks | quickbooks"),
    Column("secret", Text, nullable=False, comment="the encrypted pair"),
    _instant("changed_at"),
    comment="OAuth tokens, encrypted; one row a company and service, locked while it is refreshed",
)

cursor = Table(
    "cursor",
    metadata,
    Column("integration", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
    _instant("changed_at"),
    comment="how far each feed has been read",
)

raw_record = Table(
    "raw_record",
    metadata,
    Column("integration", Text, primary_key=True),
    Column("resource", Text, primary_key=True, comment="invoice | payment | expense | client | item | category"),
    Column("source_id", BigInteger, primary_key=True),
    Column("document_date", Date, comment="partition; null for lists"),
    Column("invoice_id", BigInteger, comment="of a payment"),
    Column("state", Text, nullable=False, comment="present | deleted | gone"),
    Column("digest", Text, nullable=False, comment="identity of the payload"),
    Column("payload", JSONB, nullable=False, comment="as FreshBooks sent it"),
    _instant("read_at"),
    Index(None, "integration", "resource", "document_date"),
    Index(None, "integration", "invoice_id"),
    comment="FreshBooks records as last read",
)

touched_batch = Sequence("touched_batch", metadata=metadata)

touched_date = Table(
    "touched_date",
    metadata,
    Column("integration", Text, primary_key=True),
    Column("document_date", Date, primary_key=True),
    Column("batch", BigInteger, nullable=False, comment="grows with every time that dates are noted"),
    Column("reason", Text, nullable=False),
    _instant("noted_at"),
    comment="partitions that something has changed in and that wait for a run",
)

staged_document = Table(
    "staged_document",
    metadata,
    Column("integration", Text, primary_key=True),
    Column("source", Text, primary_key=True, comment="invoice | payment | expense"),
    Column("source_id", BigInteger, primary_key=True),
    Column("partition_date", Date, nullable=False),
    Column("outcome", Text, nullable=False, comment="document | held | waiting | out_of_scope | deleted | kept"),
    Column("document_date", Date, nullable=False),
    Column("label", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("amount", Numeric, nullable=False, comment="as FreshBooks has it"),
    Column("currency", Text, nullable=False),
    Column("entity", Text),
    Column("number", Text),
    Column("total", Numeric),
    Column("tax", Numeric),
    Column("balance", Numeric),
    Column("requires_invoice", BigInteger),
    Column("fingerprint", Text, comment="identity of the intended document"),
    Column("document", JSONB, comment="the intended document, with symbolic references"),
    Column("problems", JSONB, nullable=False, comment="why it is held"),
    Column("reason", Text, nullable=False, comment="why it is out of scope"),
    Column("notes", JSONB, nullable=False, server_default=text("'[]'::jsonb"), comment="what finance should know although it is posted"),
    _instant("staged_at"),
    Index(None, "integration", "source", "partition_date"),
    Index(None, "integration", "entity", "number"),
    Index(None, "integration", "requires_invoice"),
    comment="what mapping decided about each record",
)

posted_document = Table(
    "posted_document",
    metadata,
    Column("integration", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("source_id", BigInteger, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("qbo_id", Text, nullable=False),
    Column("sync_token", Text, nullable=False),
    Column("number", Text),
    Column("document_date", Date, nullable=False),
    Column("currency", Text, nullable=False),
    Column("total", Numeric, nullable=False, comment="as QuickBooks returned it"),
    Column("tax", Numeric, nullable=False),
    Column("state", Text, nullable=False, comment="posted | voided | deleted"),
    Column("fingerprint", Text, nullable=False, comment="of the intent that stands there"),
    Column("content", Text, nullable=False, server_default="", comment="identity of what QuickBooks returned: tells a person's change"),
    Column("adopted", Boolean, nullable=False, server_default=text("false"), comment="found in QuickBooks, not created"),
    Column("run_id", Text),
    Column("drift", Text, nullable=False, server_default="", comment="what a person has changed in QuickBooks since"),
    Column("drift_total", Numeric, comment="the total that QuickBooks shows since a person has changed it"),
    _instant("posted_at"),
    _instant("changed_at"),
    Index(None, "integration", "entity", "number"),
    Index(None, "integration", "document_date"),
    Index(None, "integration", "entity", "qbo_id", unique=True),
    comment="what stands in QuickBooks, as the pipeline last saw it",
)

found_document = Table(
    "found_document",
    metadata,
    Column("integration", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("qbo_id", Text, primary_key=True),
    Column("source", Text, comment="by its marker; null: somebody else's"),
    Column("source_id", BigInteger),
    Column("number", Text),
    Column("document_date", Date, nullable=False),
    Column("total", Numeric, nullable=False),
    Column("invoices", JSONB, nullable=False, comment="ids of the QuickBooks invoices that a payment is linked to"),
    Column("payload", JSONB(none_as_null=True), comment="the transaction, where it has a marker"),
    _instant("seen_at"),
    Index(None, "integration", "source", "source_id"),
    Index(None, "integration", "entity", "number"),
    comment="transactions that stand in QuickBooks and that the ledger did not post: nothing is created beside them unseen",
)

link = Table(
    "link",
    metadata,
    Column("integration", Text, primary_key=True),
    Column("kind", Text, primary_key=True, comment="Customer | Vendor | Item"),
    Column("key", Text, primary_key=True, comment="stable on the FreshBooks side"),
    Column("qbo_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created", Boolean, nullable=False, comment="created by the pipeline, not found"),
    _instant("linked_at"),
    Index(None, "integration", "kind", "qbo_id"),
    comment="customers, vendors and items: FreshBooks key to QuickBooks id",
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("integration", Text, nullable=False),
    Column("request_id", Text, nullable=False, comment="idempotency key of the request that carries this row"),
    Column("bid", Text, comment="item of a batch; null for a request of its own"),
    Column("operation", Text, nullable=False, comment="create | update | void | delete"),
    Column("entity", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("body", Text, nullable=False, comment="byte for byte what is sent"),
    Column("intent", JSONB, nullable=False, comment="what the answer is verified against"),
    Column("state", Text, nullable=False, comment="sent | done | refused | withdrawn"),
    Column("note", Text, nullable=False, server_default=""),
    Column("run_id", Text),
    _instant("prepared_at"),
    _instant("finished_at", nullable=True),
    Index(None, "integration", "state"),
    Index(None, "integration", "source", "source_id"),
    comment="every write, committed before it is sent",
)

exception = Table(
    "exception",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("integration", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("number", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("document_date", Date, nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("currency", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("status", Text, nullable=False, comment="open | ignored | resolved"),
    Column("stage", Text, nullable=False, comment="mapping | posting: who found it and who may resolve it"),
    Column("fingerprint", Text, nullable=False, server_default="", comment="of the intent that was refused"),
    Column("ignore_reason", Text, nullable=False, server_default=""),
    _instant("since"),
    _instant("seen_at"),
    _instant("resolved_at", nullable=True),
    Index("uq_exception_unresolved", "integration", "source", "source_id", unique=True, postgresql_where=text("status <> 'resolved'")),
    comment="documents held back: one unresolved row a document",
)

difference = Table(
    "difference",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("integration", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("number", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("document_date", Date, nullable=False),
    Column("partition_date", Date, nullable=False),
    Column("amount", Numeric, nullable=False, comment="money at stake"),
    Column("currency", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    _instant("found_at"),
    Index(None, "integration", "partition_date"),
    Index(None, "integration", "source", "source_id"),
    comment="what the last comparison of both services has found to differ",
)

decision = Table(
    "decision",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("integration", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="post: is to be posted although something speaks against it"),
    Column("source", Text, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("fingerprint", Text, nullable=False, comment="of the document that it is about"),
    Column("decided_by", Text, nullable=False),
    Column("note", Text, nullable=False, server_default="", comment="what it was about, in words"),
    _instant("decided_at"),
    Index(None, "integration", "source", "source_id"),
    comment="what people have decided about documents; rows are only added",
)

company_list = Table(
    "company_list",
    metadata,
    Column("integration", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("qbo_id", Text, primary_key=True),
    Column("payload", JSONB, nullable=False),
    comment="mirror of the QuickBooks lists, so that reads stay few",
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("integration", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="read | write | batch | token"),
    Column("method", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("request_id", Text),
    Column("status", Integer),
    Column("seconds", Numeric, nullable=False),
    Column("sent", Text, comment="body of a write, secrets removed"),
    Column("received", Text, comment="answer to a write, secrets removed"),
    Column("error", Text),
    Column("tid", Text, comment="QuickBooks' own trace id"),
    Column("run_id", Text),
    Column("version", Text, comment="of the code"),
    _instant("at"),
    Index(None, "integration", "service", "at"),
    Index(None, "request_id"),
    comment="every request that was made, and what came back",
)

sync_report = Table(
    "sync_report",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("integration", Text, nullable=False),
    Column("run_id", Text),
    Column("asset", Text, nullable=False),
    Column("partition_start", Date),
    Column("partition_end", Date),
    Column("counts", JSONB, nullable=False),
    _instant("at"),
    Index(None, "integration", "at"),
    Index(None, "run_id"),
    comment="what each posting step did, for the sync report",
)
