"""The catalogues are complete, current and say in Russian what the English ids say."""

from __future__ import annotations

import gettext
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask_babel import Babel, force_locale
from flask_babel import gettext as babel_gettext

from synkro.analysis.report import plain_text
from synkro.i18n import LANGUAGES
from synkro.integrations import ALL_SENTENCES
from synkro.services.wording import SENTENCES, sentence
from synkro.translations import collect
from tests.analysis.test_report import FIGURES_ONLY

CATALOGUES = {language: collect.known(language) for language in LANGUAGES}
EXTRACTED = collect.extracted()
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
SAYS = {**ALL_SENTENCES, **SENTENCES}
every_language = pytest.mark.parametrize("language", LANGUAGES)


def keys(catalog: Catalog) -> set[tuple[str, ...]]:
    return {parts(message.id) for message in collect.entries(catalog)}


def parts(text: object) -> tuple[str, ...]:
    """One string, or the forms of a plural text."""
    return (text,) if isinstance(text, str) else tuple(text or ("",))  # type: ignore[arg-type]


def pairs(language: str) -> Iterator[tuple[str, str]]:
    """Each translated form with the form of the id it stands for."""
    for message in collect.entries(CATALOGUES[language]):
        ids = parts(message.id)
        forms = parts(message.string)
        # Russian says "one" of 21 as well, so there even the first form stands for the plural id
        yield from ((ids[place] if len(ids) == len(forms) else ids[-1], form) for place, form in enumerate(forms))


