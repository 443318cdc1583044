"""The catalogues are complete, current and say in Russian what the English ids say."""

from __future__ import annotations

import gettext
import re
import subprocess
import sys
from collections import Counter
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
from hypothesis import given
from hypothesis import strategies as some

from synkro.analysis.report.texts import plain_text
from synkro.i18n import LANGUAGES
from synkro.integrations import all_sentences
from synkro.services.shared.sentences import CAPABILITIES, SENTENCES
from synkro.services.shared.wording import sentence
from synkro.translations import collect
from tests.support.reports import FIGURES_ONLY

CATALOGUES = {language: collect.known(language) for language in LANGUAGES}
EXTRACTED = collect.extracted()
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
LATIN, CYRILLIC = re.compile(r"[A-Za-z]"), re.compile(r"[\u0400-\u04ff]")
TAG = re.compile(r"</?[a-z][^>]*>", re.IGNORECASE)
TWINS = dict(zip("аеорсухіАЕОРСУХІ", "aeopcyxiAEOPCYXI", strict=True))
"""Cyrillic letters and the Latin ones that look the same."""
MIXED_NAMES = {"amoМаркет"}
"""Names that a vendor spells in two alphabets."""
MOST_SAME_WORDS = 3
SAME_IN_BOTH: set[str] = set()
"""Longer texts that are the same in Kazakh and Russian, and rightly so."""
SAYS = {**all_sentences(), **SENTENCES}
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


def wrong_with(text: str, form: str) -> set[str]:
    """What a translation breaks, whatever it says."""
    bare_text, bare_form = PLACEHOLDER.sub(" ", text), PLACEHOLDER.sub(" ", form)
    words = set(re.findall(r"\w+", TAG.sub(" ", bare_form)))
    found = {
        "placeholders": Counter(PLACEHOLDER.findall(text)) != Counter(PLACEHOLDER.findall(form)),
        "percent": bare_text.count("%") != bare_form.count("%"),
        "tags": not Counter(TAG.findall(form)) <= Counter(TAG.findall(text)),
        "alphabets": any(LATIN.search(word) and CYRILLIC.search(word) for word in words - MIXED_NAMES),
    }
    return {name for name, is_wrong in found.items() if is_wrong}


@every_language
def test_no_form_breaks_what_its_id_promises(language: str) -> None:
    """The same placeholders, as often; no stray percent sign, no tag of its own, no look-alike of another alphabet."""
    assert not [(text, form, wrong) for text, form in pairs(language) if (wrong := wrong_with(text, form))]


@pytest.mark.parametrize(
    ("text", "form", "wrong"),
    [
        ("Rows: %(rows)s", "Строки: %(row)s", "placeholders"),
        ("Rows: %(rows)s", "Строки: %(rows) s", "placeholders"),
        ("Rows: %(rows)s", "Строки: %(rows)s, %(rows)s", "placeholders"),
        ("Rows", "Строки %", "percent"),
        ("Rows: %(rows)s", "Строки: %(rows)s %d", "percent"),
        ("Rows", "<b>Строки</b>", "tags"),
        ("Rows", "Cтроки", "alphabets"),
        ("amoCRM", "аmoCRM", "alphabets"),
        ("Reports", "Есептер іs", "alphabets"),
    ],
)
def test_each_of_these_faults_is_found(text: str, form: str, wrong: str) -> None:
    assert wrong in wrong_with(text, form)


@given(some.data())
def test_damage_to_any_translation_is_found(data: some.DataObject) -> None:
    """A placeholder is lost, or one letter of a Cyrillic word comes from the other alphabet."""
    text, form = data.draw(some.sampled_from(list(pairs(data.draw(some.sampled_from(("ru", "kk")))))))
    places = [hit.span() for hit in PLACEHOLDER.finditer(form)]
    places += [hit.span() for hit in re.finditer(r"(?<=[а-яё])[аеорсухі]", form)]
    if places:
        start, end = data.draw(some.sampled_from(places))
        damaged = form[:start] + TWINS.get(form[start:end], "") + form[end:]
        assert wrong_with(text, damaged)


def test_kazakh_is_not_copied_from_russian() -> None:
    """A few short words are the same in both."""
    russian = {parts(message.id): parts(message.string) for message in collect.entries(CATALOGUES["ru"])}
    copied = {
        form
        for message in collect.entries(CATALOGUES["kk"])
        for form in parts(message.string)
        if form in russian.get(parts(message.id), ()) and len(PLACEHOLDER.sub("", form).split()) > MOST_SAME_WORDS
    }
    assert copied - SAME_IN_BOTH == set()


@every_language
def test_percent_signs_survive_formatting(language: str) -> None:
    """A lone % breaks a text with placeholders; a doubled one would be shown in a text without any."""
    for _, form in pairs(language):
        assert not PLACEHOLDER.search(filled(form))
        assert "%%" not in filled(form)


def test_ids_are_english() -> None:
    """But for names in the interface of a vendor, which stand as «they are there»."""
    texts = [re.sub(r"«[^»]*»", "", text) for key in keys(EXTRACTED) for text in key]
    assert not [text for text in texts if re.search(r"[^\W\d_a-zA-Z]", text)]


@every_language
def test_forms_have_the_edges_of_the_id(language: str) -> None:
    """A blank, a colon or a full stop at the end is there because of what follows."""
    edges = re.compile(r"^\s*|[\s:]*$")
    assert not [(text, form) for text, form in pairs(language) if edges.findall(text) != edges.findall(form)]


def test_russian_sets_quotes_and_spaces_properly() -> None:
    wrong = re.compile(r"[\"“”]|  |\s[,.;:!?]|\w'|'\w")
    assert not [form for _, form in pairs("ru") if wrong.search(form)]


@pytest.mark.parametrize("language", ["ru", "kk"])
def test_russian_and_kazakh_are_no_english(language: str) -> None:
    """Names and bare numbers stay as they are; everything else has Cyrillic letters."""
    names = {"amoCRM", "Google Gemini", "Radist.Online", "Redis", "Supabase", "Telegram"}
    words = [form for _, form in pairs(language) if re.search(r"\w", PLACEHOLDER.sub("", form))]
    latin = [form for form in words if not CYRILLIC.search(PLACEHOLDER.sub("", form))]
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


@pytest.mark.parametrize("language", ["ru", "kk"])
@pytest.mark.parametrize("code", sorted(SAYS))
def test_every_code_is_a_sentence(speaker: Flask, code: str, language: str) -> None:
    with force_locale("en"):
        names = PLACEHOLDER.findall(str(SAYS[code]))
    with force_locale(language):
        said = sentence(code, {name: f"<{name}>" for name in names})
    assert re.search(r"[\u0430-\u04ff]{3}", said)
    assert said.endswith(".")
    assert {f"<{name}>" for name in names} <= set(re.findall(r"<\w+>", said))
    assert "%" not in said


def test_every_word_of_ours_in_a_report_is_russian(speaker: Flask) -> None:
    with force_locale("ru"):
        text = plain_text(replace(FIGURES_ONLY, ai_gap=sentence("ai_not_connected", {})), babel_gettext)
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


def test_no_code_has_two_sentences() -> None:
    """A code that a capability says is said by no other, and by no service in its class."""
    said = [code for table in (*(one.SENTENCES for one in CAPABILITIES), all_sentences()) for code in table]
    assert len(said) == len(set(said))
