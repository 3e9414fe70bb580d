"""A small SMTP server for tests: takes messages, in clear or under TLS, refuses some addresses, may hang up."""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


@dataclass
class Mailbox:
    """What the server took, and how it misbehaves."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    hangs_up: bool = False
    """Whether it closes the line when a message comes."""
    greetings: int = 0
    in_clear: int = 0
    """How many messages came without TLS."""


def _handler(box: Mailbox, tls: ssl.SSLContext | None, at_once: bool) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            super().setup()
            if at_once:
                self._secure()

        def _secure(self) -> None:
            assert tls is not None
            self.request = tls.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

        def handle(self) -> None:
            box.greetings += 1
            self.say("220 test")
            while line := self.rfile.readline():
                command = line.decode().strip()
                word = command.split(" ")[0].split(":")[0].upper()
                if word == "QUIT":
                    self.say("221 bye")
                    return
                if word == "EHLO":
                    offers = tls is not None and not isinstance(self.request, ssl.SSLSocket)
                    self.say("250-test\r\n250 STARTTLS" if offers else "250 test")
                elif word == "STARTTLS":
                    self.say("220 go on")
                    self._secure()
                elif word == "DATA":
                    if box.hangs_up:
                        return
                    self.say("354 go on")
                    self._take()
                elif word == "RCPT" and any(address in command for address in box.refused):
                    self.say("550 nobody here")
                else:
                    self.say("250 ok")

        def _take(self) -> None:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line)
            message = message_from_bytes(b"".join(lines), policy=policy.default)
            assert isinstance(message, EmailMessage)
            box.messages.append(message)
            box.in_clear += not isinstance(self.request, ssl.SSLSocket)
            self.say("250 taken")

    return Handler


@contextmanager
def serving(certificate: Path | None = None, *, at_once: bool = False) -> Iterator[Mailbox]:
    """A server on a free port of loopback; with a certificate it speaks TLS, `at_once` or when it is asked to."""
    box, tls = Mailbox(), None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that does not trust the certificate hangs up

    with Server(("127.0.0.1", 0), _handler(box, tls, at_once and tls is not None)) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield box
        server.shutdown()
        thread.join()
