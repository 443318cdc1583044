"""Reading the demonstration company itself from dialogs/company.json: people, pipelines, reasons, messengers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from synkro.sandbox.world import LOST, WON, Connection, LossReason, Pipeline, Status, User


class Company:
    """The file's records under the keys by which its cases name them."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.subdomain: str = data["subdomain"]
        self.name: str = data["company"]
        self.users = _users(data["users"])
        self.pipelines = _pipelines(data["pipelines"])
        self._stages = {pipeline["key"]: list(pipeline["stages"]) for pipeline in data["pipelines"]}
        self.loss_reasons = {name: LossReason(30_001 + i, name) for i, name in enumerate(data["loss_reasons"])}
        self.connections = {
            item["key"]: Connection(7_001 + i, item["type"], item["name"]) for i, item in enumerate(data["connections"])
        }

    def status_id(self, pipeline: str, stage: str) -> int:
        """The status of a stage, both by their keys."""
        return self.pipelines[pipeline].statuses[self._stages[pipeline].index(stage)].id


def _users(users: list[dict[str, Any]]) -> dict[str, User]:
    return {
        user["key"]: User(
            9_000_001 + i, user["name"], user["email"], user.get("admin", False), user.get("active", True)
        )
        for i, user in enumerate(users)
    }


def _pipelines(pipelines: list[dict[str, Any]]) -> dict[str, Pipeline]:
    return {
        pipeline["key"]: Pipeline(
            7_000_001 + i,
            pipeline["name"],
            tuple(_statuses(70_000_011 + 100 * i, pipeline["stages"])),
            is_main=i == 0,
        )
        for i, pipeline in enumerate(pipelines)
    }


def _statuses(first_id: int, stages: dict[str, str]) -> Iterator[Status]:
    for number, (key, name) in enumerate(stages.items()):
        status_id = {"won": WON, "lost": LOST}.get(key, first_id + number)
        yield Status(status_id, name, 10 * (number + 1), kind=1 if key == "unsorted" else 0)
