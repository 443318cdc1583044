"""What a step is, and what the runtime gives it to work with."""

from __future__ import annotations

import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from synkro.extensions import settings
from synkro.integrations.base import Integration
from synkro.models.runs import JobRun
from synkro.services.connections import integrations
from synkro.services.reports import artifacts, steps
from synkro.services.reports.artifacts import ArtifactPage
from synkro.services.reports.steps import LeaseLost, StepClaim
from synkro.tenancy import apply_scope, db

Client = TypeVar("Client", bound=Integration)
BEAT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Done:
    """A step came to its end. code: a remark in yellow, None when all went well. params: what its sentence needs.

    notices: codes of what is worth knowing although it is in order; they never change the colour.
    """

    code: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    @property
    def colour(self) -> str:
        return "yellow" if self.code else "green"


class Step(ABC):
    """One of a plan. run() may be called twice, may go on in the middle, and must not hurt."""

    key: ClassVar[str]

    @abstractmethod
    def run(self, ctx: Ctx) -> Done: ...


class LeaseKeeper:
    """Renews the lease from a thread, so that a long call to a vendor does not lose the step."""

    def __init__(self, app: Flask, claim: StepClaim) -> None:
        self._app = app
        self._claim = claim
        self._seconds = settings().lease_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease {claim.key}", daemon=True)
        self.lost = False
        self.done = 0
        self.total: int | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join(timeout=self._seconds)

    def _beat(self) -> None:
        while not self._over.wait(self._seconds / 3):
            with self._app.app_context():
                self.renew()

    def renew(self) -> None:
        """A database that is away for a moment is no loss: the lease lives on, and the next beat tries again."""
        try:
            with db.engine.begin() as connection:
                apply_scope(connection, self._claim.tenant_id)
                self.lost = not steps.renew(connection, self._claim, self._seconds, self.done, self.total)
        except SQLAlchemyError:
            return


class Ctx:
    """The run, the tenant's connections, and the pages that steps hand over."""

    def __init__(self, claim: StepClaim, run: JobRun, lease_keeper: LeaseKeeper) -> None:
        self.claim = claim
        self.run = run
        self.cursor = dict(claim.cursor)
        self._lease_keeper = lease_keeper
        self._beaten = 0.0

    @property
    def start(self) -> datetime:
        return self.run.window_start

    @property
    def end(self) -> datetime:
        return self.run.window_end

    def connect(self, cls: type[Client]) -> Client:
        """The tenant's connection to a service. Raises NotConnected."""
        client = integrations.build(cls.kind)
        if not isinstance(client, cls):
            raise TypeError(cls.kind)
        return client

    def beat(self, done: int | None = None, total: int | None = None) -> None:
        """Tell how far the work is. Raises LeaseLost when the step was taken over or the run was stopped."""
        self._lease_keeper.done = self._lease_keeper.done if done is None else done
        self._lease_keeper.total = self._lease_keeper.total if total is None else total
        if time.monotonic() - self._beaten >= BEAT_SECONDS:
            self._beaten = time.monotonic()
            self._lease_keeper.renew()
        if self._lease_keeper.lost:
            raise LeaseLost

    def save(self, name: str, seq: int, rows: Iterable[Any], **meta: Any) -> None:
        """Hand a page over. It is written by the holder of the step or not at all."""
        steps.hold(self.claim)
        artifacts.put(self.run.id, name, seq, list(rows), meta)
        db.session.commit()

    def begin(self, *names: str) -> None:
        """Clear what an earlier round of the run left under these names; a try that goes on keeps its pages."""
        if not self.cursor.get("begun"):
            self.forget(*names)
            self.mark(begun=True)

    def forget(self, *names: str, first: int = 0) -> None:
        """Remove the pages that are about to be made anew, from a number on."""
        steps.hold(self.claim)
        artifacts.forget(self.run.id, names, first)
        db.session.commit()

    def pages(self, name: str, after: int = -1) -> Iterator[ArtifactPage]:
        return artifacts.pages(self.run.id, name, after)

    def page(self, name: str, seq: int = 0) -> ArtifactPage | None:
        return artifacts.get(self.run.id, name, seq)

    def last_meta(self, name: str) -> tuple[int, dict[str, Any]] | None:
        return artifacts.last_meta(self.run.id, name)

    def count(self, name: str) -> int:
        return artifacts.count(self.run.id, name)

    def mark(self, **cursor: Any) -> None:
        """Remember how far a write has come: a resumed try goes on behind it."""
        self.cursor.update(cursor)
        steps.hold(self.claim)
        steps.keep_cursor(self.claim, json.dumps(self.cursor), self._lease_keeper.done, self._lease_keeper.total)
        db.session.commit()
