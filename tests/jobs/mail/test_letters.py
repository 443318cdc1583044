"""Letters on their way out: sent once, tried again, given up, and emptied as soon as they have left."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from redis import Redis
from sqlalchemy import select, update

from synkro.extensions import redis, remember, settings, vault
from synkro.infra import queue
from synkro.infra.queue import JSONSerializer
from synkro.jobs.engine import tick
from synkro.jobs.engine.worker import Worker
from synkro.jobs.mail import letters as post
from synkro.jobs.mail.duties import look_after
from synkro.mail import Letter
from synkro.models import StoredLetter, User
from synkro.services.auth import forgotten
from synkro.services.mail import outbox
from synkro.tenancy import db, system_scope
from tests.support.having import assert_has
from tests.support.mailbox import Mailbox, serve, silent

Cast = dict[str, User]
LETTER = Letter("user@example.com", "Subject", "text", "<p>text</p>", "ru")


@pytest.fixture
def box(app: Flask) -> Iterator[Mailbox]:
    """A server that letters of the program go to."""
    with serve(None) as box:
        use(app, f"smtp://{box.url}?starttls=never")
        yield box


def use(app: Flask, url: str) -> None:
    remember(app, replace(settings(), mail_url=url), vault(), redis())


def put(user: User, hours: float = 24) -> uuid.UUID:
    with system_scope("test: a letter"):
        letter_id = outbox.put(user.id, LETTER, datetime.now(UTC) + timedelta(hours=hours))
        db.session.commit()
    return letter_id


def row(letter_id: uuid.UUID) -> StoredLetter:
    with system_scope("test: a letter"):
        return db.session.get_one(StoredLetter, letter_id)


def drain(store: Redis) -> None:
    checks = queue.queue(queue.CHECKS, store)
    worker = Worker([checks], connection=store, serializer=JSONSerializer, log_job_description=False)
    worker.work(burst=True, logging_level="ERROR")


def queue_state(store: Redis) -> int:
    return len(queue.queue(queue.CHECKS, store).jobs)


def later(**time: float) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + timedelta(**time), tick=False)


def test_a_letter_that_was_enqueued_is_sent(cast: Cast, box: Mailbox, store: Redis) -> None:
    outbox.enqueue(put(cast["user"]))
    drain(store)
    assert [letter["To"] for letter in box.taken] == ["user@example.com"]


def test_what_has_left_is_emptied(cast: Cast, box: Mailbox) -> None:
    letter_id = put(cast["user"])
    post.send(str(letter_id))
    sent = row(letter_id)
    assert_has(sent, sealed=None, next_at=None, code="")
    assert sent.sent_at is not None


def test_without_a_server_it_becomes_a_file(app: Flask, cast: Cast) -> None:
    post.send(str(letter_id := put(cast["user"])))
    (path,) = (settings().var_dir / "mail").glob(f"*{letter_id}.eml")
    assert "To: user@example.com" in path.read_text(encoding="utf-8")


def test_of_many_workers_one_sends(app: Flask, cast: Cast, box: Mailbox) -> None:
    letter_id = str(put(cast["user"]))

    def work(_n: int) -> None:
        with app.app_context():
            post.send(letter_id)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(12)))
    assert len(box.taken) == 1


def test_a_letter_is_tried_five_times_and_then_given_up(cast: Cast, box: Mailbox) -> None:
    box.answers["RCPT"] = "450 later"
    letter_id = put(cast["user"])
    for hours in range(0, 40, 5):
        with later(hours=hours / 2):
            post.send(str(letter_id))
    given_up = row(letter_id)
    assert_has(given_up, tries=5, sealed=None, code="mail_address_refused")


def test_between_two_tries_there_is_a_pause(cast: Cast, box: Mailbox) -> None:
    box.answers["RCPT"] = "450 later"
    letter_id = put(cast["user"])
    post.send(str(letter_id))
    post.send(str(letter_id))
    assert row(letter_id).tries == 1


def test_a_refusal_for_good_is_not_tried_again(cast: Cast, box: Mailbox) -> None:
    box.answers["RCPT"] = "550 nobody"
    letter_id = put(cast["user"])
    post.send(str(letter_id))
    assert row(letter_id).next_at is None
    assert outbox.failure_of_letter(cast["user"].id) == "mail_address_refused"


def test_what_is_sent_at_last_is_no_trouble(cast: Cast, box: Mailbox) -> None:
    box.answers["DATA"] = "451 later"
    letter_id = put(cast["user"])
    post.send(str(letter_id))
    box.answers.clear()
    with later(minutes=2):
        post.send(str(letter_id))
    assert len(box.taken) == 1
    assert outbox.failure_of_letter(cast["user"].id) == ""


def test_a_server_that_dribbles_is_left_at_the_deadline(
    app: Flask, cast: Cast, store: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SEND_SECONDS", 1)
    letter_id = put(cast["user"])
    with silent(b"2") as address:
        use(app, f"smtp://{address}?starttls=never")
        outbox.enqueue(letter_id)
        drain(store)
    stuck = row(letter_id)
    assert_has(stuck, code="mail_too_long", sent_at=None)
    assert stuck.next_at is not None


def test_a_lost_job_is_enqueued_again_by_the_tick(cast: Cast, store: Redis) -> None:
    put(cast["user"])
    tick.tick()
    assert queue_state(store) == 0
    with later(minutes=2):
        tick.tick()
    assert queue_state(store) == 1


def test_a_letter_of_a_dead_worker_is_enqueued_again(cast: Cast, box: Mailbox, store: Redis) -> None:
    letter_id = put(cast["user"])
    assert outbox.claim(letter_id) is not None
    with later(minutes=6):
        look_after()
        drain(store)
    assert len(box.taken) == 1


def test_what_comes_too_late_is_not_sent(cast: Cast, box: Mailbox) -> None:
    letter_id = put(cast["user"], hours=1)
    with later(minutes=61):
        post.send(str(letter_id))
        look_after()
    late = row(letter_id)
    assert box.taken == []
    assert_has(late, sealed=None, code="mail_late")


def test_what_is_long_over_is_forgotten(cast: Cast) -> None:
    put(cast["user"], hours=1)
    with later(days=31):
        look_after()
        look_after()
    with system_scope("test: letters"):
        assert db.session.execute(select(StoredLetter)).first() is None


def test_a_letter_of_another_key_is_given_up(cast: Cast, box: Mailbox) -> None:
    letter_id, other = put(cast["user"]), put(cast["other"])
    with system_scope("test: a sealed value in another row"):
        sealed = row(other).sealed
        db.session.execute(update(StoredLetter).where(StoredLetter.id == letter_id).values(sealed=sealed))
        db.session.commit()
    post.send(str(letter_id))
    assert box.taken == []
    assert row(letter_id).code == "mail_unreadable"


def test_a_letter_that_is_not_there_is_nothing(app: Flask) -> None:
    post.send(str(uuid.uuid4()))


def test_who_forgot_a_password_gets_the_link(cast: Cast, box: Mailbox, store: Redis) -> None:
    forgotten.ask("user@example.com", "192.0.2.9")
    drain(store)
    (letter,) = box.taken
    body = letter.get_body(("plain",))
    assert body is not None
    assert "/reset?t=" in body.get_content()
    assert "192.0.2.9" in body.get_content()


def test_a_stranger_gets_nothing(cast: Cast, box: Mailbox, store: Redis) -> None:
    forgotten.ask("nobody@example.com", "192.0.2.9")
    drain(store)
    assert box.taken == []
