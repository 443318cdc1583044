from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from synkro.crypto import CannotOpen
from synkro.models import Artifact, Tenant
from synkro.models.plan import StepKey
from synkro.services.reports import artifacts
from synkro.services.reports.artifacts import Damaged
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.having import assert_has
from tests.support.runs_by_hand import begin

WORDS = "Здравствуйте, это секретный текст клиента"
ROWS = [{"text": WORDS, "phone": "+77010000001"}]


@pytest.fixture
def run_id(tenant: Tenant) -> Iterator[uuid.UUID]:
    found = begin(tenant)
    with tenant_scope(tenant.id):
        yield found


def put(run_id: uuid.UUID, name: str, seq: int, rows: list[object], **meta: object) -> None:
    artifacts.put(run_id, name, seq, rows, meta)
    db.session.commit()


def stored() -> bytes:
    return db.session.execute(select(Artifact.payload)).scalar_one()


def change(**values: object) -> None:
    db.session.execute(update(Artifact).values(**values))
    db.session.commit()


def test_half_a_surrogate_pair_stops_nothing(run_id: uuid.UUID) -> None:
    """Only a half without its other half is lost; NUL is text like any other."""
    put(run_id, "leads", 0, [{"raw\udc00": ["a\ud800b", "\ud83d" + "\ude00", "end\ud83d", "\x00"]}])
    page = artifacts.get(run_id, "leads")
    assert page is not None
    assert page.rows == [{"raw\ufffd": ["a\ufffdb", "\U0001f600", "end\ufffd", "\x00"]}]


def test_what_was_put_comes_back(run_id: uuid.UUID) -> None:
    put(run_id, "leads", 3, list(ROWS), cursor="abc")
    page = artifacts.get(run_id, "leads", 3)
    assert page is not None
    assert_has(page, seq=3, rows=ROWS, meta={"cursor": "abc"})


