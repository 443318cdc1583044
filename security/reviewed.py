"""What was found in the source and looked at by a person: rule, file, part of the line, and why it is right."""

from __future__ import annotations

from pathlib import Path

from security.outcome import Finding

REVIEWED = (
    ("B704", "synkro/blueprints/reports/prose.py", "Markup(html)", "cleaned by nh3 in the statement before"),
    ("B704", "synkro/blueprints/auth/second_factor.py", "Markup(setup.qr_svg)", "squares drawn by us, no text in them"),
    ("markup-from-a-variable", "synkro/blueprints/auth/second_factor.py", "Markup(setup.qr_svg)", "as above"),
    ("template-from-text", "synkro/sandbox/amocrm/consent.py", "render_template_string(_PAGE", "our own text"),
    ("B310", "synkro/demo/__main__.py", "urlopen(url, timeout=2)", "the loopback address of our own children"),
    ("B310", "synkro/demo/company.py", "urlopen(request, timeout=10)", "the loopback address of our own stand-in"),
    ("B108", "synkro/embedded/folders.py", "SHORT_ROOT", "the folder made in it is private and its owner is checked"),
)


def is_reviewed(tree: Path, finding: Finding) -> bool:
    """The line as it stands now: when it changes, it is looked at again."""
    name, _, number = finding.where.rpartition(":")
    line = (tree / name).read_text(encoding="utf-8").splitlines()[int(number) - 1]
    return any((rule, path) == (finding.rule, name) and part in line for rule, path, part, _ in REVIEWED)
