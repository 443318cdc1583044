"""Telegram: the group that gets the reports. The bot's token is part of every address and never of an error."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

from synkro.i18n import _l
from synkro.integrations.base import Act, Check, Field, Integration, Preview, Proof
from synkro.integrations.errors import ApiError, Gone, Lost, Nonsense, Refused, Unsure
from synkro.integrations.http.calls import HttpAnswer, Pace
from synkro.integrations.http.client import HttpClient, HttpConnection
from synkro.integrations.reading import words
from synkro.integrations.telegram.errors import SENTENCES, check_answer
from synkro.integrations.telegram.text import MESSAGE_LIMIT, escape, length

HOST = "https://api.telegram.org"
TOKEN = re.compile(r"[1-9]\d{5,15}:[A-Za-z0-9_-]{30,60}", re.ASCII)
CHAT = re.compile(r"-?[1-9]\d{0,15}|@[A-Za-z][A-Za-z0-9_]{4,31}", re.ASCII)
LONGEST_NAME = 255
GENERAL_TOPIC = 1
"""The topic that every forum has. Named in a request it "does not exist": it is meant when none is named."""
BOT_PER_SECOND = 25
"""The vendor allows about 30 a second for a bot ..."""
CHAT_PER_SECOND = 18 / 60
"""... and 20 a minute in a group. Turns are evenly spaced, so the limit of one a second in a chat is kept too."""

MOST_UPDATES = 100
"""The vendor's limit for one answer of getUpdates."""

SEND_SECONDS = 300
"""With the wait for a turn: cut short by a queue in front of the group, a message would count as perhaps sent."""


@dataclass(frozen=True, slots=True)
class Bot:
    """The account that the token belongs to."""

    id: int
    username: str
    can_join: bool = True
    """May be added to groups."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Updates that wait for the bot. is_cut: there were too many, and those before these are forgotten now."""

    updates: list[Any]
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Where messages go. type: private, group, supergroup or channel. may_send: what ordinary members may do."""

    id: int
    title: str
    type: str
    is_forum: bool
    may_send: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that arrived. chat_id: where it is now; with the notice telegram_migrated it has to be saved.

    notice: code of what people should know about how it arrived, or None.
    """

    message_id: int
    chat_id: int
    notice: str | None = None


