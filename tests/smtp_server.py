"""A mail server on a real socket that keeps what it is given, and can refuse each step."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from dataclasses import dataclass, field

import trustme


@dataclass
class SmtpServer:
    """Speaks TLS from the first byte or from STARTTLS on. ``refuse`` maps a command to the reply it gets instead."""

    authority: trustme.CA
    is_tls: bool = False
    refuse: dict[str, str] = field(default_factory=dict)
    offers: tuple[str, ...] = ("STARTTLS", "AUTH PLAIN")
    mails: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    sign_ins: list[str] = field(default_factory=list)
    in_the_clear: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("localhost").configure_cert(self._context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.settimeout(5)
            try:
                self._serve(plain)
            except OSError:
                pass
            finally:
                plain.close()

    def _serve(self, plain: socket.socket) -> None:
        connection = self._secure(plain) if self.is_tls else plain
        try:
            _say(connection, "220 ready")
            while line := _read_line(connection):
                connection = self._answer(connection, line)
        finally:
            connection.close()

    def _secure(self, plain: socket.socket) -> ssl.SSLSocket:
        return self._context.wrap_socket(plain, server_side=True)

    def _answer(self, connection: socket.socket, line: str) -> socket.socket:
        word = line.split(maxsplit=1)[0].upper()
        if not isinstance(connection, ssl.SSLSocket):
            self.in_the_clear.append(line)
        if word in self.refuse:
            _say(connection, self.refuse[word])
        elif word == "EHLO":
            _say(connection, "\r\n".join(["250-here", *(f"250-{one}" for one in self.offers), "250 8BITMIME"]))
        elif word == "STARTTLS":
            _say(connection, "220 go on")
            return self._secure(connection)
        elif word == "AUTH":
            self.sign_ins.append(base64.b64decode(line.split()[2]).decode())
            _say(connection, "235 welcome")
        elif word == "DATA":
            _say(connection, "354 go on")
            self.mails.append(_read_until_dot(connection))
            _say(connection, "250 taken")
        elif word == "QUIT":
            _say(connection, "221 bye")
        else:
            if word == "RCPT":
                self.recipients.append(line.partition(":")[2].strip("<>"))
            _say(connection, "250 fine")
        return connection


def _say(connection: socket.socket, text: str) -> None:
    connection.sendall(f"{text}\r\n".encode())


def _read_line(connection: socket.socket) -> str:
    line = b""
    while not line.endswith(b"\r\n"):
        if not (byte := connection.recv(1)):
            return ""
        line += byte
    return line.decode().strip()


def _read_until_dot(connection: socket.socket) -> str:
    content = b""
    while not content.endswith(b"\r\n.\r\n"):
        content += connection.recv(4096)
    return content.removesuffix(b".\r\n").decode()
