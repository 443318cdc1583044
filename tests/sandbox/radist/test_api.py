"""The stand-in of Radist behaves as other clients of the vendor saw it behave."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from synkro.sandbox.big import big_world
from synkro.sandbox.demo.world import demo_world
from synkro.sandbox.radist.app import create_app
from synkro.sandbox.server import Server
from synkro.sandbox.world import World
from tests.support.having import assert_entries

NOW = datetime(2026, 11, 20, 13, 30, tzinfo=UTC)


class Client:
    """Calls the stand-in and turns its knobs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.server = Server(create_app(world))
        self.session = requests.Session()
        self.reset()

    def reset(self) -> None:
        self.session.delete(self.server.url + "/__control", timeout=60)
        self.session.delete(self.server.url + "/__requests", timeout=60)
        self.set(strict_rate=False)

    def set(self, **settings: object) -> None:
        url = self.server.url + "/__control"
        self.session.post(url, json={"set": settings}, timeout=60).raise_for_status()

    def call(self, method: str, path: str, key: str | None = None, **params: object) -> requests.Response:
        headers = {"X-Api-Key": key or self.world.radist_key}
        return self.session.request(method, self.server.url + path, headers=headers, params=params, timeout=60)

    def get(self, path: str, **params: object) -> requests.Response:
        return self.call("GET", f"/v2/companies/{self.world.radist_company_id}/{path}", **params)

    def people(self, **params: object) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = self.get("messaging/chats/with_contacts/", **params).json()["data"]
        return data

    def chats(self) -> list[dict[str, Any]]:
        return [chat for person in self.people() for chat in person["chats"]]

    def messages(self, chat_id: int, **params: object) -> list[dict[str, Any]]:
        page: list[dict[str, Any]] = self.get("messaging/messages/", chat_id=chat_id, **params).json()
        return page


@pytest.fixture(scope="module")
def _demo() -> Iterator[Client]:
    one = Client(demo_world(NOW))
    yield one
    one.session.close()
    one.server.stop()


@pytest.fixture
def radist(_demo: Client) -> Client:
    _demo.reset()
    return _demo


@pytest.fixture
def long() -> Iterator[Client]:
    """One chat of 250 messages a second apart."""
    one = Client(big_world(1, 1, 250, NOW, timedelta(seconds=250)))
    yield one
    one.session.close()
    one.server.stop()


CHAT = 11_000_001


