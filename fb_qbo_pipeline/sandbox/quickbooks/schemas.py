"""Every key that QuickBooks knows on the entities of this sandbox, with its type and length.

The tables follow the published reference of the Accounting API (minor version 75). A key that is read-only is `ignored`:
QuickBooks accepts it and keeps its own value. What is not listed is refused with 2010, as QuickBooks does, so that a
client cannot leak a property of its own.
"""

from fb_qbo_pipeline.sandbox.quickbooks.fields import (
    Check,
    amount,
    date,
    email,
    flag,
    ignored,
    listed,
    number,
    one_of,
    record,
    reference,
    text,
    unknown_property,
    whole,
)
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal

Keys = dict[str, Check]

_REF = reference()
_CODE_REF = reference(numeric=False)  # TAX, NON, currency codes; a name instead of an id is refused by the tax rules
_ITEM_REF = reference(also=frozenset({"SHIPPING_ITEM_ID", "GRATUITY_ITEM_ID"}))
_LINE_TEXT = text(500)
_ADDRESS = record(
    "PhysicalAddress",
    {
        **dict.fromkeys(("Line1", "Line2", "Line3", "Line4", "Line5"), _LINE_TEXT),
        **dict.fromkeys(("City", "Country", "CountrySubDivisionCode"), text(255)),
        "PostalCode": text(30),
        **dict.fromkeys(("Id", "Lat", "Long", "Note", "Tag", "CountryCode", "PostalCodeSuffix"), ignored),
    },
    empty_is_absent=True,
)
_PHONE = record("TelephoneNumber", {"FreeFormNumber": text(30), "Id": ignored, "Default": ignored, "Tag": ignored}, empty_is_absent=True)
_WEB = record("WebSiteAddress", {"URI": text(1000), "Id": ignored, "Default": ignored, "Tag": ignored}, empty_is_absent=True)
_MEMO = record("MemoRef", {"value": text(1000), "id": ignored}, empty_is_absent=True)
_CUSTOM_FIELDS = listed(
    record("CustomField", {"DefinitionId": text(20), "Name": ignored, "Type": one_of("StringType"), "StringValue": text(31)})
)
_LINKED = listed(record("LinkedTxn", {"TxnId": text(20), "TxnType": text(40), "TxnLineId": text(20)}))

_ENVELOPE: Keys = {
    "Id": text(20),
    "SyncToken": text(20),
    "sparse": flag,
    **dict.fromkeys(("domain", "MetaData", "status", "AttachableRef"), ignored),
}

# ---------------------------------------------------------------------------------------------------------------- lines