@given(rows=st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), max_size=5))
@rules(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_rows_come_back(run_id: uuid.UUID, rows: list[object]) -> None:
    put(run_id, "leads", 0, rows)
    page = artifacts.get(run_id, "leads")
    assert page is not None
    assert page.rows == rows


def test_the_bytes_hold_no_plain_text(run_id: uuid.UUID) -> None:
    put(run_id, "leads", 0, list(ROWS) * 50)
    for part in (WORDS.encode(), b"77010000001", b'"text"'):
        assert part not in stored()


def test_equal_pages_do_not_look_alike(run_id: uuid.UUID) -> None:
    put(run_id, "leads", 0, list(ROWS))
    first = stored()
    put(run_id, "leads", 0, list(ROWS))
    assert stored() != first


def test_a_page_of_the_same_number_is_replaced(run_id: uuid.UUID) -> None:
    put(run_id, "leads", 0, [1, 2])
    put(run_id, "leads", 0, [3], more=False)
    page = artifacts.get(run_id, "leads")
    assert page is not None
    assert page.rows == [3]
    assert artifacts.count(run_id, "leads") == 1


def test_pages_come_in_order_from_a_number_on(run_id: uuid.UUID) -> None:
    for seq in (5, 0, 1_000, 2):
        put(run_id, "leads", seq, [seq])
    put(run_id, "contacts", 1, [1])
    assert [page.seq for page in artifacts.pages(run_id, "leads")] == [0, 2, 5, 1_000]
    assert [page.seq for page in artifacts.pages(run_id, "leads", after=2)] == [5, 1_000]


def test_a_page_that_is_not_there_is_none(run_id: uuid.UUID) -> None:
    put(run_id, "leads", 5, [1])
    assert artifacts.get(run_id, "leads", 4) is None
    assert artifacts.get(uuid.uuid4(), "leads", 5) is None
    assert artifacts.last_meta(run_id, "chats") is None


def test_another_company_sees_nothing(run_id: uuid.UUID, other_tenant: Tenant) -> None:
    put(run_id, "leads", 0, list(ROWS))
    with tenant_scope(other_tenant.id):
        assert artifacts.get(run_id, "leads") is None
        assert artifacts.count(run_id, "leads") == 0


def test_a_page_that_was_moved_to_another_company_does_not_open(run_id: uuid.UUID, other_tenant: Tenant) -> None:
    put(run_id, "leads", 0, list(ROWS))
    payload, digest = db.session.execute(select(Artifact.payload, Artifact.sha256)).one()
    other = begin(other_tenant)
    with tenant_scope(other_tenant.id):
        put(other, "leads", 0, [])
        change(payload=payload, sha256=digest)
        with pytest.raises(CannotOpen):
            artifacts.get(other, "leads")


@pytest.mark.parametrize("place", [{"name": "contacts"}, {"seq": 7}])
def test_a_page_that_was_moved_to_another_place_does_not_open(run_id: uuid.UUID, place: dict[str, object]) -> None:
    put(run_id, "leads", 0, list(ROWS))
    change(**place)
    with pytest.raises(CannotOpen):
        list(artifacts.pages(run_id, str(place.get("name", "leads"))))


@pytest.mark.parametrize("at", [0, 1, 8, 30, -1])
def test_a_changed_byte_is_noticed(run_id: uuid.UUID, at: int) -> None:
    put(run_id, "leads", 0, list(ROWS))
    broken = bytearray(stored())
    broken[at] ^= 1
    change(payload=bytes(broken))
    with pytest.raises(CannotOpen):
        artifacts.get(run_id, "leads")


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x01" * 20])
def test_half_a_page_is_noticed(run_id: uuid.UUID, payload: bytes) -> None:
    put(run_id, "leads", 0, list(ROWS))
    change(payload=payload)
    with pytest.raises(CannotOpen):
        artifacts.get(run_id, "leads")


def test_a_page_that_is_not_what_was_written_is_noticed(run_id: uuid.UUID) -> None:
    put(run_id, "leads", 0, list(ROWS))
    change(sha256="0" * 64)
    with pytest.raises(Damaged):
        artifacts.get(run_id, "leads")


def test_pages_are_forgotten_by_name_and_from_a_number_on(run_id: uuid.UUID) -> None:
    for seq in range(4):
        put(run_id, "messages", seq, [seq])
    put(run_id, "chats", 0, [1])
    artifacts.forget(run_id, ("messages",), first=2)
    db.session.commit()
    assert [page.seq for page in artifacts.pages(run_id, "messages")] == [0, 1]
    artifacts.forget(run_id, ("messages", "chats"))
    db.session.commit()
    assert artifacts.count(run_id, "messages") == artifacts.count(run_id, "chats") == 0


def test_retention_deletes_some_at_a_time(run_id: uuid.UUID, other_tenant: Tenant) -> None:
    for seq in range(5):
        put(run_id, "leads", seq, [1])
    change(created_at=datetime.now(UTC) - timedelta(days=40))
    put(run_id, "leads", 9, [1])
    with system_scope("test"):
        assert [artifacts.purge(30, most=3) for _ in range(3)] == [3, 2, 0]
    assert db.session.execute(select(func.count()).select_from(Artifact)).scalar_one() == 1


def test_retention_takes_the_oldest_first(run_id: uuid.UUID) -> None:
    for seq, days in enumerate((35, 40, 31)):
        put(run_id, "leads", seq, [1])
        at = datetime.now(UTC) - timedelta(days=days)
        db.session.execute(update(Artifact).where(Artifact.seq == seq).values(created_at=at))
        db.session.commit()
    left = []
    for _ in range(3):
        with system_scope("test"):
            artifacts.purge(30, most=1)
        left.append([page.seq for page in artifacts.pages(run_id, "leads")])
    assert left == [[0, 2], [2], []]


def test_a_page_that_is_made_anew_is_young_again(run_id: uuid.UUID) -> None:
    put(run_id, "leads", 0, [1])
    change(created_at=datetime.now(UTC) - timedelta(days=40))
    put(run_id, "leads", 0, [2])
    with system_scope("test"):
        assert artifacts.purge(30) == 0


@pytest.mark.parametrize("key", StepKey)
@pytest.mark.parametrize("left", ["directory", "final", "report"])
def test_a_step_needs_the_first_page_and_the_last_what_it_sends(run_id: uuid.UUID, left: str, key: StepKey) -> None:
    put(run_id, left, 0, [1])
    needed = {StepKey.FETCH_AMOCRM: left, StepKey.NOTIFY_TELEGRAM: "final"}.get(key, "directory")
    assert artifacts.remain(run_id, key) is (left == needed)


def test_retention_deletes_nothing_young(run_id: uuid.UUID) -> None:
    put(run_id, "leads", 0, [1])
    with system_scope("test"):
        assert artifacts.purge(30) == 0
