"""A mail server and a webhook on this machine that keep what they are sent."""

import http.server
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any, TypeVar, cast

import simplejson

HOST = "127.0.0.1"
S = TypeVar("S", bound=socketserver.BaseServer)


class _Mail(socketserver.StreamRequestHandler):
    """Just enough of SMTP (RFC 5321) for one message a connection."""

    server: "MailServer"

    def handle(self) -> None:
        self._say("220 stand-in")
        while line := self.rfile.readline().decode().strip():
            verb = line.partition(" ")[0].upper()
            self.server.heard.append(line)
            if verb == "EHLO":
                self._say("250-stand-in")
                self._say("250 8BITMIME")
            elif verb == "RCPT" and self.server.refusing:
                self._say("550 no such user")
            elif verb == "DATA":
                self._say("354 go on")
                self.server.messages.append(cast(Message, message_from_bytes(self._data(), policy=default)))
                self._say("250 taken")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _data(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail, or refuses every recipient while `refusing`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Mail)
        self.messages: list[Message] = []
        self.heard: list[str] = []
        self.refusing = False

    @property
    def address(self) -> str:
        """What FB_QBO_SMTP has to be."""
        return f"smtp://{HOST}:{self.server_address[1]}"

    def texts(self) -> list[str]:
        """Subject and text of every message."""
        texts = [f"{message['Subject']}\n{cast(Any, message).get_content()}" for message in self.messages]
        return ["\n".join(text.splitlines()) for text in texts]


class _Hook(http.server.BaseHTTPRequestHandler):
    server: "WebhookServer"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(simplejson.loads(body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Not on the screen."""


class WebhookServer(http.server.ThreadingHTTPServer):
    """Takes posts and answers with `status`."""

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Hook)
        self.bodies: list[dict[str, Any]] = []
        self.status = 200

    @property
    def address(self) -> str:
        """What FB_QBO_ALERT_WEBHOOK has to be."""
        return f"http://{HOST}:{self.server_address[1]}/services/hush"

    def texts(self) -> list[str]:
        """The text of every post."""
        return [body["text"] for body in self.bodies]


@contextmanager
def serving(server: S) -> Iterator[S]:
    """The server, answering."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
