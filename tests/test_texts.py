"""The catalogues are complete, current and say in Russian what the English ids say."""

from __future__ import annotations

import gettext
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from flask import Flask
from flask_babel import Babel, force_locale

from synkro.i18n import LANGUAGES
from synkro.integrations import ALL_SENTENCES
from synkro.services.wording import SENTENCES, sentence
from synkro.translations import collect

CATALOGUES = {language: collect.known(language) for language in LANGUAGES}
EXTRACTED = collect.extracted()
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
SAYS = {**ALL_SENTENCES, **SENTENCES}
WORDS = {"dialog": ("диалог", "диалога", "диалогов"), "deal": ("сделка", "сделки", "сделок")}
"""What a counted word becomes after 1, 2 and 5."""

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
        for place, form in enumerate(parts(message.string)):
            yield ids[min(place, len(ids) - 1)], form


def plurals(catalog: Catalog) -> list[Message]:
    return [message for message in collect.entries(catalog) if message.pluralizable]


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
    assert {("Unanswered",), ("By the clock",), ("Sign out",)} <= keys(EXTRACTED)


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


def test_ids_have_no_blank_edges() -> None:
    assert not [text for key in keys(EXTRACTED) for text in key if text != text.strip()]


def test_russian_sets_quotes_and_spaces_properly() -> None:
    wrong = re.compile(r"[\"“”]|  |\s[,.;:!?]|^\s|\s$|\w'|'\w")
    assert not [form for _, form in pairs("ru") if wrong.search(form)]


def test_russian_is_in_russian() -> None:
    """Names and bare numbers stay as they are; everything else has Cyrillic letters."""
    names = {"amoCRM", "Radist.Online", "Supabase", "Telegram"}
    latin = [form for _, form in pairs("ru") if not re.search(r"[а-яё]", PLACEHOLDER.sub("", form), re.IGNORECASE)]
    assert set(latin) <= names


def test_russian_has_three_plural_forms() -> None:
    catalog = CATALOGUES["ru"]
    assert catalog.num_plurals == 3
    assert all(len(parts(message.string)) == 3 for message in plurals(catalog))


@pytest.mark.parametrize(("count", "place"), [(1, 0), (2, 1), (5, 2), (11, 2), (21, 0), (22, 1), (111, 2), (0, 2)])
def test_russian_picks_the_form_that_the_number_asks_for(compiled: Path, count: int, place: int) -> None:
    russian = gettext.translation("messages", compiled, languages=["ru"])
    for message in plurals(CATALOGUES["ru"]):
        assert russian.ngettext(*message.id, count) == parts(message.string)[place]


@pytest.mark.parametrize("word", WORDS)
def test_counted_words_agree_with_their_number(word: str) -> None:
    counted = re.compile(rf"%\(\w+\)s {word}s?\b")
    for message in plurals(CATALOGUES["ru"]):
        if counted.search(message.id[0]):
            found = [re.search(r"%\(\w+\)s ([а-яё]+)", form) for form in parts(message.string)]
            assert tuple(match[1] for match in found if match) == WORDS[word]


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


def test_translations_are_kept_when_texts_come_and_go() -> None:
    old = Catalog(locale="ru")
    old.add("Stays", "Остаётся", flags=["fuzzy"], user_comments=["said on the phone"])
    old.add("Goes", "Уходит")
    texts = Catalog()
    texts.add("Stays")
    texts.add("Comes")
    merged = collect.merged(texts, old)
    assert {str(message.id): message.string for message in collect.entries(merged)} == {
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
