from fb_qbo_pipeline.sandbox.freshbooks.behaviour import Behaviour, Traffic, insert_while_paging
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline_tests.sandbox_freshbooks.asgi import Api


def test_rows_shift_to_the_next_page_when_one_is_added_while_paging(account: FreshBooks, client_id: int) -> None:
    ids = [account.add_invoice(client_id, lines=[Line("Design", 1, "1.00")])["id"] for _ in range(4)]
    api = Api(account, Behaviour(after_page=insert_while_paging(account, client_id)))
    first, second = (api.get("invoices/invoices", {"per_page": 2, "page": page}).result for page in (1, 2))
    assert [row["id"] for row in first["invoices"]] == [ids[3], ids[2]]
    assert [row["id"] for row in second["invoices"]] == [ids[2], ids[1]]  # one row twice, and one is still to come
    assert (first["total"], second["total"]) == (4, 5)


def test_nothing_is_switched_on_by_default(account: FreshBooks) -> None:
    behaviour = Behaviour()
    assert not any([behaviour.latency, behaviour.gated, behaviour.missing_scopes, behaviour.unreadable, behaviour.max_inclusive])
    assert behaviour.faults.pick("/") is None


def test_traffic_tells_reads_from_other_requests() -> None:
    traffic = Traffic()
    traffic.count("GET", "/accounting/account/A/taxes/taxes", "page=1")
    traffic.count("PUT", "/accounting/account/A/taxes/taxes/1", "")
    traffic.count("POST", "/auth/oauth/token", "")
    assert (traffic.reads, traffic.token_requests) == (1, 1)
    assert list(traffic.requests)[1] == "PUT /accounting/account/A/taxes/taxes/1"
