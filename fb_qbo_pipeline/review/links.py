"""Where people find a transaction in QuickBooks Online: the address of its page.

Intuit documents none of these addresses; they are what the application itself shows in the browser, and what other tools
have linked to for years. An address that should change leads to QuickBooks' start page: a nuisance, no wrong figure.
"""

from urllib.parse import quote, urlsplit

from fb_qbo_pipeline.mapping.documents import Entity

_WEB = {
    "quickbooks.api.intuit.com": "https://app.qbo.intuit.com",
    "sandbox-quickbooks.api.intuit.com": "https://app.sandbox.qbo.intuit.com",
}
_PAGES = {
    Entity.INVOICE.value: "invoice",
    Entity.SALES_RECEIPT.value: "salesreceipt",
    Entity.PAYMENT.value: "recvpayment",
    Entity.BILL.value: "bill",
    Entity.VENDOR_CREDIT.value: "vendorcredit",
    "CreditMemo": "creditmemo",
    "Purchase": "expense",
}


def web_of(api_url: str) -> str:
    """QuickBooks' pages for people, by the address of its API; '' where there are none, as beside a sandbox of our own."""
    return _WEB.get(urlsplit(api_url).hostname or "", "")


def page(web: str, entity: str, qbo_id: str) -> str:
    """The address of a transaction's page; '' where there is none."""
    name = _PAGES.get(entity)
    return f"{web}/app/{name}?txnId={quote(qbo_id, safe='')}" if web and name and qbo_id else ""
