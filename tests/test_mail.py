"""Letters leave by SMTP or become files: what is asked of the server, and what its refusals mean."""

from __future__ import annotations

import ssl
import stat
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from synkro import mail
from synkro.mail import FolderPost, Letter, NotSent, SmtpPost, compose
from tests.support.having import assert_entries, assert_has
from tests.support.mailbox import PASSWORD, Mailbox, certificate, free_port, serve, silent

SENDER = "Synkro <post@example.com>"
LOGIN = f"user:{quote(PASSWORD, safe='')}@"


def letter(to: str = "aigul@example.kz", subject: str = "Приглашение в Synkro") -> Letter:
    text = "Выберите пароль:\nhttps://x.kz/welcome?t=" + "a" * 60 + "\n\n.точка в начале\n"
    return Letter(to, subject, text, "<p>Выберите <b>пароль</b></p>", "ru")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ssl.SSLContext]:
    """The issuer of the server's certificate is trusted here, as that of a real server is."""
    folder = tmp_path_factory.mktemp("tls")
    with pytest.MonkeyPatch.context() as patch:
        made = certificate(folder)
        patch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
        yield made


@pytest.fixture
def box(context: ssl.SSLContext) -> Iterator[Mailbox]:
    with serve(context) as box:
        yield box


def refusal(url: str, one: Letter | None = None) -> NotSent:
    with pytest.raises(NotSent) as caught:
        SmtpPost(url, SENDER).send(one or letter(), "name")
    return caught.value


def test_a_letter_arrives_as_it_was_written(box: Mailbox) -> None:
    SmtpPost(f"smtp://{LOGIN}{box.url}", SENDER).send(letter(), "name")
    (got,) = box.taken
    text, html = (part.get_content().replace("\r\n", "\n") for part in got.iter_parts())
    assert text == letter().text
    assert html.strip() == letter().html
    assert_entries(got, To="aigul@example.kz", From=SENDER, Subject=letter().subject)
    assert got["Message-ID"] == "<name@example.com>"


def test_it_travels_sealed(box: Mailbox) -> None:
    SmtpPost(f"smtp://{LOGIN}{box.url}", SENDER).send(letter(), "name")
    assert box.sealed == [True]


def test_a_server_that_is_sealed_from_the_start_is_understood(context: ssl.SSLContext) -> None:
    with serve(context, at_once=True) as box:
        SmtpPost(f"smtps://{LOGIN}{box.url}", SENDER).send(letter(), "name")
    assert len(box.taken) == 1


def test_nothing_is_said_to_a_server_without_starttls() -> None:
    with serve(None) as box:
        assert_has(refusal(f"smtp://{box.url}"), code="mail_not_supported", passing=True)
    assert not box.taken


def test_unless_the_address_allows_it() -> None:
    with serve(None) as box:
        SmtpPost(f"smtp://{box.url}?starttls=never", SENDER).send(letter(), "name")
    assert box.sealed == [False]


def test_a_certificate_of_nobody_is_refused(box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert_has(refusal(f"smtp://{LOGIN}{box.url}"), code="mail_certificate", passing=True)
    assert not box.taken


def test_a_certificate_for_another_name_is_refused(box: Mailbox) -> None:
    assert_has(
        refusal(f"smtp://{LOGIN}{box.url.replace('127.0.0.1', 'localhost')}"), code="mail_certificate", passing=True
    )


@pytest.mark.parametrize("password", ["wrong", "%D0%BF%D0%B0%D1%80%D0%BE%D0%BB%D1%8C"])
def test_a_wrong_password_is_told_and_may_be_set_right(box: Mailbox, password: str) -> None:
    assert_has(refusal(f"smtp://user:{password}@{box.url}"), code="mail_login", passing=True)


@pytest.mark.parametrize(
    ("stage", "says", "code", "passing"),
    [
        ("RCPT", "550 no such mailbox", "mail_address_refused", False),
        ("RCPT", "450 greylisted", "mail_address_refused", True),
        ("DATA", "554 looks like spam", "mail_refused", False),
        ("DATA", "451 try again later", "mail_refused", True),
    ],
)
def test_a_refusal_of_now_and_one_for_good_are_told_apart(
    box: Mailbox, stage: str, says: str, code: str, passing: bool
) -> None:
    box.answers[stage] = says
    assert_has(refusal(f"smtp://{LOGIN}{box.url}"), code=code, passing=passing)


def test_nobody_there_may_pass() -> None:
    assert_has(refusal(f"smtp://127.0.0.1:{free_port()}"), code="mail_away", passing=True)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_server_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setattr(mail, "ANSWER_SECONDS", 0.3)
    started = time.monotonic()
    with silent() as address:
        assert_has(refusal(f"{scheme}://{address}"), code="mail_away", passing=True)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "to",
    [
        "a@b.kz\r\nBcc: c@d.kz",
        "a\r\nBcc: c@d.kz@b.kz",
        "a@b.kz\n",
        "",
        "nobody",
        "почта@b.kz",
        "a@",
        "@b.kz",
        "a@b..kz",
    ],
)
def test_what_is_no_address_is_told_and_not_tried(to: str) -> None:
    assert_has(refusal(f"smtp://127.0.0.1:{free_port()}", letter(to=to)), code="mail_bad_address", passing=False)


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_becomes_a_header_of_its_own(to: str, subject: str) -> None:
    try:
        made = compose(
            letter(to=f"{to}\r\nBcc: c@d.kz", subject=f"{subject}\nBcc: c@d.kz"), SENDER, "n", encoding="8bit"
        )
    except NotSent:
        return
    assert message_from_bytes(made.as_bytes())["Bcc"] is None


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200))
def test_a_subject_without_line_ends_is_carried(subject: str) -> None:
    made = compose(letter(subject=subject), SENDER, "n", encoding="8bit").as_bytes()
    headers = message_from_bytes(made, policy=policy.default)
    assert set(headers.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language", "MIME-Version",
        "Content-Type",
    }  # fmt: skip


def test_a_domain_of_other_letters_is_spelled_for_every_server() -> None:
    assert compose(letter(to="a@почта.рф"), SENDER, "n", encoding="8bit")["To"] == "a@xn--80a1acny.xn--p1ai"


def test_files_are_for_their_owner_and_sort_by_time(tmp_path: Path) -> None:
    post = FolderPost(tmp_path / "mail", SENDER)
    for name in ("b", "a"):
        post.send(letter(), name)
    files = sorted((tmp_path / "mail").iterdir())
    assert [path.name.partition("-")[2] for path in files] == ["b.eml", "a.eml"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "mail").stat().st_mode) == 0o700


def test_the_link_in_a_file_can_be_copied_whole(tmp_path: Path) -> None:
    FolderPost(tmp_path, SENDER).send(letter(), "a")
    (path,) = tmp_path.iterdir()
    assert "https://x.kz/welcome?t=" + "a" * 60 in path.read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_may_be_set_right(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotSent) as caught:
        FolderPost(tmp_path / "file", SENDER).send(letter(), "a")
    assert_has(caught.value, code="mail_folder", passing=True)


def test_without_a_server_letters_become_files(app: Flask) -> None:
    assert not mail.is_configured()
    assert isinstance(mail.post(), FolderPost)


def test_the_password_is_not_shown() -> None:
    assert "word" not in repr(SmtpPost(f"smtp://user:{PASSWORD}@host", SENDER))
