"""Messages on their way: a real mail server and a real webhook, both on this machine."""

import pytest

from fb_qbo_pipeline.automation.alerts_delivery import Channel, Email, Message, NotDelivered, Webhook, deliver
from fb_qbo_pipeline_tests.automation.receivers import HOST, MailServer, WebhookServer


def email(server: str) -> Email:
    return Email(server, "robot@example.com", ("books@example.com", "owner@example.com"))


def message(channel: Channel) -> Message:
    return Message(channel, "acme: 1 to look at", "• naïve – 10 €")


def test_an_email_reaches_every_recipient_and_wants_no_answer(mail_server: MailServer) -> None:
    deliver([message(email(mail_server.address))], pytest.fail)
    (received,) = mail_server.messages
    assert (received["From"], received["To"]) == ("robot@example.com", "books@example.com, owner@example.com")
    assert received["Auto-Submitted"] == "auto-generated"
    assert mail_server.texts() == ["acme: 1 to look at\n• naïve – 10 €"]
    assert [line for line in mail_server.heard if line.startswith("rcpt")] == ["rcpt TO:<books@example.com>", "rcpt TO:<owner@example.com>"]


def test_a_webhook_gets_one_json_object_with_a_text(webhook: WebhookServer) -> None:
    deliver([message(Webhook(webhook.address))], pytest.fail)
    assert webhook.bodies == [{"text": "acme: 1 to look at\n• naïve – 10 €"}]


def test_a_password_is_not_sent_without_tls(mail_server: MailServer) -> None:
    server = mail_server.address.replace("smtp://", "smtp://robot:hush@")
    with pytest.raises(NotDelivered, match="no TLS") as caught:
        deliver([message(email(server))], pytest.fail)
    assert "hush" not in str(caught.value)
    assert not any("AUTH" in line.upper() for line in mail_server.heard)


def test_a_channel_that_fails_is_complained_of_and_the_other_one_still_gets_the_message(
    mail_server: MailServer, webhook: WebhookServer
) -> None:
    webhook.status = 404
    complaints: list[str] = []
    deliver([message(Webhook(webhook.address)), message(email(mail_server.address))], complaints.append)
    assert len(mail_server.messages) == 1
    (complaint,) = complaints
    assert "answered 404" in complaint


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        (Webhook(f"http://{HOST}:1/services/hush"), "the connection could not be opened"),
        (email(f"smtp://{HOST}:1"), "the mail server could not be used: ConnectionRefusedError"),
    ],
)
def test_what_nobody_took_is_an_error_that_says_why_and_holds_no_secret(channel: Channel, words: str) -> None:
    with pytest.raises(NotDelivered, match=words) as caught:
        deliver([message(channel)], pytest.fail)
    assert "hush" not in str(caught.value)


def test_refused_recipients_and_redirects_are_not_delivered(mail_server: MailServer, webhook: WebhookServer) -> None:
    mail_server.refusing, webhook.status = True, 302
    with pytest.raises(NotDelivered, match="refused every recipient"):
        deliver([message(email(mail_server.address))], pytest.fail)
    with pytest.raises(NotDelivered, match="answered 302"):
        deliver([message(Webhook(webhook.address))], pytest.fail)


def test_what_outsiders_have_typed_is_text_in_a_mail_and_in_a_chat(mail_server: MailServer, webhook: WebhookServer) -> None:
    subject, text = "acme\r\nBcc: all@evil.example", "<!channel> [pay](https://evil.example) \x1b[2J\u202e\ud800 https://ui.example/runs/1"
    ours = Webhook(webhook.address, "https://ui.example")
    deliver([Message(ours, subject, text), Message(email(mail_server.address), subject, text)], pytest.fail)
    (received,) = mail_server.messages
    assert received["Bcc"] is None
    assert received["Subject"] == "acme Bcc: all@evil.example"
    assert mail_server.texts()[0].endswith("\ufffd[2J\ufffd\ufffd https://ui.example/runs/1")
    (body,) = webhook.bodies
    assert body["text"].startswith("acme Bcc: all\u2060@\u2060evil.example\n‹!channel›")
    assert [word for word in body["text"].split() if "://" in word] == ["https://ui.example/runs/1"]
