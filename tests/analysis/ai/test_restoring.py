from __future__ import annotations

import pytest

from synkro.analysis.ai.answer import Answer, Finding, Remark
from synkro.analysis.ai.restoring import discreet, restore
from synkro.analysis.matching.phones import HIDDEN
from synkro.analysis.text.masking import Masker
from tests.support.having import assert_has

TEXT = "Айгерим просит позвонить на +7 701 555 66 77 или написать на a.k@example.kz"


def masked() -> tuple[Answer, Masker]:
    masker = Masker()
    said = masker.mask(TEXT, ["Айгерим"])
    return Answer(said, (Finding("risk", said, ("d1m1",)),), (Remark("Иван", said, ()),), (said,), 2), masker


def test_everything_is_restored_in_the_cabinet() -> None:
    answer, masker = masked()
    found = restore(answer, masker.issued)
    assert {found.summary, found.findings[0].text, found.managers[0].remark, found.unconfirmed[0]} == {TEXT}


def test_the_structure_of_an_answer_is_kept() -> None:
    answer, masker = masked()
    found = restore(answer, masker.issued)
    assert_has(found.findings[0], evidence=("d1m1",), kind="risk")
    assert found.unknown_refs == 2


def test_others_see_names_but_neither_phones_nor_addresses() -> None:
    answer, masker = masked()
    found = restore(answer, discreet(masker.issued)).summary
    assert found == f"Айгерим просит позвонить на +7 701 ••• 66 77 или написать на {HIDDEN}"


@pytest.mark.parametrize("text", ["инста @aselya_kz", "пишите t.me/aselya_kz"])
def test_others_see_no_account_of_a_client(text: str) -> None:
    masker = Masker()
    answer = Answer(masker.mask(text), (), (), (), 0)
    word = text.split(maxsplit=1)[0]
    assert restore(answer, masker.issued).summary == text
    assert restore(answer, discreet(masker.issued)).summary == f"{word} {HIDDEN}"