class Telegram(Integration):
    kind = "telegram"
    acts = (Act("chats", is_lasting=True), Act("message"), Act("report", 60))
    proof = Proof(act="message", step="notify_telegram")
    left = _l("The test message is left")
    title = _l("Telegram")
    is_tried_to_set_up = True
    fields = (
        Field("bot_token", _l("Bot token"), hint=_l("From @BotFather. It looks like 123456789:AAE…")),
        Field(
            "chat_id",
            _l("Chat ID"),
            show=True,
            required=False,
            destination=True,
            hint=_l("Leave it empty: Synkro finds the group by a code. Or type it, for groups with a minus."),
        ),
        Field(
            "message_thread_id",
            _l("Topic ID"),
            show=True,
            required=False,
            hint=_l("Only for a group with topics. Empty: the general topic."),
        ),
    )
    sentences = SENTENCES

    def connect(self, http_client: HttpClient) -> HttpConnection:
        """Raises Refused where a setting has not the form that the vendor gives it."""
        token = self.settings["bot_token"].strip()
        self.chat_id = self.settings.get("chat_id", "").strip()
        topic = self.settings.get("message_thread_id", "").strip()
        if not TOKEN.fullmatch(token):
            raise Refused("telegram_token_form")
        if self.chat_id and not CHAT.fullmatch(self.chat_id):
            raise Refused("telegram_chat_form")
        if topic and not re.fullmatch(r"\d{1,15}", topic, re.ASCII):
            raise Refused("telegram_topic_form")
        self.topic = int(topic) if topic and int(topic) > GENERAL_TOPIC else None
        bot = f"tg:{token.partition(':')[0]}"
        paces = {"bot": Pace(bot, BOT_PER_SECOND), "chat": Pace(f"{bot}:{self.chat_id}", CHAT_PER_SECOND)}
        return http_client.open(self.kind, "Telegram", f"{HOST}/bot{token}", check_answer=check_answer, paces=paces)

    def check(self) -> Check:
        """The bot, the chat, its rights there, and the "is typing" of the bot: an effect that disturbs nobody."""
        bot = self.me()
        name = {"bot": bot.username}
        if not self.chat_id:
            return Check("yellow", "telegram_choose_chat" if bot.can_join else "telegram_no_groups", name, "choice")
        try:
            group = self.chat()
            if not self._may_write(bot, group):
                return Check("red", "telegram_no_rights", name)
            self._type()
        except ApiError as error:
            error.params.update(name)
            if error.code not in ("telegram_migrated", "telegram_no_topic"):
                raise
            return Check("yellow", error.code, error.params)
        return Check("green", "telegram_ok", name | {"chat": group.title})

    def _type(self) -> None:
        """A Bot API server that does not know this method says so with 404; then the rights that were read stand."""
        try:
            self._call("sendChatAction", self._target() | {"action": "typing"})
        except Refused as error:
            if error.params.get("status") != 404:
                raise

    def sample(self, count: int = 3) -> list[Preview]:  # noqa: ARG002 -- bots cannot read a group's history
        return []

    def me(self) -> Bot:
        found = self._call("getMe", {})
        return Bot(_id(found), words(found.get("username"), LONGEST_NAME), found.get("can_join_groups") is not False)

    def waiting(self) -> Waiting:
        """What people have written to the bot lately. Looking takes nothing away, unless there is too much to see.

        Raises Refused("telegram_webhook") or ("telegram_polled") where another program reads the bot's updates: its
        address is not taken away from it. Neither an offset, which would confirm what came before it, nor
        allowed_updates, which the vendor remembers for whoever asks next. It shows the earliest hundred only.
        """
        if self._call("getWebhookInfo", {}).get("url"):
            raise Refused("telegram_webhook")
        first = self._updates({})
        return Waiting(first) if len(first) < MOST_UPDATES else Waiting(self._updates({"offset": -MOST_UPDATES}), True)

    def _updates(self, offset: dict[str, int]) -> list[Any]:
        found = self._ask("getUpdates", {"timeout": 0, "limit": MOST_UPDATES} | offset).json_or_none()
        updates = found.get("result") if isinstance(found, dict) else None
        if not isinstance(updates, list):
            raise Nonsense("unexpected_shape", service="Telegram")
        return updates

    def chat(self) -> Group:
        found = self._call("getChat", {"chat_id": self._chat()})
        rights = found.get("permissions")
        return Group(
            id=_id(found),
            title=words(found.get("title"), LONGEST_NAME) or words(found.get("username"), LONGEST_NAME),
            type=str(found.get("type", "")),
            is_forum=found.get("is_forum") is True,
            may_send=not isinstance(rights, dict) or rights.get("can_send_messages") is not False,
        )

    def send(self, html: str, plain: str, seconds: float = SEND_SECONDS) -> Sent:
        """One message. plain: the same words without tags, for the case that Telegram does not take the tags.

        seconds: that it may take, after the wait for a turn. Mended at most once each: formatting, a topic that is
        gone, a group that has moved (chat_id is the new one from then on). Raises Unsure("telegram_unknown") where the
        message may have been sent; it is never sent again here.
        """
        if length(plain) > MESSAGE_LIMIT:
            raise Gone("telegram_too_long")
        message: dict[str, Any] = {"text": html, "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}
        notices: list[str] = []
        while True:
            try:
                found = self._deliver(self._target() | message, seconds)
            except Gone as error:
                if error.code in notices or not self._mend(error, message, plain):
                    raise
                notices.append(error.code)
                continue
            moved = "telegram_migrated" if "telegram_migrated" in notices else None
            return Sent(*found, moved or next(iter(notices), None))

    def test_message(self, text: str, seconds: float = SEND_SECONDS) -> Sent:
        """Sends plain text, for a person who wants to see it arrive."""
        return self.send(escape(text), text, seconds)

    def _mend(self, error: Gone, message: dict[str, Any], plain: str) -> bool:
        """Takes out of the way what Telegram named. False: there is nothing that we could change."""
        if error.code == "telegram_migrated":
            self.chat_id = str(error.params["chat_id"])
            return True
        if error.code == "telegram_no_topic" and self.topic is not None:
            self.topic = None
            return True
        if error.code == "telegram_plain" and message.pop("parse_mode", None):
            message["text"] = plain
            return True
        return False

    def _deliver(self, payload: dict[str, Any], seconds: float) -> tuple[int, int]:
        """The ids of the message and of its chat.

        On a new connection: of a kept one that breaks nobody could tell whether it still carried the request.
        """
        self.http.close()
        try:
            answer = self.http.post(
                "/sendMessage",
                payload,
                pace=("bot", "chat"),
                tries=3,
                final=(Lost, Nonsense),
                deadline_seconds=seconds,
            )
        except (Lost, Nonsense) as error:
            if error.code == "unexpected_shape":  # a redirect and its like: turned away before the bot's server
                raise
            raise Unsure("telegram_unknown") from None
        found = _result(answer)
        chat = found.get("chat")
        ids = found.get("message_id"), chat.get("id") if isinstance(chat, dict) else None
        if not all(isinstance(one, int) for one in ids):
            raise Unsure("telegram_unknown")
        return cast("tuple[int, int]", ids)

    def _may_write(self, bot: Bot, group: Group) -> bool:
        """Raises Refused("telegram_removed") where the bot is not in the chat. A private chat has no members."""
        if group.type == "private":
            return True
        member = self._call("getChatMember", {"chat_id": self._chat(), "user_id": bot.id})
        status = member.get("status")
        if status in ("left", "kicked"):
            raise Refused("telegram_removed")
        if group.type == "channel":
            return status == "creator" or member.get("can_post_messages") is True
        if status == "restricted":
            return member.get("can_send_messages") is True
        return status in ("creator", "administrator") or group.may_send

    def _target(self) -> dict[str, Any]:
        return {"chat_id": self._chat()} | ({} if self.topic is None else {"message_thread_id": self.topic})

    def _chat(self) -> int | str:
        if not self.chat_id:
            raise Gone("telegram_choose_chat")
        return self.chat_id if self.chat_id.startswith("@") else int(self.chat_id)

    def _call(self, method: str, payload: dict[str, Any]) -> dict[str, Any]:
        """A method whose repetition does no harm."""
        return _result(self._ask(method, payload))

    def _ask(self, method: str, payload: dict[str, Any]) -> HttpAnswer:
        return self.http.post(f"/{method}", payload, pace=("bot",), tries=3, read_seconds=15)


def _result(answer: HttpAnswer) -> dict[str, Any]:
    """The object in an answer; empty where there is none, as for methods that answer `true`."""
    body = answer.json_or_none()
    found = body.get("result") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _id(found: dict[str, Any]) -> int:
    if not isinstance(found.get("id"), int):
        raise Nonsense("unexpected_shape", service="Telegram")
    return int(found["id"])
