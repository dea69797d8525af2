"""The raw table's schema: what a FreshBooks record has to have to be a record at all."""

import datetime as dt

import pandera.pandas as pa

from fb_qbo_pipeline.ledger.raw import DELETED, GONE, PRESENT


def raw_schema() -> pa.DataFrameSchema:
    """The schema of raw records: one row a record, dated, with FreshBooks' untouched payload."""
    return pa.DataFrameSchema(
        {
            "source_id": pa.Column(int, pa.Check.gt(0), unique=True, description="FreshBooks id"),
            "document_date": pa.Column(
                object,
                pa.Check(lambda value: isinstance(value, dt.date), element_wise=True, name="is_a_date"),
                description="date of the document: its partition",
            ),
            "state": pa.Column(str, pa.Check.isin([PRESENT, DELETED, GONE]), description="present, deleted in FreshBooks, or gone"),
            "payload": pa.Column(
                object,
                pa.Check(lambda value: isinstance(value, dict), element_wise=True, name="is_an_object"),
                description="the record as FreshBooks sent it",
            ),
        },
        strict=True,
        name="raw records",
    )
