"""What a company tells the model, in versions: its task, and what it knows of its own products and prices."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text

from synkro.analysis.ai.prompt import KNOWLEDGE_LIMIT, TASK_LIMIT
from synkro.analysis.text.cleaning import clean, one_line
from synkro.errors import AppError
from synkro.i18n import _l
from synkro.infra import clock
from synkro.models import Prompt, User
from synkro.models.states import Topic
from synkro.services import audit
from synkro.services.shared import paging
from synkro.services.shared.paging import Page
from synkro.tenancy import current_tenant_id, db, end_reading

LIMITS = {Topic.TASK: TASK_LIMIT, Topic.KNOWLEDGE: KNOWLEDGE_LIMIT}
"""Characters."""
PAGE = 20
FIRST_WORDS = 120
LONGEST_SENT = 500_000
"""Beyond it nothing is counted: no form of ours takes more."""


@dataclass(frozen=True, slots=True)
class Text:
    """version 0: nothing was ever saved. body '': the product's own text for the task, nothing for the knowledge."""

    version: int
    body: str


@dataclass(frozen=True, slots=True)
class Version:
    """by: who saved it, '' where nobody is left. words: how it begins. length: characters."""

    version: int
    at: datetime
    by: str
    words: str
    length: int


class StaleVersion(AppError):
    """Somebody else has saved a version since this one was read."""

    def __init__(self) -> None:
        super().__init__(
            409, "prompt_overtaken", _l("Somebody else has saved this text in the meantime. Yours is not saved yet.")
        )


def current(topic: Topic) -> Text:
    """What is in force."""
    found = _newest(topic)
    end_reading()
    return found


def save(topic: Topic, body: str, by: uuid.UUID | None, *, read: int | None = None) -> int:
    """The number of the version that holds the text now: a new one, unless it is in force already.

    body: '' for the product's own. read: the version that the writer had before him, None to save over any. What
    cannot be shown is left out of the text. Raises StaleVersion, AppError 422 "prompt_too_long".
    """
    return _add(topic, _checked(topic, body), by, read, None)


def restore(topic: Topic, version: int, by: uuid.UUID | None) -> int:
    """An earlier text as a new version. Raises AppError 404."""
    return _add(topic, find(topic, version).body, by, None, version)


def find(topic: Topic, version: int) -> Prompt:
    """Raises AppError 404."""
    statement = select(Prompt).where(Prompt.topic == topic, Prompt.version == version)
    found = db.session.execute(statement).scalar_one_or_none()
    if found is None:
        raise AppError(404, "no_version", _l("There is no such version"))
    return found


def written_by(prompt: Prompt) -> str:
    author = db.session.get(User, prompt.created_by) if prompt.created_by else None
    return _name(author.name, author.email) if author else ""


def history(topic: Topic, page: int = 1) -> Page[Version]:
    """Newest first. Numbers have no gaps, so that the newest one says how many there are."""
    beginning = func.left(Prompt.body, 4 * FIRST_WORDS)
    columns = (Prompt.version, Prompt.created_at, User.name, User.email, beginning, func.length(Prompt.body))
    statement = (
        select(*columns)
        .outerjoin(User, User.id == Prompt.created_by)
        .where(Prompt.topic == topic)
        .order_by(Prompt.version.desc())
    )
    found = paging.read(statement, _newest(topic).version, page, PAGE)
    return found.of(
        [
            Version(version, at, _name(name, email), one_line(words, FIRST_WORDS), length)
            for version, at, name, email, words, length in found.rows
        ]
    )


def _name(name: str | None, email: str | None) -> str:
    return name or email or ""


def _newest(topic: Topic) -> Text:
    statement = select(Prompt.version, Prompt.body).where(Prompt.topic == topic).order_by(Prompt.version.desc())
    found = db.session.execute(statement.limit(1)).one_or_none()
    return Text(found.version, found.body) if found else Text(0, "")


def _checked(topic: Topic, body: str) -> str:
    shown = clean(body, LONGEST_SENT)
    if len(shown) > LIMITS[topic]:
        counts = {"length": str(len(shown)), "most": str(LIMITS[topic])}
        says = _l("The text has %(length)s characters, at most %(most)s are possible", **counts)
        raise AppError(422, "prompt_too_long", says)
    return shown


def _add(topic: Topic, body: str, by: uuid.UUID | None, read: int | None, restored: int | None) -> int:
    tenant_id = current_tenant_id()
    # two who save at once wait for each other: each number is given once, and none is left out
    turn = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
    db.session.execute(turn, {"name": f"prompt {tenant_id} {topic}"})
    newest = _newest(topic)
    if newest.body == body:
        db.session.commit()
        return newest.version
    if read is not None and read != newest.version:
        db.session.rollback()
        raise StaleVersion
    version = newest.version + 1
    row = Prompt(tenant_id=tenant_id, topic=topic, version=version, body=body, created_by=by, created_at=clock.now())
    db.session.add(row)
    if restored is None:
        audit.record("prompt_saved", "prompt", topic, version=version, characters=len(body))
    else:
        audit.record("prompt_restored", "prompt", topic, version=version, characters=len(body), restored=restored)
    db.session.commit()
    return version
