"""Who forgot a password gets a letter, chooses a new one, and every browser that was in is out."""

from __future__ import annotations

import email
import re
from dataclasses import replace
from email import policy

import pytest
from flask import Flask
from redis import Redis

from synkro.extensions import redis, remember, settings, vault
from synkro.infra import queue
from synkro.infra.queue import JSONSerializer
from synkro.jobs.engine.worker import Worker
from synkro.models import User
from tests.browser.conftest import Opener
from tests.conftest import PASSWORD
from tests.support.browser.person import Person

NEW = "kettle anchor violet ninety"


def link_to(person: Person, store: Redis) -> str:
    """Out of the latest letter to this person, after the worker has sent what waits."""
    checks = queue.queue(queue.CHECKS, store)
    Worker([checks], connection=store, serializer=JSONSerializer, log_job_description=False).work(
        burst=True, logging_level="ERROR"
    )
    letters = [
        email.message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in sorted((settings().var_dir / "mail").glob("*.eml"))
    ]
    body = [letter for letter in letters if letter["To"] == person.email][-1].get_body(("plain",))
    assert body is not None
    found = re.search(r"https?://\S+/reset\?t=\S+", body.get_content())
    assert found
    return found[0]


@pytest.fixture
def owner(app: Flask, site: str, window: Opener, cast: dict[str, User]) -> Person:
    remember(app, replace(settings(), base_url=site), vault(), redis())
    return Person(window(locale="en-US"), cast["user"].email)


def test_a_new_password_by_letter_signs_out_the_old_browsers(owner: Person, window: Opener, store: Redis) -> None:
    elsewhere = Person(window(locale="en-US"), owner.email)
    elsewhere.signs_in(PASSWORD)
    elsewhere.page.wait_for_url("**/dashboard")

    owner.window.open("/login")
    owner.follows("Forgot the password?")
    owner.types("E-mail", owner.email)
    owner.presses("Ask for a link")
    owner.reads("Your request was written down")
    owner.page.goto(link := link_to(owner, store))
    owner.sees("A new password")
    assert "t=" not in owner.page.url
    owner.types("New password", "short")
    owner.presses("Set the new password")
    owner.sees("A new password")
    assert owner.page.get_by_label("New password", exact=True).get_attribute("aria-invalid") == "true"
    owner.types("New password", NEW)
    owner.presses("Set the new password")
    owner.sees("Sign in to Synkro")
    owner.types("Password", NEW)
    owner.presses("Sign in")
    owner.page.wait_for_url("**/dashboard")

    elsewhere.page.reload()
    assert elsewhere.window.path == "/login"
    elsewhere.signs_in(PASSWORD)
    elsewhere.reads("The e-mail or the password is wrong.")
    elsewhere.page.goto(link)
    elsewhere.sees("This link no longer works")
    assert [one.window.faults for one in (owner, elsewhere)] == [[], []]
