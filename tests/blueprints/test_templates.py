"""Rules of the templates and of what they load: strict CSP, translatable texts, no loose ends."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes

SYNKRO = Path(__file__).resolve().parents[2] / "synkro"
FOLDER = SYNKRO / "templates"
STATIC = SYNKRO / "static"
ALL = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))
NAMES = [name for name in ALL if not name.startswith("rq_dashboard/")]
"""Without the frame of rq-dashboard's pages, which have their own styles and policy: test_rq_dashboard.py."""
MACROS = [name for name in NAMES if name.startswith("ui/")]
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*"))
"""Texts of letters, too."""
LONGEST = 160
"""Characters of a line of a template. It may only become less."""
TRANSLATORS = {"_": 1, "gettext": 1, "ngettext": 2}

ENV = Environment(
    loader=FileSystemLoader(FOLDER), extensions=["jinja2.ext.i18n"], autoescape=True, undefined=StrictUndefined
)
for made_by_us in ("datetimeformat", "dateformat", "numberformat", "isomoment", "claims"):
    ENV.filters[made_by_us] = str

every_template = pytest.mark.parametrize("name", NAMES)


def source(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def tree(name: str) -> nodes.Template:
    return ENV.parse(source(name), name)


def calls(template: nodes.Node, *functions: str) -> Iterator[nodes.Call]:
    for call in template.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in functions:
            yield call


def ids(name: str) -> Iterator[str]:
    for call in calls(tree(name), *TRANSLATORS):
        assert isinstance(call.node, nodes.Name)
        for argument in call.args[: TRANSLATORS[call.node.name]]:
            yield argument.value if isinstance(argument, nodes.Const) else ""


def is_icon_name(keyword: nodes.Keyword) -> bool:
    return keyword.key == "sign" and isinstance(keyword.value, nodes.Const)


@pytest.mark.parametrize("name", FILES)
def test_no_line_is_long(name: str) -> None:
    assert not [line for line in source(name).splitlines() if len(line) > LONGEST]


@pytest.mark.parametrize("name", ALL)
def test_blocks_side_by_side_have_lines_of_their_own(name: str) -> None:
    assert not re.findall(r"</(?:div|p|h\d|li|dt|dd|t[dhr]|section|form|nav)>[ \t]*<\w[^>\n]*", source(name))


@every_template
def test_compiles(name: str) -> None:
    ENV.get_template(name)


@every_template
def test_tells_its_context_first(name: str) -> None:
    assert source(name).startswith("{#- "), "open with what the template shows and what it needs"


@every_template
def test_holds_no_inline_style_script_or_handler(name: str) -> None:
    found = re.findall(
        r"<style|<script(?![^>]*\ssrc=)|\sstyle\s*=|[\s'\"]on[a-z]+['\"]?\s*[=:]\s*['\"]|javascript:|hx-on|hx-vals|data:",
        source(name),
        flags=re.IGNORECASE,
    )
    assert not found


@every_template
def test_loads_nothing_from_other_hosts(name: str) -> None:
    """A link that a person follows loads nothing by itself."""
    text = re.sub(r"<a href=\"https://t\.me/\w+\">", "", source(name))
    assert not re.findall(r"(?:src|href|action|content)=[\"'](?:https?:)?//[^\"']*", text)


@every_template
def test_never_switches_escaping_off(name: str) -> None:
    template = tree(name)
    assert "safe" not in {found.name for found in template.find_all(nodes.Filter)}
    assert not list(template.find_all((nodes.MarkSafe, nodes.ScopedEvalContextModifier)))
    assert "Markup" not in {found.name for found in template.find_all(nodes.Name)}


@every_template
def test_uses_every_macro_it_imports(name: str) -> None:
    template = tree(name)
    imported = {
        item[1] if isinstance(item, tuple) else item
        for statement in template.find_all(nodes.FromImport)
        for item in statement.names
    }
    used = {found.name for found in template.find_all(nodes.Name) if found.ctx == "load"}
    assert imported <= used, f"unused: {sorted(imported - used)}"


@every_template
def test_translates_literals_only(name: str) -> None:
    assert "" not in list(ids(name)), "an id that is built at run time is in no catalogue"


@every_template
def test_ids_name_their_placeholders(name: str) -> None:
    bare = [text for text in ids(name) if re.search(r"%(?!\(\w+\)s)", text.replace("%%", ""))]
    assert not bare


@every_template
def test_ids_hold_no_markup(name: str) -> None:
    assert not [text for text in ids(name) if re.search(r"[<>&]", text)], "ids are not escaped"


@pytest.mark.parametrize("name", MACROS)
def test_macros_translate_at_the_call(name: str) -> None:
    template = tree(name)
    inside = {id(call) for macro in template.find_all(nodes.Macro) for call in calls(macro, *TRANSLATORS)}
    outside = [call.lineno for call in calls(template, *TRANSLATORS) if id(call) not in inside]
    assert not outside, "a module is made once, in the language of whoever comes first"


def test_every_named_icon_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="i-([\w-]+)"', (STATIC / "icons.svg").read_text("utf-8")))
    named = set()
    for name in NAMES:
        template = tree(name)
        named |= {call.args[0].as_const() for call in calls(template, "icon") if isinstance(call.args[0], nodes.Const)}
        named |= {sign.value.as_const() for sign in template.find_all(nodes.Keyword) if is_icon_name(sign)}
    assert named <= drawn


def test_every_class_of_a_template_has_a_style() -> None:
    sheets = "".join(path.read_text("utf-8") for path in STATIC.glob("css/**/*.css"))
    styled = set(re.findall(r"\.([a-z][\w-]*)", sheets))
    written = {
        cls
        for name in NAMES
        for attribute in re.findall(r'class="([^"{}]+)"', source(name))
        for cls in attribute.split()
    }
    assert written <= styled


def test_style_sheets_load_only_own_files() -> None:
    for sheet in STATIC.glob("css/**/*.css"):
        for address in re.findall(r"url\(\"?([^\")]+)", sheet.read_text("utf-8")):
            assert (sheet.parent / address).is_file(), f"{sheet.name}: {address}"


def test_vendored_script_is_the_recorded_one() -> None:
    digest = hashlib.sha256((STATIC / "js/htmx.min.js").read_bytes()).hexdigest()
    assert digest in (STATIC / "js/README.md").read_text("utf-8")


def test_htmx_cannot_evaluate_or_store_pages() -> None:
    settings = re.search(r"name=\"htmx-config\"\s+content='([^']+)'", source("base.html"))
    assert settings
    assert settings[1] == (
        '{"allowEval":false,"includeIndicatorStyles":false,"allowScriptTags":false,'
        '"historyCacheSize":0,"selfRequestsOnly":true}'
    )
