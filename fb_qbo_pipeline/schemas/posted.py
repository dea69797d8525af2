"""The posted table's schema: what stands in QuickBooks, as it was returned."""

import datetime as dt
from decimal import Decimal

import pandera.pandas as pa

from fb_qbo_pipeline.mapping.documents import Entity


def posted_schema() -> pa.DataFrameSchema:
    """The schema of posted documents, one row each."""
    exact = pa.Check(lambda value: isinstance(value, Decimal), element_wise=True, name="exact_number")
    return pa.DataFrameSchema(
        {
            "source_id": pa.Column(int, pa.Check.gt(0), description="FreshBooks id"),
            "entity": pa.Column(str, pa.Check.isin([entity.value for entity in Entity]), description="QuickBooks transaction type"),
            "qbo_id": pa.Column(str, pa.Check.str_length(1), description="QuickBooks id"),
            "number": pa.Column(object, nullable=True, description="QuickBooks DocNumber"),
            "document_date": pa.Column(
                object,
                pa.Check(lambda value: isinstance(value, dt.date), element_wise=True, name="is_a_date"),
                description="date of the document",
            ),
            "currency": pa.Column(str, description="ISO 4217"),
            "total": pa.Column(object, exact, description="total as QuickBooks returned it"),
            "tax": pa.Column(object, exact, description="tax as QuickBooks returned it"),
            "state": pa.Column(str, pa.Check.isin(["posted", "voided", "deleted"]), description="posted, voided or deleted"),
        },
        strict=True,
        name="posted documents",
    )
