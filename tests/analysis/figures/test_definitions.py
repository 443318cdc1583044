"""Every figure is explained."""

from __future__ import annotations

from synkro.analysis.figures.coverage import _LOSSES
from synkro.analysis.figures.definitions import DEFINITIONS, LOSSES
from synkro.analysis.figures.totals import Figures
from synkro.analysis.matching.chats import PhoneIndex
from tests.support.deals_and_chats import WINDOW


def test_figures_and_definitions_belong_together_one_by_one() -> None:
    assert set(DEFINITIONS) == set(Figures(WINDOW, PhoneIndex.build([], []), {}).result())


def test_every_loss_of_the_coverage_has_a_word() -> None:
    assert {reason for reasons in _LOSSES.values() for reason in reasons} == set(LOSSES)


def test_a_definition_is_one_sentence_or_two() -> None:
    for definition in DEFINITIONS.values():
        assert str(definition.label)
        assert str(definition.meaning).endswith(".")
