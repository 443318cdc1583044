"""The words for where a thing stands, and the moves between them. These words are stored, shown and logged alike."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    SUPER_ADMIN = "super_admin"
    ADMIN_LITE = "admin_lite"
    USER = "user"


COLOURS = ("green", "yellow", "red")


STAFF = frozenset({Role.SUPER_ADMIN, Role.ADMIN_LITE})


class Topic(StrEnum):
    """What a company tells the model: what to look for, and what is true of its products and prices."""

    TASK = "task"
    KNOWLEDGE = "knowledge"


class TenantStatus(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    DELETING = "deleting"


class RunKind(StrEnum):
    """Why a run exists. All but manual are unique for their window."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    MANUAL = "manual"


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class StepStatus(StrEnum):
    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


ACTIVE_RUN = (RunStatus.QUEUED, RunStatus.RUNNING)

RUN_MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.CANCELLED}),
    RunStatus.RUNNING: frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED}),
    RunStatus.FAILED: frozenset({RunStatus.QUEUED}),
    RunStatus.CANCELLED: frozenset({RunStatus.QUEUED}),
    RunStatus.SUCCEEDED: frozenset({RunStatus.QUEUED}),
    RunStatus.SKIPPED: frozenset(),
}
"""Back to queued is a person's "continue from step N"."""

STEP_MOVES: dict[StepStatus, frozenset[StepStatus]] = {
    StepStatus.PENDING: frozenset({StepStatus.READY, StepStatus.CANCELLED}),
    StepStatus.READY: frozenset({StepStatus.RUNNING, StepStatus.CANCELLED}),
    StepStatus.RUNNING: frozenset({StepStatus.DONE, StepStatus.READY, StepStatus.FAILED, StepStatus.CANCELLED}),
    StepStatus.DONE: frozenset({StepStatus.PENDING, StepStatus.READY}),
    StepStatus.FAILED: frozenset({StepStatus.READY, StepStatus.PENDING}),
    StepStatus.CANCELLED: frozenset({StepStatus.READY, StepStatus.PENDING}),
    StepStatus.SKIPPED: frozenset(),
}


class ReportStatus(StrEnum):
    READY = "ready"
    FIGURES_ONLY = "figures_only"


class DeliveryStatus(StrEnum):
    """sending is written before the call: a part found in it after a crash may have arrived, so it becomes unknown."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