def at(message: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(message["created_at"])


def test_the_companies_of_the_key(radist: Client) -> None:
    company = {"id": 100_001, "name": "Асүй Кухни"}
    assert radist.call("GET", "/v2/companies/", limit=100, offset=0).json() == {"companies": [company]}


def test_users_me_answers_to_the_key(radist: Client) -> None:
    assert "id" in radist.call("GET", "/v2/users/me").json()


def test_sources_are_a_bare_list_of_messengers(radist: Client) -> None:
    assert {source["type"] for source in radist.get("messaging/chats/sources/").json()} == {
        "whatsapp",
        "waba",
        "telegram",
    }


def test_connections_name_the_crm_too(radist: Client) -> None:
    assert "amocrm" in {one["type"] for one in radist.get("connections/").json()["connections"]}


def test_contacts_are_items(radist: Client) -> None:
    assert {"id", "name", "phones"} == set(radist.get("contacts/", limit=1).json()["items"][0])


def test_the_cursor_leads_through_all_people_once(radist: Client) -> None:
    found, cursor = [], None
    for _ in range(20):
        body = radist.get("messaging/chats/with_contacts/", limit=5, cursor=cursor).json()
        found += [person["contact_id"] for person in body["data"]]
        cursor = body["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert len(found) == len(set(found)) == len(radist.world.radist_contacts)


def test_a_chat_has_the_keys_seen_in_the_field(radist: Client) -> None:
    assert set(radist.chats()[0]) == {
        "chat_id", "connection_id", "source_chat_id", "name", "phone", "username", "profile_link", "is_group",
        "unanswered_count", "blacklist_item_id", "last_message",
    }  # fmt: skip


def test_a_whatsapp_chat_is_named_after_its_phone_without_a_plus(radist: Client) -> None:
    whatsapp = [chat for chat in radist.chats() if chat["connection_id"] == 7001 and not chat["is_group"]]
    assert all(chat["source_chat_id"] == f"{chat['phone']}@c.us" for chat in whatsapp)


def test_a_telegram_chat_has_a_user_name_and_no_phone(radist: Client) -> None:
    telegram = [chat for chat in radist.chats() if chat["connection_id"] == 7003]
    assert all(chat["phone"] is None and chat["username"] for chat in telegram)
    assert telegram


def test_a_last_message_carries_every_type_key(radist: Client) -> None:
    last = next(chat["last_message"] for chat in radist.chats() if chat["last_message"])
    assert {"audio", "image", "radist_order", "waba_template", "voice", "video", "file", "text"} <= set(last)
    assert last["audio"] is None


def test_an_empty_chat_has_no_last_message(radist: Client) -> None:
    assert [chat["name"] for chat in radist.chats() if chat["last_message"] is None] == ["Пустой"]


def test_unanswered_is_the_length_of_the_trailing_inbound_run(radist: Client) -> None:
    assert next(chat["unanswered_count"] for chat in radist.chats() if chat["name"] == "Олег Ким") == 3


def test_unanswered_people_come_first_and_so_break_the_order_of_time(radist: Client) -> None:
    people = radist.people()
    waiting = [person["unanswered_count"] > 0 for person in people]
    assert waiting == sorted(waiting, reverse=True)
    assert [p["last_chat_updated_at"] for p in people] != sorted(
        (p["last_chat_updated_at"] for p in people), reverse=True
    )


def test_the_chat_list_may_be_in_order_of_time(radist: Client) -> None:
    radist.set(chats_order="recent")
    times = [datetime.fromisoformat(person["last_chat_updated_at"]) for person in radist.people()]
    assert times == sorted(times, reverse=True)


def test_a_person_was_last_active_when_the_newest_chat_was(radist: Client) -> None:
    person = next(person for person in radist.people() if len(person["chats"]) == 2)
    newest = max(at(chat["last_message"]) for chat in person["chats"])
    assert datetime.fromisoformat(person["last_chat_updated_at"]) == newest


def test_a_message_of_the_thread_carries_only_its_own_type_key(radist: Client) -> None:
    message = radist.messages(10_000_001, limit=1)[0]
    assert set(message) == {
        "message_id", "source_message_id", "chat_id", "created_at", "direction", "message_type", "author", "reply_to",
        "delivered_at", "read_at", "error_at", "error_type", "error_text", message["message_type"],
    }  # fmt: skip


def test_the_chat_id_of_a_message_is_that_of_the_messenger(radist: Client) -> None:
    chat = next(chat for chat in radist.chats() if chat["last_message"])
    assert {m["chat_id"] for m in radist.messages(chat["chat_id"])} == {chat["source_chat_id"]}


def test_inbound_times_have_whole_seconds_and_outbound_microseconds(radist: Client) -> None:
    chat = next(chat for chat in radist.chats() if chat["name"] == "Айгерим Сапарова")
    lengths = {(m["direction"], len(m["created_at"])) for m in radist.messages(chat["chat_id"])}
    assert lengths == {("inbound", 20), ("outbound", 27)}


def test_a_failed_message_says_so(radist: Client) -> None:
    chat = next(chat for chat in radist.chats() if chat["name"] == "Асель Тлеубаева")
    [failed] = [m for m in radist.messages(chat["chat_id"]) if m["error_at"]]
    assert_entries(failed, error_type="GENERIC_ERROR", direction="outbound", message_type="file")


def test_media_have_an_address_and_a_caption(radist: Client) -> None:
    chat = next(chat for chat in radist.chats() if chat["name"] == "Жанна Юсупова")
    captions = [m["image"]["caption"] for m in radist.messages(chat["chat_id"]) if m["message_type"] == "image"]
    assert captions == ["Вот план от застройщика", ""]


def test_messages_come_newest_first_and_at_most_a_page(long: Client) -> None:
    page = long.messages(CHAT)
    assert len(page) == 100
    assert page == sorted(page, key=at, reverse=True)


def test_messages_may_come_oldest_first_within_the_same_page(long: Client) -> None:
    newest = long.messages(CHAT)
    long.set(order="oldest")
    assert long.messages(CHAT) == newest[::-1]


@pytest.mark.parametrize(("inclusive", "expected"), [(True, 1), (False, 0)])
def test_until_includes_its_instant_or_not(long: Client, inclusive: bool, expected: int) -> None:
    long.set(until_inclusive=inclusive)
    oldest = long.messages(CHAT)[-1]
    page = long.messages(CHAT, until=oldest["created_at"])
    assert sum(message["message_id"] == oldest["message_id"] for message in page) == expected


def test_until_leads_to_the_oldest_message(long: Client) -> None:
    seen: set[str] = set()
    until = None
    for _ in range(4):
        page = long.messages(CHAT, until=until)
        seen |= {message["message_id"] for message in page}
        until = page[-1]["created_at"]
    assert len(seen) == 250


def test_until_before_the_first_message_is_an_empty_list(long: Client) -> None:
    assert long.messages(CHAT, until="2020-01-01T00:00:00Z") == []


def test_times_may_tie_across_the_edge_of_a_page(long: Client) -> None:
    long.set(ties=40)
    first = long.messages(CHAT)
    tied = [m for m in long.messages(CHAT, until=first[-1]["created_at"]) if at(m) == at(first[-1])]
    assert {m["message_id"] for m in tied} - {m["message_id"] for m in first}


def test_a_page_may_silently_be_shorter_than_asked(long: Client) -> None:
    long.set(page_cap=20)
    assert len(long.messages(CHAT, limit=100)) == 20


def test_times_may_lack_a_zone(radist: Client) -> None:
    radist.set(naive_timestamps=True)
    assert at(radist.messages(10_000_001)[0]).tzinfo is None


def test_the_newest_message_may_be_of_an_unknown_type(radist: Client) -> None:
    radist.set(unknown_type="location")
    newest, *older = radist.messages(10_000_001)
    assert newest["message_type"] == "location"
    assert "location" in newest
    assert "location" not in {m["message_type"] for m in older}


def test_the_cursor_may_go_round_for_ever(radist: Client) -> None:
    radist.set(cursor_loop=True)
    first = radist.get("messaging/chats/with_contacts/", limit=5).json()["response_metadata"]["next_cursor"]
    later = radist.get("messaging/chats/with_contacts/", limit=5, cursor=first).json()["response_metadata"][
        "next_cursor"
    ]
    assert first == later


@pytest.mark.parametrize("wrap", ["data", "items"])
def test_lists_may_be_wrapped(radist: Client, wrap: str) -> None:
    radist.set(wrap=wrap)
    assert list(radist.get("messaging/messages/", chat_id=10_000_001).json()) == [wrap]
    assert wrap in radist.get("messaging/chats/with_contacts/").json()


def test_lists_may_be_bare(radist: Client) -> None:
    radist.set(wrap="bare")
    assert isinstance(radist.get("connections/").json(), list)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("messaging/messages/", {"chat_id": 10_000_001, "limit": 101}),
        ("messaging/messages/", {"chat_id": 10_000_001, "limit": 0}),
        ("messaging/messages/", {"chat_id": "77010000101@c.us"}),
        ("messaging/messages/", {}),
        ("messaging/messages/", {"chat_id": 10_000_001, "until": "yesterday"}),
        ("messaging/chats/with_contacts/", {"cursor": "§§"}),
    ],
)
def test_a_wrong_parameter_is_422_and_names_itself(radist: Client, path: str, params: dict[str, object]) -> None:
    answer = radist.get(path, **params)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "query"


