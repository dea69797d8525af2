"""Where alerts and reports go: an incoming webhook, and e-mail. Nothing else is needed to be told, and no paid plan.

A webhook gets a JSON object with a `text`, which Slack, Mattermost, Rocket.Chat and Google Chat take. Channels of a chat have
many readers, so what goes there holds numbers, dates and amounts, and no names. A failure's text never holds the webhook's
address or the mail server's password.
"""

import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import NamedTuple, Protocol

import requests

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.escaping import chat, mail_body, mail_subject, one_line
from fb_qbo_pipeline.http import CONNECT_SECONDS, describe
from fb_qbo_pipeline.settings.alerting import smtp_parts
from fb_qbo_pipeline.settings.environment import Environment

SECONDS = 20.0  # for an answer; a sensor's tick has 60 for everything


class NotDelivered(PipelineError):
    """A channel did not take a message; the next tick tries again."""


class Channel(Protocol):
    """Somewhere a message can be sent to. Raises NotDelivered."""

    def send(self, subject: str, text: str) -> None:
        """Send a message."""


@dataclass(frozen=True)
class Webhook:
    """An incoming webhook. What is sent links to `ui` at most."""

    address: str = field(repr=False)
    ui: str = ""

    def send(self, subject: str, text: str) -> None:
        """Post the message."""
        body = {"text": chat(f"{one_line(subject)}\n{text}", self.ui)}
        try:
            answer = requests.post(self.address, json=body, timeout=(CONNECT_SECONDS, SECONDS), allow_redirects=False)
        except requests.RequestException as error:
            raise NotDelivered(f"the alert webhook: {describe(error)}", "look at FB_QBO_ALERT_WEBHOOK") from None
        if not 200 <= answer.status_code < 300:
            raise NotDelivered(f"the alert webhook answered {answer.status_code}", "look at FB_QBO_ALERT_WEBHOOK")


@dataclass(frozen=True)
class Email:
    """A mail server, and who writes to whom. A password is sent over TLS only."""

    server: str = field(repr=False)
    sender: str
    recipients: Sequence[str]

    def send(self, subject: str, text: str) -> None:
        """Send the message to all recipients at once."""
        message = EmailMessage()
        message["Subject"] = mail_subject(subject)
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        message.set_content(mail_body(text))
        try:
            self._deliver(message)
        except smtplib.SMTPAuthenticationError:
            raise NotDelivered("the mail server refused user and password", "look at FB_QBO_SMTP") from None
        except smtplib.SMTPRecipientsRefused:
            raise NotDelivered("the mail server refused every recipient", "look at FB_QBO_ALERT_EMAIL") from None
        except smtplib.SMTPResponseException as error:
            raise NotDelivered(f"the mail server answered {error.smtp_code}", "look at FB_QBO_SMTP and FB_QBO_ALERT_FROM") from None
        except (OSError, smtplib.SMTPException) as error:  # a connection that fails, a certificate that does not fit
            raise NotDelivered(f"the mail server could not be used: {type(error).__name__}", "look at FB_QBO_SMTP") from None

    def _deliver(self, message: EmailMessage) -> None:
        secure, host, port, user, password = smtp_parts(self.server)
        tls = ssl.create_default_context()
        connect: Callable[[], smtplib.SMTP] = (
            (lambda: smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=tls))
            if secure
            else (lambda: smtplib.SMTP(host, port, timeout=SECONDS))
        )
        with connect() as server:
            server.ehlo()
            if not secure and server.has_extn("starttls"):
                server.starttls(context=tls)
                secure = True
            if user:
                if not secure:
                    raise NotDelivered(
                        "the mail server offers no TLS, and a password is not sent without", "use another port, or smtps:// in FB_QBO_SMTP"
                    )
                server.login(user, password)
            server.send_message(message)


def chat_of(environment: Environment) -> list[Channel]:
    """The webhook, if there is one."""
    return [Webhook(environment.alert_webhook, environment.ui_url or "")] if environment.alert_webhook else []


def mail_of(environment: Environment) -> list[Channel]:
    """E-mail, if it is set up."""
    return [Email(environment.smtp, environment.alert_from, environment.alert_email)] if environment.smtp else []


class Message(NamedTuple):
    """What a channel gets."""

    channel: Channel
    subject: str
    text: str


def deliver(messages: Sequence[Message], complain: Callable[[str], object]) -> None:
    """Send every message. One that fails is complained of; raises NotDelivered where none was taken.

    What one channel took counts as told: sending it again for the other's sake would repeat it every minute.
    """
    failed: list[NotDelivered] = []
    for message in messages:
        try:
            message.channel.send(message.subject, message.text)
        except NotDelivered as error:
            failed.append(error)
    if failed and len(failed) == len(messages):
        raise failed[0]
    for refusal in failed:
        complain(str(refusal))