_TAX_DETAIL = record(
    "TxnTaxDetail",
    {
        "TxnTaxCodeRef": _REF,
        "DefaultTaxCodeRef": ignored,
        "TotalTax": amount,
        "TaxReviewStatus": ignored,
        "TaxLine": listed(
            record(
                "Line",
                {
                    "Id": ignored,
                    "LineNum": ignored,
                    "Amount": amount,
                    "DetailType": one_of("TaxLineDetail"),
                    "TaxLineDetail": record(
                        "TaxLineDetail",
                        {
                            "TaxRateRef": _REF,
                            "PercentBased": flag,
                            "TaxPercent": number,
                            "NetAmountTaxable": amount,
                            **dict.fromkeys(("TaxInclusiveAmount", "OverrideDeltaAmount", "ServiceDate"), ignored),
                        },
                    ),
                },
            )
        ),
    },
)
_SALES_ITEM = record(
    "SalesItemLineDetail",
    {
        "ItemRef": _ITEM_REF,
        "ClassRef": _REF,
        "UnitPrice": number,
        "Qty": number,
        "TaxCodeRef": _CODE_REF,
        "ServiceDate": date,
        "TaxInclusiveAmt": amount,
        "DiscountRate": number,
        "DiscountAmt": amount,
        **dict.fromkeys(
            (
                "TaxClassificationRef",
                "InventorySiteRef",
                "MarkupInfo",
                "SalesItemLineDetailEx",
                "PriceLevelRef",
                "ItemAccountRef",
                "DeferredRevenue",
                "UOMRef",
                "RatePercent",
            ),
            ignored,
        ),
    },
)
_DISCOUNT = record(
    "DiscountLineDetail",
    {
        "PercentBased": flag,
        "DiscountPercent": number,
        "DiscountAccountRef": _REF,
        "TaxCodeRef": _CODE_REF,
        "ClassRef": _REF,
        "DiscountRef": ignored,
        "ServiceDate": ignored,
    },
)
_MARKUP = record("MarkupInfo", {"Percent": number, "PercentBased": ignored, "Value": ignored, "MarkUpIncomeAccountRef": ignored})
_EXPENSE: Keys = {
    "CustomerRef": _REF,
    "ClassRef": _REF,
    "BillableStatus": one_of("Billable", "NotBillable", "HasBeenBilled"),
    "MarkupInfo": _MARKUP,
    "TaxCodeRef": _CODE_REF,
    "TaxAmount": amount,
    "TaxInclusiveAmt": amount,
}
_ACCOUNT_EXPENSE = record("AccountBasedExpenseLineDetail", {**_EXPENSE, "AccountRef": _REF, "ExpenseDetailLineDetailEx": ignored})
_ITEM_EXPENSE = record(
    "ItemBasedExpenseLineDetail",
    {**_EXPENSE, "ItemRef": _REF, "Qty": number, "UnitPrice": number, "PriceLevelRef": ignored, "ItemAccountRef": ignored},
)
_LINES = listed(
    record(
        "Line",
        {
            "Id": text(20),
            "LineNum": whole,
            "Description": text(4000),
            "Amount": amount,
            "DetailType": one_of(
                "SalesItemLineDetail",
                "DescriptionOnly",
                "DiscountLineDetail",
                "SubTotalLineDetail",
                "GroupLineDetail",
                "AccountBasedExpenseLineDetail",
                "ItemBasedExpenseLineDetail",
                "PaymentLineDetail",
            ),
            "LinkedTxn": _LINKED,
            "SalesItemLineDetail": _SALES_ITEM,
            "DiscountLineDetail": _DISCOUNT,
            "DescriptionLineDetail": record("DescriptionLineDetail", {"ServiceDate": date, "TaxCodeRef": _CODE_REF}),
            "SubTotalLineDetail": record("SubTotalLineDetail", {"ItemRef": _REF}),
            "AccountBasedExpenseLineDetail": _ACCOUNT_EXPENSE,
            "ItemBasedExpenseLineDetail": _ITEM_EXPENSE,
            **dict.fromkeys(("LineEx", "CustomField", "GroupLineDetail", "PaymentLineDetail"), ignored),
        },
    )
)

# --------------------------------------------------------------------------------------------------------- transactions

_TRANSACTION: Keys = {
    **_ENVELOPE,
    "TxnDate": date,
    "CurrencyRef": _CODE_REF,
    "ExchangeRate": number,
    "PrivateNote": text(4000),
    "Line": _LINES,
    "CustomField": _CUSTOM_FIELDS,
    **dict.fromkeys(("HomeTotalAmt", "HomeBalance", "TxnStatus", "TxnSource", "RecurDataRef", "LinkedTxn", "Tag"), ignored),
}
_TAXED: Keys = {
    **_TRANSACTION,
    "DocNumber": text(21),
    "DepartmentRef": _REF,
    "GlobalTaxCalculation": one_of("TaxExcluded", "TaxInclusive", "NotApplicable"),
    "TxnTaxDetail": _TAX_DETAIL,
    "TotalAmt": ignored,
}
_SALE: Keys = {
    **_TAXED,
    "CustomerRef": _REF,
    "CustomerMemo": _MEMO,
    "BillAddr": _ADDRESS,
    "ShipAddr": _ADDRESS,
    "ShipFromAddr": _ADDRESS,
    "BillEmail": email(),
    "ClassRef": _REF,
    "ShipMethodRef": _CODE_REF,
    "ShipDate": date,
    "TrackingNum": text(31),
    "PrintStatus": one_of("NotSet", "NeedToPrint", "PrintComplete"),
    "EmailStatus": one_of("NotSet", "NeedToSend", "EmailSent"),
    "ApplyTaxAfterDiscount": flag,
    "ProjectRef": _REF,
    **dict.fromkeys(("Balance", "DeliveryInfo", "FreeFormAddress", "TaxExemptionRef", "TransactionLocationType", "PONumber"), ignored),
}
_PAID: Keys = {"DepositToAccountRef": _REF, "PaymentMethodRef": _REF, "PaymentRefNum": text(21), "CreditCardPayment": ignored}
_EXPENSE_TXN: Keys = {**_TAXED, **dict.fromkeys(("Balance", "RemitToAddr", "TransactionLocationType", "IncludeInAnnualTPAR"), ignored)}

