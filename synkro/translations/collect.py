"""Collects the texts of the code and the templates into the catalogues: `python -m synkro.translations.collect`."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import click
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from synkro.i18n import LANGUAGES

FOLDER = Path(__file__).resolve().parent
_PACKAGE = FOLDER.parent
_ROOT = _PACKAGE.parent
_SOURCE_LANGUAGE = "en"
_KEYWORDS = DEFAULT_KEYWORDS | {"_l": None, "lazy_gettext": None, "lazy_ngettext": (1, 2)}
_HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plural_forms}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def path(language: str, folder: Path = FOLDER) -> Path:
    return folder / language / "LC_MESSAGES" / "messages.po"


def extracted() -> Catalog:
    """Every marked text of the package, without translations. A plural text has the id (singular, plural)."""
    with (_ROOT / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)  # type: ignore[no-untyped-call]
    found = extract_from_dir(
        _ROOT, methods, options, _KEYWORDS, directory_filter=lambda folder: Path(folder).is_relative_to(_PACKAGE)
    )
    texts = Catalog()
    for _, _, text, _, context in found:
        texts.add(text, context=context)
    return texts


def known(language: str) -> Catalog:
    """The catalogue as it lies on the disk; an empty one for a language that has none yet."""
    if not path(language).exists():
        return Catalog(locale=language)
    with path(language).open("rb") as file:
        return read_po(file, locale=language, ignore_obsolete=True, abort_invalid=True)


def entries(catalog: Catalog) -> Iterator[Message]:
    """Without the header, which is a message of its own to Babel."""
    return (message for message in catalog if message.id)


def merged(texts: Catalog, old: Catalog) -> Catalog:
    """Exactly `texts`, with the translations of `old`. English is its own translation."""
    fresh = Catalog(locale=old.locale)
    for message in entries(texts):
        before = old.get(message.id, message.context)
        if str(old.locale) == _SOURCE_LANGUAGE:
            fresh.add(message.id, message.id, context=message.context)
        elif before and before.pluralizable == message.pluralizable:
            # A doubt that somebody marked stays marked: it is for a person to settle.
            doubt = before.flags & {"fuzzy"}
            fresh.add(message.id, before.string, flags=doubt, user_comments=before.user_comments)
        else:
            fresh.add(message.id, context=message.context)
    return fresh


def rendered(catalog: Catalog) -> bytes:
    """A .po file without dates, places and wrapping: a change of one text is a change of its lines only."""
    body = BytesIO()
    write_po(body, catalog, width=0, no_location=True, omit_header=True, sort_output=True)
    header = _HEADER.format(language=catalog.locale, plural_forms=catalog.plural_forms)
    return header.encode() + body.getvalue().rstrip(b"\n") + b"\n"


def untranslated(catalog: Catalog) -> list[str]:
    """The ids (of a plural text its singular) that lack a form or are in doubt."""
    return [_singular(message) for message in entries(catalog) if message.fuzzy or not all(_forms(message))]


def _singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _forms(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def main() -> None:
    texts = extracted()
    for language in LANGUAGES:
        catalog = merged(texts, known(language))
        path(language).parent.mkdir(parents=True, exist_ok=True)
        path(language).write_bytes(rendered(catalog))
        click.echo(f"{language}: {len(catalog)} texts")
        for text in untranslated(catalog):
            click.echo(f"  not translated: {text}")


if __name__ == "__main__":
    main()
