"""A synthetic company of any size for measurements: records are made when they are asked for, never kept."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar, overload

from synkro.sandbox.world import (
    LOST,
    WON,
    Chat,
    Connection,
    Contact,
    Lead,
    LossReason,
    Message,
    Pipeline,
    RadistContact,
    Status,
    User,
    World,
)

T = TypeVar("T")

_MANAGERS = 8
_OPEN_STATUSES = (70_000_012, 70_000_013)
_TEXTS = (
    "Здравствуйте, подскажите цену на кухню три метра с техникой",
    "Добрый день! Пришлите, пожалуйста, размеры и фото помещения, посчитаем сегодня",
    "Сәлеметсіз бе, бөліп төлеуге бола ма? Жеткізу қанша тұрады?",
    "Иә, болады. Жеткізу қала ішінде тегін, құрастыру бағаға кіреді",
    "Спасибо, подумаем и напишем завтра после обеда",
)


class Made(Sequence[T]):
    """A read-only sequence whose items come from a function of their position."""

    def __init__(self, length: int, make: Callable[[int], T]) -> None:
        self._length = length
        self._make = make

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self._make(i) for i in range(*index.indices(self._length))]
        return self._make(range(self._length)[index])


def big_world(
    leads: int,
    chats: int,
    messages_per_chat: int,
    now: datetime,
    window: timedelta = timedelta(days=1),
) -> World:
    """All leads and messages fall into `[now - window, now)`; chat n belongs to the phone of lead n, if there is one.

    The number of messages is the same in every chat, and they are spread evenly over the window.
    """
    start = now - window
    people = Made(chats, lambda i: _person(i, messages_per_chat, start, window))
    return World(
        now=now,
        account_id=31_000_002,
        subdomain="big-practice",
        company="Большая Практика",
        radist_company_id=100_002,
        users=tuple(
            User(9_100_000 + i, f"Менеджер {i}", f"m{i}@example.com", is_admin=i == 0) for i in range(_MANAGERS)
        ),
        pipelines=(_pipeline(),),
        loss_reasons=(LossReason(30_001, "Дорого"),),
        leads=Made(leads, lambda i: _lead(i, leads, start, window)),
        contacts=Made(leads, lambda i: _contact(i, int(start.timestamp()))),
        connections=(Connection(7_001, "whatsapp", "WhatsApp"),),
        radist_contacts=people,
    )


def _pipeline() -> Pipeline:
    names = {70_000_011: "Неразобранное", 70_000_012: "Новая", 70_000_013: "Расчёт", WON: "Продано", LOST: "Отказ"}
    statuses = (Status(key, name, 10 * i, kind=int(i == 0)) for i, (key, name) in enumerate(names.items()))
    return Pipeline(7_000_001, "Продажи", tuple(statuses), is_main=True)


def _lead(number: int, total: int, start: datetime, window: timedelta) -> Lead:
    updated_at = int((start + window * number / total).timestamp())
    status_id = {0: WON, 1: LOST}.get(number % 10, _OPEN_STATUSES[number % 2])
    closed = status_id in {WON, LOST}
    return Lead(
        id=82_000_001 + number,
        name=f"Сделка {number}",
        price=100_000 + number % 40 * 50_000,
        pipeline_id=7_000_001,
        status_id=status_id,
        responsible_user_id=9_100_000 + number % _MANAGERS,
        created_at=updated_at - 86_400 * (number % 30 + 1),
        updated_at=updated_at,
        closed_at=updated_at if closed else None,
        loss_reason_id=30_001 if status_id == LOST else None,
        contact_ids=(92_000_001 + number,),
    )


def _contact(number: int, updated_at: int) -> Contact:
    manager_id = 9_100_000 + number % _MANAGERS
    return Contact(92_000_001 + number, f"Клиент {number}", (f"+{_phone(number)}",), manager_id, updated_at)


def _person(number: int, messages: int, start: datetime, window: timedelta) -> RadistContact:
    phone = _phone(number)
    flow = Made(messages, lambda i: _message(number, i, start + window * i / messages))
    chat = Chat(11_000_001 + number, 7_001, f"{phone}@c.us", f"Клиент {number}", phone, flow)
    return RadistContact(21_000_001 + number, f"Клиент {number}", (chat,))


def _phone(number: int) -> str:
    return f"7709{number:07d}"


def _message(chat: int, number: int, at: datetime) -> Message:
    return Message(
        id=str(uuid.UUID(int=(4 << 76) + (2 << 62) + (chat << 32) + number)),
        at=at.replace(microsecond=0),
        direction="inbound" if (chat + number) % 3 else "outbound",
        text=_TEXTS[(chat + number) % len(_TEXTS)],
    )