def test_the_greatest_limit_may_be_smaller(radist: Client) -> None:
    radist.set(max_limit=50)
    statuses = [radist.get("messaging/chats/with_contacts/", limit=limit).status_code for limit in (50, 51)]
    assert statuses == [200, 422]


def test_a_wrong_key_is_401(radist: Client) -> None:
    assert radist.call("GET", "/v2/companies/", key="wrong").status_code == 401


def test_a_revoked_key_is_401(radist: Client) -> None:
    radist.set(revoked=True)
    assert radist.call("GET", "/v2/companies/").status_code == 401


def test_a_key_without_the_messaging_scope_reads_connections_only(radist: Client) -> None:
    radist.set(scopes=["connections"])
    paths = ("connections/", "messaging/chats/sources/", "messaging/messages/")
    assert [radist.get(path).status_code for path in paths] == [200, 403, 403]


def test_another_company_is_404(radist: Client) -> None:
    assert radist.call("GET", "/v2/companies/5/messaging/chats/sources/").status_code == 404


def test_an_unknown_chat_is_404(radist: Client) -> None:
    assert radist.get("messaging/messages/", chat_id=5).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["messaging/chats/", "messaging/messages/", "webhooks/"])
def test_writing_is_refused_and_recorded(radist: Client, method: str, path: str) -> None:
    full = f"/v2/companies/{radist.world.radist_company_id}/{path}"
    assert radist.call(method, full).status_code == 405
    log = radist.session.get(radist.server.url + "/__requests", timeout=60).json()
    assert [(entry["method"], entry["path"], entry["status"]) for entry in log] == [(method, full, 405)]


@pytest.mark.usefixtures("standing")
def test_chats_and_contacts_share_one_request_a_second(radist: Client) -> None:
    radist.set(strict_rate=True)
    paths = ("messaging/chats/with_contacts/", "contacts/", "messaging/chats/sources/", "connections/")
    assert [radist.get(path).status_code for path in paths] == [200, 429, 429, 200]


@pytest.mark.usefixtures("standing")
def test_the_sixth_request_of_a_key_within_a_second_is_429(long: Client) -> None:
    long.set(strict_rate=True)
    assert [long.get("messaging/messages/", chat_id=CHAT).status_code for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.parametrize("seconds", [None, 3])
def test_a_429_may_say_when_to_come_back(radist: Client, seconds: int | None) -> None:
    radist.set(busy_every=2, retry_after=seconds)
    refused = next(answer for _ in range(2) if (answer := radist.get("connections/")).status_code == 429)
    assert refused.headers.get("Retry-After") == (seconds and str(seconds))
