"""CompanyInfo and Preferences: what a company tells about itself, built from its present settings."""

from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks

_CREATED = "2020-01-01T00:00:00-08:00"


def company_info(company: QuickBooks) -> Json:
    """The CompanyInfo object."""
    address = {"Id": "1", "Line1": "1 Sandbox Street", "Country": company.country_code}
    values = {
        "NeoEnabled": "true",
        "SubscriptionStatus": company.subscription,
        "OfferingSku": f"QuickBooks Online {company.plan}",
        "ItemCategoriesFeature": "true",
    }
    return {
        "CompanyName": company.company_name,
        "LegalName": company.company_name,
        "CompanyAddr": address,
        "LegalAddr": address,
        "Country": company.country_code,
        "SupportedLanguages": "en",
        "FiscalYearStartMonth": "January",
        "CompanyStartDate": "2020-01-01",
        "DefaultTimeZone": "America/Los_Angeles",
        "Email": {"Address": "books@example.com"},
        "NameValue": [{"Name": name, "Value": value} for name, value in values.items()],
        **_envelope(),
    }


def preferences(company: QuickBooks) -> Json:
    """The Preferences object."""
    accounting: Json = {
        "UseAccountNumbers": False,
        "TrackDepartments": company.locations,
        "DepartmentTerminology": "Location",
        "ClassTrackingPerTxn": company.class_tracking == "transaction",
        "ClassTrackingPerTxnLine": company.class_tracking == "line",
        "CustomerTerminology": "Customers",
        "FirstMonthOfFiscalYear": "January",
    }
    if company.close_date is not None:
        accounting["BookCloseDate"] = company.close_date.isoformat()
    taxes: Json = {"UsingSalesTax": company.sales_tax}
    if company.is_us:
        taxes["PartnerTaxEnabled"] = company.sales_tax
    others = {
        "VendorAndPurchasesPrefs.UseCustomTxnNumbers": "true",
        "WarnDuplicateCheckNumber": str(company.warn_duplicate_numbers).lower(),
        "WarnDuplicateJournalNumber": str(company.warn_duplicate_numbers).lower(),
    }
    return {
        "AccountingInfoPrefs": accounting,
        "ProductAndServicesPrefs": {"ForSales": True, "ForPurchase": True, "QuantityWithPriceAndRate": True, "QuantityOnHand": True},
        "SalesFormsPrefs": {
            "CustomTxnNumbers": company.custom_numbers,
            "AllowDeposit": False,
            "AllowDiscount": company.discounts,
            "AllowShipping": False,
            "ETransactionPaymentEnabled": company.online_payments,
            "AutoApplyCredit": False,
        },
        "VendorAndPurchasesPrefs": {"TrackingByCustomer": True, "BillableExpenseTracking": True},
        "TaxPrefs": taxes,
        "CurrencyPrefs": {"MultiCurrencyEnabled": company.multicurrency, "HomeCurrency": {"value": company.home_currency}},
        "ReportPrefs": {"ReportBasis": "Accrual"},
        "OtherPrefs": {"NameValue": [{"Name": name, "Value": value} for name, value in others.items()]},
        **_envelope(),
    }


def _envelope() -> Json:
    meta = {"CreateTime": _CREATED, "LastUpdatedTime": _CREATED}
    return {"Id": "1", "SyncToken": "0", "domain": "QBO", "sparse": False, "MetaData": meta}
