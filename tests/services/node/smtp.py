"""A small SMTP server for tests: takes messages, refuses some addresses, may lose the line in the middle."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mailbox:
    """What the server took, and how it misbehaves."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    hangs_up: bool = False
    """Whether it closes the line when a message comes."""
    greetings: int = 0


def _handler(box: Mailbox) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
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
                if word == "DATA":
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
            self.say("250 taken")

    return Handler


@contextmanager
def serving() -> Iterator[Mailbox]:
    """A server on a free port of loopback."""
    box = Mailbox()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(box)) as server:
        server.daemon_threads = True
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield box
        server.shutdown()
        thread.join()
