"""How a letter leaves: through a mail server, or as a file where none is named. Knows nothing of people."""

from __future__ import annotations

import os
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from synkro.extensions import settings
from synkro.infra import clock

ANSWER_SECONDS = 15
"""Of each answer of a mail server. How long a letter may take as a whole is the time limit of its job."""
PARTING_SECONDS = 2
PORTS = {"smtp": 587, "smtps": 465}


class NotSent(Exception):
    """code: stable word. passing: another try may help."""

    def __init__(self, code: str, *, passing: bool) -> None:
        super().__init__(code)
        self.code = code
        self.passing = passing


@dataclass(frozen=True, slots=True)
class Letter:
    """text and html say the same."""

    to: str
    subject: str
    text: str
    html: str
    language: str


class Post(Protocol):
    def send(self, letter: Letter, name: str) -> None:
        """name: unique to the letter, the same at every try. Raises NotSent."""


def is_configured() -> bool:
    """False: letters become files, and somebody has to pass the links on."""
    return bool(settings().mail_url)


def post() -> Post:
    config = settings()
    if config.mail_url:
        return SmtpPost(config.mail_url, config.mail_from)
    return FolderPost(config.var_dir / "mail", config.mail_from)


def compose(letter: Letter, sender: str, name: str, *, encoding: str) -> EmailMessage:
    """Raises NotSent for what cannot be an address or a subject: a line end would begin a header of its own."""
    message = EmailMessage(policy=policy.SMTP)
    title, address = parseaddr(sender)
    try:
        message["From"] = _address(address, title)
        message["To"] = _address(letter.to)
        message["Subject"] = letter.subject
    except (ValueError, IndexError):  # IndexError: Python's parser at some broken addresses
        raise NotSent("mail_bad_address", passing=False) from None
    message["Date"] = format_datetime(clock.now())
    # the same at every try: a mailbox that got it before may drop the double
    message["Message-ID"] = f"<{name}@{_address(address).domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte=encoding)
    message.add_alternative(letter.html, subtype="html", cte=encoding)
    message["Content-Language"] = letter.language  # last: it would go along into the first part
    return message


def _address(spec: str, title: str = "") -> Address:
    """Raises ValueError. A domain of other letters is spelled in the way that every server knows."""
    local, _, domain = spec.rpartition("@")
    if not (local.isascii() and local.isprintable() and local and domain):
        raise ValueError("not an address that letters can be sent to")
    return Address(title, local, domain.encode("idna").decode("ascii"))


@dataclass(frozen=True, slots=True)
class FolderPost:
    """Each letter is a file for its owner only; their names sort by time."""

    folder: Path
    sender: str

    def send(self, letter: Letter, name: str) -> None:
        whole = compose(letter, self.sender, name, encoding="8bit").as_bytes()
        draft = self.folder / f"{clock.now():%Y%m%dT%H%M%S%f}-{name}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(whole)
            draft.rename(draft.with_suffix(".eml"))
        except OSError:
            raise NotSent("mail_folder", passing=True) from None


@dataclass(frozen=True, slots=True)
class SmtpPost:
    """One connection for each letter. url as MAIL_URL; nothing is sent unsealed unless it says so."""

    url: str = field(repr=False)
    sender: str

    def send(self, letter: Letter, name: str) -> None:
        message = compose(letter, self.sender, name, encoding="quoted-printable")
        try:
            server = self._connect(str(message["From"].addresses[0].domain))
            try:
                self._enter(server)
                server.send_message(message)
                _part(server)
            finally:
                server.close()
        except OSError as error:  # smtplib's errors are such, too
            raise _not_sent(error) from None

    def _connect(self, own_name: str) -> smtplib.SMTP:
        """own_name: what we greet with. Left out, Python would ask the DNS who we are."""
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        if parts.scheme == "smtps":
            context = ssl.create_default_context()
            return _SealedServer(host, port, own_name, timeout=ANSWER_SECONDS, context=context)
        return _Server(host, port, own_name, timeout=ANSWER_SECONDS)

    def _enter(self, server: smtplib.SMTP) -> None:
        parts = urlsplit(self.url)
        if parts.scheme == "smtp" and not parts.query:
            server.starttls(context=ssl.create_default_context())
        if parts.username:
            try:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            except UnicodeError:  # smtplib speaks ASCII here
                raise NotSent("mail_login", passing=True) from None


class _Server(smtplib.SMTP):
    """Leaves no open socket behind when it is interrupted while it waits for the greeting."""

    def connect(self, host: str = "localhost", port: int = 0, source_address: Any = None) -> Any:
        try:
            return super().connect(host, port, source_address)
        except BaseException:
            self.close()
            raise


class _SealedServer(_Server, smtplib.SMTP_SSL):
    """Sealed from the first byte."""


def _part(server: smtplib.SMTP) -> None:
    """The letter is taken: whatever the server says to goodbye must not bring about a second one."""
    with suppress(OSError):
        if server.sock:
            server.sock.settimeout(PARTING_SECONDS)
        server.quit()


def _not_sent(error: OSError) -> NotSent:
    """RFC 5321, 4.2.1: 4yz may go well later, 5yz will not. What the operator can set right may go well later, too."""
    match error:
        case ssl.SSLCertVerificationError():
            return NotSent("mail_certificate", passing=True)
        case smtplib.SMTPNotSupportedError():
            return NotSent("mail_not_supported", passing=True)
        case smtplib.SMTPAuthenticationError():
            return NotSent("mail_login", passing=True)
        case smtplib.SMTPRecipientsRefused():
            code = min(code for code, _ in error.recipients.values())
            return NotSent("mail_address_refused", passing=code < 500)
        case smtplib.SMTPResponseException():
            return NotSent("mail_refused", passing=error.smtp_code < 500)
    return NotSent("mail_away", passing=True)
