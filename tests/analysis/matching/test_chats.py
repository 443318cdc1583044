"""Chats find their deals."""

from __future__ import annotations

import pytest

from synkro.analysis.matching.chats import PhoneIndex, classify_contact
from tests.support.deals_and_chats import chat, contact, lead
from tests.support.having import assert_has

PHONE = "77011234567"
TYPED = "+7 701 123-45-67"


def kinds(*chats: object, index: PhoneIndex) -> list[str]:
    return [match.kind for match in classify_contact(chats, index)]  # type: ignore[arg-type]


def test_a_chat_is_matched_digit_for_digit() -> None:
    index = PhoneIndex.build([lead(1, 7)], [contact(7, TYPED)])
    assert kinds(chat(1, PHONE), chat(2, PHONE[:-1] + "8"), index=index) == ["matched", "unmatched"]


@pytest.mark.parametrize("typed", ["+7 916 123 45 67", "8 (916) 123-45-67", "9161234567"])
@pytest.mark.parametrize("received", ["79161234567", "89161234567", "9161234567"])
def test_every_spelling_of_a_home_number_meets_every_other(typed: str, received: str) -> None:
    index = PhoneIndex.build([lead(1, 7)], [contact(7, typed)])
    assert kinds(chat(1, received), index=index) == ["matched"]


@pytest.mark.parametrize(
    ("typed", "received"),
    [
        ("+84 912 345 678", "84912345678"),
        ("84912345678", "84912345678"),
        ("+852 5123 4567", "85251234567"),
        ("+372 512 3456", "3725123456"),
        ("+47 912 34 567", "4791234567"),
        ("4791234567", "4791234567"),
        ("+998 90 123 45 67", "998901234567"),
    ],
)
def test_a_foreign_number_is_found_however_it_was_typed(typed: str, received: str) -> None:
    index = PhoneIndex.build([lead(1, 7)], [contact(7, typed)])
    (match,) = classify_contact([chat(1, received)], index)
    assert match.kind == "matched"
    assert index.owner(match.phone) == match.owner


def test_every_phone_of_every_contact_counts() -> None:
    index = PhoneIndex.build([lead(1, 7, 8)], [contact(7, "87010000001, 87010000002"), contact(8, TYPED)])
    assert kinds(chat(1, "77010000002"), chat(2, PHONE), index=index) == ["matched", "matched"]


def test_only_contacts_of_the_deals_count() -> None:
    index = PhoneIndex.build([lead(1, 7)], [contact(7), contact(8, TYPED)])
    assert kinds(chat(1, PHONE), index=index) == ["unmatched"]


def test_a_phoneless_chat_beside_a_matched_one_is_a_sibling() -> None:
    index = PhoneIndex.build([lead(1, 7)], [contact(7, TYPED)])
    siblings = classify_contact([chat(2, None), chat(1, PHONE)], index)
    assert [(match.kind, match.owner is None) for match in siblings] == [("sibling", True), ("matched", False)]


def test_a_chat_with_another_phone_is_no_sibling() -> None:
    index = PhoneIndex.build([lead(1, 7)], [contact(7, TYPED)])
    assert kinds(chat(1, PHONE), chat(2, "77029999999"), index=index) == ["matched", "unmatched"]


def test_a_phoneless_chat_alone_is_unmatched() -> None:
    index = PhoneIndex.build([lead(1, 7)], [contact(7, TYPED)])
    assert kinds(chat(2, None), index=index) == ["unmatched"]


def test_a_group_never_counts_nor_makes_siblings() -> None:
    index = PhoneIndex.build([lead(1, 7)], [contact(7, TYPED)])
    assert kinds(chat(1, PHONE, group=True), chat(2, None), index=index) == ["group", "unmatched"]


def test_the_owner_is_the_latest_deal_and_the_greater_id_breaks_a_tie() -> None:
    leads = [lead(3, 7, manager=30, at=5), lead(9, 7, manager=90, at=5), lead(11, 7, manager=11, at=4)]
    for order in (leads, leads[::-1]):
        owner = PhoneIndex.build(order, [contact(7, TYPED)]).owner(PHONE)
        assert owner is not None
        assert_has(owner, lead_id=9, manager_id=90)


def test_several_managers_are_seen_across_contacts_that_share_a_phone() -> None:
    contacts = [contact(7, TYPED), contact(8, TYPED), contact(9, "87020000000")]
    leads = [lead(1, 7, manager=1), lead(2, 8, manager=2), lead(3, 9, manager=1), lead(4, 9, manager=None)]
    index = PhoneIndex.build(leads, contacts)
    shared, single = classify_contact([chat(1, PHONE), chat(2, "77020000000")], index)
    assert shared.several_managers is True
    assert single.several_managers is False


def test_contacts_the_account_lost_are_counted_once() -> None:
    index = PhoneIndex.build([lead(1, 7, 8), lead(2, 8)], [contact(7, TYPED)])
    assert index.missing_contacts == {8}
