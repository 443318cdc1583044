"""A stand-in of the Telegram Bot API for one bot in one forum group and the basic group it used to be.

Faults: revoke_token, webhook (its address in value), rival (another program asks for updates), migrate (value: the new
id), flood (value: seconds) and the refusals of _REFUSALS. Settings: flood (counts messages as Telegram does), can_join
(the bot may be added to groups). `GET /__sent` shows the stored messages.

What people do in groups: say (value: a text that somebody writes to the group, in its topic, or {"text", "chat",
"title", "kind", "topic"} for any chat: one that is not known yet is made), remove (value: the chat that the bot is
thrown out of) and upgrade (value: the chat that becomes a supergroup, and "to").
"""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue

from synkro.sandbox.faults import Faults
from synkro.sandbox.keys import Keys
from synkro.sandbox.telegram.chats import Chat, Flood, TelegramError, moved, too_many
from synkro.sandbox.telegram.html import Entity
from synkro.sandbox.telegram.text import MOST_CAPTION, MOST_TEXT, formatted
from synkro.sandbox.telegram.updates import TOPIC, Updates

OLD_GROUP = -4000000001
_MOST_UPLOAD = 50_000_000
_REFUSALS = {
    "kicked": (403, "Forbidden: bot was kicked from the {kind} chat"),
    "not_member": (403, "Forbidden: bot is not a member of the {kind} chat"),
    "group_deleted": (403, "Forbidden: the group chat was deleted"),
    "blocked": (403, "Forbidden: bot was blocked by the user"),
    "topic_closed": (400, "Bad Request: TOPIC_CLOSED"),
    "thread_not_found": (400, "Bad Request: message thread not found"),
    "no_rights": (400, "Bad Request: not enough rights to send {what} to the chat"),
    "parse_error": (400, 'Bad Request: can\'t parse entities: Unsupported start tag "h1" at byte offset 0'),
    "restart": (500, "Internal Server Error: restart"),
}
"""Answers to sendMessage and sendDocument by the name of the fault; the first three meet getChat too."""

_ABSENT = ("kicked", "not_member", "group_deleted")

Params = dict[str, Any]


def create_app(keys: Keys) -> Flask:
    """The API with this one bot."""
    app = Flask(__name__)
    _Api(app, Faults(app, {"flood": True, "can_join": True}), keys)
    return app


