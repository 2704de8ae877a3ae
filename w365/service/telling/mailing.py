"""Send one e-mail over TLS."""

from __future__ import annotations

import logging
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import localtime, make_msgid

from w365.channels import Mail
from w365.errors import SourceError, SourceUnreachable
from w365.http.network import Network, PlaceRefused

_log = logging.getLogger(__name__)

SECONDS = 20.0
"""How long the server may take for each step."""
_PUBLIC = Network()


def send_mail(
    mail: Mail,
    subject: str,
    text: str,
    *,
    ca_bundle: str | None = None,
    seconds: float = SECONDS,
    network: Network = _PUBLIC,
) -> None:
    """Send the text to all recipients.

    Raises SourceError with a sentence that names the server and never the password. A recipient whom the server
    refuses while it takes others is in the log only: sending it again would reach the others twice.
    """
    context = ssl.create_default_context(cafile=ca_bundle)
    try:
        with _connected(mail, context, seconds, network) as server:
            if mail.user:
                server.login(mail.user, mail.password)
            refused = server.send_message(_message(mail, subject, text))
    except PlaceRefused as refusal:
        raise SourceUnreachable(f"The mail server {refusal}.", do=refusal.objection.do) from None
    except (smtplib.SMTPException, OSError) as error:
        raise _in_words(error, mail) from None
    if refused:
        _log.warning("the mail server refused %d of %d recipients", len(refused), len(mail.recipients))


class _CheckedSMTP(smtplib.SMTP):
    """smtplib's client over a socket to a checked address. TLS names the host and checks its certificate."""

    def __init__(self, mail: Mail, context: ssl.SSLContext, seconds: float, network: Network) -> None:
        self._tls = context if mail.is_tls else None
        self._network = network
        super().__init__(mail.host, mail.port, timeout=seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = self._network.open_socket(host, port, timeout)
        return self._tls.wrap_socket(plain, server_hostname=host) if self._tls else plain


def _connected(mail: Mail, context: ssl.SSLContext, seconds: float, network: Network) -> smtplib.SMTP:
    server = _CheckedSMTP(mail, context, seconds, network)
    if mail.is_tls:
        return server
    try:
        server.starttls(context=context)
    except (smtplib.SMTPException, OSError):
        server.close()
        raise
    return server


def _message(mail: Mail, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = mail.sender, ", ".join(mail.recipients)
    message["Subject"], message["Date"] = subject, localtime()
    message["Message-ID"] = make_msgid(domain=mail.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence answers it
    message.set_content(text)
    return message


def _in_words(error: smtplib.SMTPException | OSError, mail: Mail) -> SourceError:
    """Say what went wrong; of the server's own words only the number, for it may repeat what it was told."""
    detail = f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()
    match error:
        case smtplib.SMTPAuthenticationError():
            what, do = "refuses user or password", "Correct W365_SMTP_URL."
        case smtplib.SMTPNotSupportedError():
            what, do = "offers no STARTTLS or no sign-in", "Use smtps:// or another port in W365_SMTP_URL."
        case smtplib.SMTPSenderRefused() | smtplib.SMTPRecipientsRefused():
            what, do = "refuses the sender or the recipients", "Correct W365_MAIL_FROM and W365_MAIL_TO."
        case ssl.SSLCertVerificationError():
            what, do = "has a certificate that is not trusted", "Set W365_CA_BUNDLE if the network inspects TLS."
        case smtplib.SMTPResponseException():
            what, do = f"answered with {error.smtp_code}", "Look into the mail server's log."
        case _:
            return SourceUnreachable(
                f"The mail server {mail.host} cannot be reached.", do="Check W365_SMTP_URL.", detail=detail
            )
    return SourceError(f"The mail server {mail.host} {what}.", do=do, detail=detail)