def filled(text: str) -> str:
    """The text as its code would format it: without placeholders it is shown untouched."""
    values = {name: f"<{name}>" for name in PLACEHOLDER.findall(text)}
    return text % values if values else text


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of .mo files, made by the command that `make setup` uses."""
    folder = tmp_path_factory.mktemp("translations")
    for language in LANGUAGES:
        copy = collect.path(language, folder)
        copy.parent.mkdir(parents=True)
        copy.write_bytes(collect.path(language).read_bytes())
    subprocess.run([sys.executable, "-m", "babel.messages.frontend", "-q", "compile", "-d", str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def speaker(compiled: Path) -> Iterator[Flask]:
    app = Flask("speaker")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(compiled)
    Babel(app)
    with app.test_request_context():
        yield app


@every_language
def test_catalogue_has_every_text_of_the_code(language: str) -> None:
    assert not keys(EXTRACTED) - keys(CATALOGUES[language]), "run `make texts`, then translate"


@every_language
def test_catalogue_has_no_text_that_the_code_lost(language: str) -> None:
    assert not keys(CATALOGUES[language]) - keys(EXTRACTED), "run `make texts`"


@every_language
def test_collecting_again_changes_nothing(language: str) -> None:
    again = collect.rendered(collect.merged(EXTRACTED, CATALOGUES[language]))
    assert again.decode() == collect.path(language).read_text("utf-8"), "run `make texts`"


@every_language
def test_nothing_is_left_empty_or_in_doubt(language: str) -> None:
    assert not collect.untranslated(CATALOGUES[language])


def test_every_feature_of_the_code_is_found() -> None:
    """Marked lazily, by a passed function, in a template: each way has a text here that stands for it."""
    assert {("Unanswered",), ("Around the clock",), ("Sign out",)} <= keys(EXTRACTED)


@every_language
def test_forms_name_the_same_placeholders_as_the_id(language: str) -> None:
    assert not [
        (text, form)
        for text, form in pairs(language)
        if set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(form))
    ]


@every_language
def test_percent_signs_survive_formatting(language: str) -> None:
    """A lone % breaks a text with placeholders; a doubled one would be shown in a text without any."""
    for _, form in pairs(language):
        assert not PLACEHOLDER.search(filled(form))
        assert "%%" not in filled(form)


def test_ids_are_english() -> None:
    foreign = [text for key in keys(EXTRACTED) for text in key if re.search(r"[^\W\d_a-zA-Z]", text)]
    assert not foreign


@every_language
def test_forms_have_the_edges_of_the_id(language: str) -> None:
    """A blank, a colon or a full stop at the end is there because of what follows."""
    edges = re.compile(r"^\s*|[\s:]*$")
    assert not [(text, form) for text, form in pairs(language) if edges.findall(text) != edges.findall(form)]


def test_russian_sets_quotes_and_spaces_properly() -> None:
    wrong = re.compile(r"[\"“”]|  |\s[,.;:!?]|\w'|'\w")
    assert not [form for _, form in pairs("ru") if wrong.search(form)]


def test_russian_is_in_russian() -> None:
    """Names and bare numbers stay as they are; everything else has Cyrillic letters."""
    names = {"amoCRM", "Radist.Online", "Redis", "Supabase", "Telegram"}
    words = [form for _, form in pairs("ru") if re.search(r"\w", PLACEHOLDER.sub("", form))]
    latin = [form for form in words if not re.search(r"[а-яё]", PLACEHOLDER.sub("", form), re.IGNORECASE)]
    assert set(latin) <= names


def test_russian_has_three_plural_forms() -> None:
    catalog = CATALOGUES["ru"]
    assert catalog.num_plurals == 3
    assert all(len(parts(message.string)) == 3 for message in collect.entries(catalog) if message.pluralizable)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "диалогов"),
        (1, "диалог"),
        (2, "диалога"),
        (5, "диалогов"),
        (11, "диалогов"),
        (21, "диалог"),
        (22, "диалога"),
    ],
)
def test_russian_picks_the_form_that_the_number_asks_for(count: int, said: str) -> None:
    """By the rule in the header that collecting writes."""
    catalog = Catalog(locale="ru")
    catalog.add(("dialog", "dialogs"), ("диалог", "диалога", "диалогов"))
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(collect.rendered(catalog))))
    compiled.seek(0)
    assert gettext.GNUTranslations(compiled).ngettext("dialog", "dialogs", count) == said


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [("ru", "Unanswered", "Без ответа"), ("ru", "Sign in", "Войти"), ("en", "Unanswered", "Unanswered")],
)
def test_compiled_catalogues_speak(compiled: Path, language: str, text: str, said: str) -> None:
    assert gettext.translation("messages", compiled, languages=[language]).gettext(text) == said


@pytest.mark.parametrize("code", sorted(SAYS))
def test_every_code_is_a_sentence_in_russian(speaker: Flask, code: str) -> None:
    with force_locale("en"):
        names = PLACEHOLDER.findall(str(SAYS[code]))
    with force_locale("ru"):
        said = sentence(code, {name: f"<{name}>" for name in names})
    assert re.search(r"[а-яё]{3}", said)
    assert said.endswith(".")
    assert {f"<{name}>" for name in names} <= set(re.findall(r"<\w+>", said))
    assert "%" not in said


def test_every_word_of_ours_in_a_report_is_russian(speaker: Flask) -> None:
    with force_locale("ru"):
        text = plain_text(replace(FIGURES_ONLY, no_ai_reason=sentence("ai_not_connected", {})), babel_gettext)
    assert set(re.findall(r"[A-Za-z]{2,}", text)) == {"Company", "Aliya", "Bolat"}


def test_translations_are_kept_when_texts_come_and_go() -> None:
    old = Catalog(locale="ru")
    old.add("Stays", "Остаётся", flags=["fuzzy"], user_comments=["said on the phone"])
    old.add("Goes", "Уходит")
    texts = Catalog()
    texts.add("Stays")
    texts.add("Comes")
    merged = collect.merged(texts, old)
    assert {message.id: message.string or "" for message in collect.entries(merged)} == {
        "Stays": "Остаётся",
        "Comes": "",
    }
    assert collect.untranslated(merged) == ["Stays", "Comes"]
    assert merged["Stays"].user_comments == ["said on the phone"]


def test_translation_of_a_text_that_became_plural_is_asked_for_anew() -> None:
    old = Catalog(locale="ru")
    old.add("%(n)s dialog", "%(n)s диалог")
    texts = Catalog()
    texts.add(("%(n)s dialog", "%(n)s dialogs"))
    assert collect.untranslated(collect.merged(texts, old)) == ["%(n)s dialog"]


def test_english_is_its_own_translation_in_both_forms() -> None:
    texts = Catalog()
    texts.add(("%(n)s dialog", "%(n)s dialogs"))
    merged = collect.merged(texts, Catalog(locale="en"))
    assert [message.string for message in collect.entries(merged)] == [("%(n)s dialog", "%(n)s dialogs")]