# ------------------------------------------------------------------------------------------------------ names and lists

_LIST: Keys = {**_ENVELOPE, "Active": flag, "FullyQualifiedName": ignored}
_PERSON: Keys = {
    **_LIST,
    "DisplayName": text(500, name=True),
    **dict.fromkeys(("Title", "Suffix"), text(16, name=True)),
    **dict.fromkeys(("GivenName", "MiddleName", "FamilyName"), text(100, name=True)),
    "PrintOnCheckName": text(110),
    **dict.fromkeys(("PrimaryPhone", "AlternatePhone", "Mobile", "Fax"), _PHONE),
    "PrimaryEmailAddr": email(),
    "CurrencyRef": _CODE_REF,
    "CustomField": _CUSTOM_FIELDS,
    **dict.fromkeys(("Balance", "OpenBalanceDate", "V4IDPseudonym", "Source"), ignored),
}
_COMPANY_PERSON: Keys = {**_PERSON, "CompanyName": text(100), "WebAddr": _WEB, "BillAddr": _ADDRESS, "Notes": text(2000)}

SCHEMAS: dict[str, Keys] = {
    "Invoice": {
        **_SALE,
        "DueDate": date,
        "SalesTermRef": _REF,
        "ARAccountRef": _REF,
        "Deposit": amount,
        "DepositToAccountRef": _REF,
        "BillEmailCc": email(),
        "BillEmailBcc": email(),
        "AllowOnlineCreditCardPayment": flag,
        "AllowOnlineACHPayment": flag,
        **dict.fromkeys(("AllowOnlinePayment", "AllowIPNPayment", "InvoiceLink", "EInvoiceStatus", "SalesRepRef"), ignored),
    },
    "SalesReceipt": {**_SALE, **_PAID, "BillEmailCc": email(), "BillEmailBcc": email()},
    "CreditMemo": {**_SALE, "InvoiceRef": _REF, "PaymentMethodRef": _REF, "RemainingCredit": ignored},
    "RefundReceipt": {**_SALE, **_PAID, "PaymentType": one_of("Cash", "Check", "CreditCard", "Other"), "CheckPayment": ignored},
    "Payment": {
        **_TRANSACTION,
        **_PAID,
        "CustomerRef": _REF,
        "TotalAmt": amount,
        "ARAccountRef": _REF,
        "ProjectRef": _REF,
        **dict.fromkeys(("UnappliedAmt", "ProcessPayment", "TransactionLocationType", "TaxExemptionRef"), ignored),
    },
    "Bill": {**_EXPENSE_TXN, "VendorRef": _REF, "DueDate": date, "SalesTermRef": _REF, "APAccountRef": _REF},
    "VendorCredit": {**_EXPENSE_TXN, "VendorRef": _REF, "APAccountRef": _REF},
    "Purchase": {
        **_EXPENSE_TXN,
        "AccountRef": _REF,
        "PaymentType": one_of("Cash", "Check", "CreditCard"),
        "EntityRef": _REF,
        "Credit": flag,
        "PaymentMethodRef": _REF,
        "PaymentRefNum": text(21),
        "PrintStatus": one_of("NotSet", "NeedToPrint", "PrintComplete"),
    },
    "Customer": {
        **_COMPANY_PERSON,
        "ShipAddr": _ADDRESS,
        **dict.fromkeys(("Taxable", "Job", "BillWithParent"), flag),
        "ParentRef": _REF,
        "DefaultTaxCodeRef": _REF,
        "SalesTermRef": _REF,
        "PaymentMethodRef": _REF,
        "CustomerTypeRef": _REF,
        "ARAccountRef": _REF,
        "PreferredDeliveryMethod": one_of("Print", "Email", "None"),
        "ResaleNum": text(16),
        **dict.fromkeys(("TaxExemptionReasonId", "PrimaryTaxIdentifier", "SecondaryTaxIdentifier"), text(30)),
        **dict.fromkeys(("Level", "BalanceWithJobs", "IsProject", "ClientEntityId"), ignored),
    },
    "Vendor": {
        **_COMPANY_PERSON,
        "PrintOnCheckName": text(100),
        "TermRef": _REF,
        "APAccountRef": _REF,
        "AcctNum": text(100),
        "TaxIdentifier": text(20),
        "Vendor1099": flag,
        **dict.fromkeys(("BillRate", "CostRate"), number),
        **dict.fromkeys(("OtherContactInfo", "VendorPaymentBankDetail", "T4AEligible", "T5018Eligible"), ignored),
    },
    "Employee": {
        **_PERSON,
        "PrimaryAddr": _ADDRESS,
        "EmployeeNumber": text(100),
        **dict.fromkeys(("BillableTime", "HiredDate", "ReleasedDate", "BirthDate", "Gender", "SSN"), ignored),
    },
    "Item": {
        **_LIST,
        "Name": text(100, name=True),
        "Sku": text(100),
        "Description": text(4000),
        "PurchaseDesc": text(1000),
        "Type": one_of("Service", "NonInventory", "Inventory", "Category"),
        **dict.fromkeys(("UnitPrice", "PurchaseCost", "QtyOnHand", "ReorderPoint"), number),
        **dict.fromkeys(("Taxable", "TrackQtyOnHand", "SubItem", "SalesTaxIncluded", "PurchaseTaxIncluded"), flag),
        "InvStartDate": date,
        **dict.fromkeys(
            (
                "IncomeAccountRef",
                "ExpenseAccountRef",
                "AssetAccountRef",
                "ParentRef",
                "SalesTaxCodeRef",
                "PurchaseTaxCodeRef",
                "ClassRef",
                "PrefVendorRef",
            ),
            _REF,
        ),
        **dict.fromkeys(("Level", "ItemCategoryType", "TaxClassificationRef", "Source", "UOMSetRef"), ignored),
    },
    "Account": {
        **_LIST,
        "Name": text(100, name=True),
        "AcctNum": text(20),
        "Description": text(100),
        "AccountType": text(60),
        "AccountSubType": text(80),
        "SubAccount": flag,
        "ParentRef": _REF,
        "CurrencyRef": _CODE_REF,
        "TaxCodeRef": _REF,
        **dict.fromkeys(("Classification", "CurrentBalance", "CurrentBalanceWithSubAccounts", "TxnLocationType"), ignored),
    },
    "Class": {**_LIST, "Name": text(100, name=True), "SubClass": flag, "ParentRef": _REF},
    "Department": {**_LIST, "Name": text(100, name=True), "SubDepartment": flag, "ParentRef": _REF},
    "PaymentMethod": {**_LIST, "Name": text(31), "Type": one_of("CREDIT_CARD", "NON_CREDIT_CARD")},
    "Term": {
        **_LIST,
        "Name": text(31),
        "Type": ignored,
        **dict.fromkeys(("DueDays", "DiscountDays", "DayOfMonthDue", "DueNextMonthDays", "DiscountDayOfMonth"), whole),
        "DiscountPercent": number,
    },
}

WRITABLE = {entity: frozenset(key for key, check in keys.items() if check is not ignored) for entity, keys in SCHEMAS.items()}


def clean(entity: str, body: object) -> Json:
    """The body without read-only properties, with Decimals for numbers; raises Refusal on anything QuickBooks would refuse.

    A key sent as null, or as an empty reference, stays with the value None: it clears the property in a sparse update.
    """
    if not isinstance(body, dict):
        raise Refusal("2010", "Request has invalid or unsupported property: an object is expected")
    keys = SCHEMAS[entity]
    cleaned: Json = {}
    for key, value in body.items():
        check = keys.get(key)
        if check is None:
            raise unknown_property(key, entity)
        if check is not ignored:
            cleaned[key] = None if value is None else check(value, key)
    return cleaned