class _Api:
    def __init__(self, app: Flask, faults: Faults, keys: Keys) -> None:
        self.faults = faults
        self.token = keys.telegram_token
        self.me = {
            "id": int(keys.telegram_token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Synkro Practice",
            "username": "synkro_practice_bot",
        }
        group = Chat(keys.telegram_chat_id, "supergroup", "Отчёты", is_forum=True, topics={TOPIC})
        self.group = group
        self.chats = {group.id: group, OLD_GROUP: Chat(OLD_GROUP, "group", "Отчёты", moved_to=group.id)}
        self.sent: list[dict[str, Any]] = []
        self.numbers = itertools.count(101)
        self.flood = Flood()
        self.updates = Updates(group, self.me, next(self.numbers))
        self.methods: dict[str, Callable[[Params], Any]] = {
            "getme": self.get_me,
            "getchat": self.get_chat,
            "getchatmember": self.get_chat_member,
            "getupdates": self.get_updates,
            "getwebhookinfo": self.get_webhook_info,
            "sendchataction": self.send_chat_action,
            "sendmessage": self.send_message,
            "senddocument": self.send_document,
        }
        app.register_error_handler(TelegramError, self.refused)
        app.add_url_rule("/__sent", view_func=lambda: jsonify(self.sent), endpoint="sent")
        app.add_url_rule("/bot<token>/<method>", view_func=self.call, methods=["GET", "POST"])

    def call(self, token: str, method: str) -> ResponseReturnValue:
        if (request.content_length or 0) > _MOST_UPLOAD:
            return Response(status=413)
        if not re.fullmatch(r"[1-9]\d{0,15}:[^/]{1,63}", token):
            raise TelegramError(404, "Not Found")
        if token != self.token or self.faults.take("revoke_token"):
            raise TelegramError(401, "Unauthorized")
        if method.lower() not in self.methods:
            raise TelegramError(404, "Not Found: method not found")
        return jsonify(ok=True, result=self.methods[method.lower()](_params()))

    @staticmethod
    def refused(problem: TelegramError) -> ResponseReturnValue:
        after = problem.body.get("parameters", {}).get("retry_after")
        return jsonify(problem.body), problem.code, {"Retry-After": str(after)} if after else {}

    def get_me(self, _: Params) -> Any:
        return {**self.me, "can_join_groups": self.faults["can_join"], "can_read_all_group_messages": False}

    def get_chat(self, params: Params) -> Any:
        chat = self.chat(params, _ABSENT)
        return {**chat.show(), "permissions": {"can_send_messages": True, "can_send_documents": True}}

    def get_chat_member(self, params: Params) -> Any:
        self.chat(params, _ABSENT)
        if str(params.get("user_id", "")) != str(self.me["id"]):
            raise TelegramError(400, "Bad Request: member not found")
        return {"user": self.me, "status": "member"}

    def get_webhook_info(self, _: Params) -> Any:
        hook = self.faults.take("webhook")
        address = (hook.value or "https://example.test/hook") if hook else ""
        return {"url": address, "has_custom_certificate": False, "pending_update_count": self.updates.count()}

    def get_updates(self, params: Params) -> Any:
        if self.faults.take("webhook"):
            text = "Conflict: can't use getUpdates method while webhook is active; "
            raise TelegramError(409, text + "use deleteWebhook to delete the webhook first")
        if self.faults.take("rival"):
            text = "Conflict: terminated by other getUpdates request; "
            raise TelegramError(409, text + "make sure that only one bot instance is running")
        self.hear()
        return self.updates.after(_number(params, "offset", 0), _number(params, "limit", 100))

    def hear(self) -> None:
        """Everything that people have done since somebody asked."""
        while said := self.faults.take("say"):
            told: Params = said.value if isinstance(said.value, dict) else {"text": said.value, "topic": TOPIC}
            self.updates.hear(self.known(told), str(told["text"]), next(self.numbers), int(told.get("topic", 0)))
        while order := self.faults.take("remove"):
            chat = self.known({"chat": order.value})
            chat.is_shut = True
            self.updates.placed(chat, "kicked")
        while order := self.faults.take("upgrade"):
            self.move(self.known(order.value), order.value["to"])

    def known(self, told: dict[str, Any]) -> Chat:
        """The chat of that id, the group where none is named."""
        chat_id = int(told.get("chat", self.group.id))
        if chat_id not in self.chats:
            made = Chat(chat_id, str(told.get("kind", "supergroup")), str(told.get("title", "")))
            self.chats[chat_id] = made
        return self.chats[chat_id]

    def send_message(self, params: Params) -> Any:
        text, entities = formatted(str(params.get("text", "")), _mode(params), MOST_TEXT, "message")
        chat = self.chat(params, tuple(_REFUSALS), "text messages")
        return self.deliver(chat, params, {"text": text, **({"entities": entities} if entities else {})})

    def send_chat_action(self, params: Params) -> Any:
        if params.get("action") != "typing":
            raise TelegramError(400, "Bad Request: wrong parameter action in request")
        self.chat(params, tuple(_REFUSALS), "text messages")
        return True

    def send_document(self, params: Params) -> Any:
        caption, entities = "", list[Entity]()
        if params.get("caption"):
            caption, entities = formatted(str(params["caption"]), _mode(params), MOST_CAPTION, "message caption")
        upload = request.files.get("document")
        if upload is None:
            raise TelegramError(400, "Bad Request: there is no document in the request")
        size = len(upload.read())
        if not size:
            raise TelegramError(400, "Bad Request: file must be non-empty")
        chat = self.chat(params, tuple(_REFUSALS), "documents")
        document = {"file_name": upload.filename, "mime_type": upload.mimetype, "file_size": size}
        document |= {"file_id": "BQ-practice-file", "file_unique_id": "AgPractice"}
        content: dict[str, Any] = {"document": document, **({"caption": caption} if caption else {})}
        return self.deliver(chat, params, {**content, **({"caption_entities": entities} if entities else {})})

    def chat(self, params: Params, refusals: tuple[str, ...], what: str = "") -> Chat:
        """The chat of a call. Raises what Telegram or a fault has against it."""
        wanted = str(params.get("chat_id", ""))
        if not wanted:
            raise TelegramError(400, "Bad Request: chat_id is empty")
        chat = self.chats.get(int(wanted)) if re.fullmatch(r"-?\d+", wanted) else None
        if chat is None:
            raise TelegramError(400, "Bad Request: chat not found")
        if order := self.faults.take("migrate"):
            self.move(chat, int(order.value or -1002000000002))
        if chat.is_shut:
            raise TelegramError(403, f"Forbidden: bot was kicked from the {chat.kind} chat")
        if chat.moved_to is not None:
            raise moved(chat.moved_to)
        for name in refusals:
            if self.faults.take(name):
                code, text = _REFUSALS[name]
                raise TelegramError(code, text.format(kind=chat.kind, what=what))
        return chat

    def move(self, chat: Chat, new_id: int) -> None:
        chat.moved_to = new_id
        self.chats[new_id] = Chat(new_id, "supergroup", chat.title, chat.is_forum, chat.topics)
        self.updates.moved(chat, self.chats[new_id], next(self.numbers))

    def deliver(self, chat: Chat, params: Params, content: dict[str, Any]) -> dict[str, Any]:
        thread = _number(params, "message_thread_id", 0)
        if chat.is_forum and thread and thread not in chat.topics:
            raise TelegramError(400, "Bad Request: message thread not found")
        self.check_reply(chat, params.get("reply_parameters") or {})
        if order := self.faults.take("flood"):
            raise too_many(int(order.value or 17))
        if self.faults["flood"]:
            self.flood.check(chat)
        topic = {"message_thread_id": thread, "is_topic_message": True} if chat.is_forum and thread else {}
        head = {"message_id": next(self.numbers), "from": self.me, "chat": chat.show(), "date": int(time.time())}
        message = {**head, **topic, **content}
        self.sent.append(message)
        return message

    def check_reply(self, chat: Chat, reply: Params) -> None:
        if not reply or reply.get("allow_sending_without_reply"):
            return
        known = {one["message_id"] for one in self.sent if one["chat"]["id"] == chat.id}
        if reply.get("message_id") not in known:
            raise TelegramError(400, "Bad Request: message to be replied not found")


def _params() -> Params:
    """Of the query, a form or a JSON body. Objects in a form are JSON texts."""
    body = request.get_json(silent=True)
    params: Params = {**request.args.to_dict(), **request.form.to_dict(), **(body if isinstance(body, dict) else {})}
    return {name: _object(value) if name == "reply_parameters" else value for name, value in params.items()}


def _mode(params: Params) -> str:
    return str(params.get("parse_mode") or "")


def _object(value: Any) -> Params:
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise TelegramError(400, "Bad Request: object expected as reply parameters")
    return found


def _number(params: Params, name: str, default: int) -> int:
    """A parameter as an int; Telegram takes what is none for 0."""
    value = str(params.get(name, default))
    return int(value) if re.fullmatch(r"-?\d{1,18}", value) else 0
