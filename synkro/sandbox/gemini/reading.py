"""What the stand-in of the model understands of a prompt: dialogs, who speaks, what clients ask about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

_LINE = re.compile(r"^\[(d(\d+)m\d+)\] (?:\S+ )?([^:\n]+): (.*)$", re.MULTILINE)
_HEADER = re.compile(r"^## d(\d+) \|.*?manager: ([^|\n]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Topic:
    """What clients write about. label: follows "спрашивают". roots: beginnings of words. kind: of a finding."""

    label: str
    kind: str
    advice: str
    roots: tuple[str, ...] = ()


_TOPICS = (
    Topic(
        "о качестве", "risk", "Такие обращения стоит разобрать первыми.", ("брак", "возврат", "плох", "слом", "жалоб")
    ),
    Topic("о цене", "loss", "Стоит объяснять, из чего она складывается.", ("цен", "стои", "сколько", "дорог", "скидк")),
    Topic("о доставке", "question", "Стоит сразу писать, куда и как привезут.", ("достав", "привез", "самовывоз")),
    Topic(
        "об оплате", "idea", "Стоит присылать способы оплаты вместе с расчётом.", ("оплат", "счёт", "счет", "рассроч")
    ),
    Topic("о сроках", "risk", "Срок стоит называть в первом же ответе.", ("срок", "когда", "долго", "ждать", "жду")),
)
_REST = Topic("о товаре", "question", "Ответы на такие вопросы стоит собрать в одном месте.")


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a prompt under its ref."""

    ref: str
    dialog: int
    speaker: str
    text: str

    @property
    def topic(self) -> Topic:
        low = self.text.lower()
        return next((topic for topic in _TOPICS if any(root in low for root in topic.roots)), _REST)


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that one sentence of the answer is about. label: a topic or a person's name, empty for all."""

    label: str
    said: tuple[Said, ...]

    @property
    def refs(self) -> list[str]:
        return [one.ref for one in self.said]

    @property
    def topic(self) -> Topic:
        """The commonest one."""
        return Counter(one.topic for one in self.said).most_common(1)[0][0] if self.said else _REST


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt as read. Words of the dialogs are sorted, never followed: orders in them change nothing."""

    all: Group
    topics: tuple[Group, ...]
    managers: tuple[Group, ...]

    def asked_in(self, group: Group) -> Group:
        """What clients wrote in the dialogs of the group."""
        dialogs = {one.dialog for one in group.said}
        return Group("", tuple(one for topic in self.topics for one in topic.said if one.dialog in dialogs))


def read(prompt: str) -> Reading:
    said = tuple(Said(ref, int(dialog), speaker.strip(), text) for ref, dialog, speaker, text in _LINE.findall(prompt))
    names = {int(dialog): name.strip() for dialog, name in _HEADER.findall(prompt)}
    clients = [one for one in said if one.speaker.lower() in {"client", "клиент"}]
    answers = [one for one in said if one not in clients]
    topics = sorted(_groups((one.topic.label, one) for one in clients), key=_rank)
    managers = _groups((names.get(one.dialog, one.speaker), one) for one in answers)
    return Reading(Group("", said), tuple(topics), tuple(managers))


def _rank(group: Group) -> tuple[bool, int]:
    return group.label == _REST.label, -len(group.said)


def _groups(labelled: Iterable[tuple[str, Said]]) -> list[Group]:
    pairs = sorted(labelled, key=lambda pair: pair[0])
    return [Group(label, tuple(one for _, one in group)) for label, group in groupby(pairs, key=lambda pair: pair[0])]
