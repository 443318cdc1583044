"""The course of `make security`: scan the product, scan a copy with known flaws, print one table, judge."""

from __future__ import annotations

import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from security import live, static
from security.outcome import Outcome
from security.serve import CHIEF, MEMBER
from security.site import serving
from security.tools import ROOT

PLANTED = Path(__file__).parent / "planted"
PARTS = ("synkro", "migrations", "security", "deploy", "config.py", "wsgi.py")
REGISTER = """
from synkro.blueprints.flaws import blueprint as flaws  # noqa: E402
dashboard.BLUEPRINTS = (*dashboard.BLUEPRINTS, flaws)
"""
RULES = set(re.findall(r"- id: (\S+)", static.RULES.read_text(encoding="utf-8")))
MUST_FIND = {
    "bandit": {"B602", "B301"},
    "semgrep": RULES,
    "wapiti as head": {"Reflected Cross Site Scripting", "Cross Site Request Forgery"},
    "schemathesis as head": {"server error"},
    "sqlmap": {"SQL injection"},
}
"""Of the planted flaws, by the scanner's own names."""
OF_STAFF, OF_MEMBERS = "^/admin", "^/(?!admin)"
LINE = "{:<24} {:<44} {:<38} {:>7}  {}\n"


def main() -> int:
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # an orderly end: nothing is left behind
    with _folder() as work:
        product = _product(work)
    with _folder() as work:
        planted = _planted(work)
    _table("The product", product, {one.tool: _judge(one) for one in product})
    _table("A copy with known flaws", planted, {one.tool: _missed(one) for one in planted})
    bad = [one for one in product if _judge(one)] + [one for one in planted if _missed(one)]
    _say(f"\n{'Not passed' if bad else 'Passed'} in {time.monotonic() - started:.0f} s.\n")
    return 1 if bad else 0


def _product(work: Path) -> list[Outcome]:
    """Staff last: what they press may shut the company out."""
    found = [_told(static.bandit(ROOT, work)), _told(static.semgrep(ROOT, work))]
    with serving(ROOT, work) as site:
        found.append(_told(live.schemathesis(site, work, MEMBER, paths=OF_MEMBERS)))
        found.append(_told(live.wapiti(site, work, MEMBER, start="/dashboard", password=site.password)))
        if site.status("/dashboard", MEMBER) != 200:
            found[-1].broken = "the member cannot sign in any more: half of the scan saw the sign-in page"
        found.append(_told(live.sqlmap(site, work, MEMBER, CHIEF)))
        found.append(_told(live.schemathesis(site, work, CHIEF, paths=OF_STAFF)))
        found.append(_told(live.wapiti(site, work, CHIEF, start="/admin")))
        if site.status("/admin", CHIEF) != 200:
            found[-1].broken = "the super_admin cannot sign in any more"
    return found


def _planted(work: Path) -> list[Outcome]:
    tree = work / "tree"
    _plant(tree)
    found = [_told(static.bandit(tree, work)), _told(static.semgrep(tree, work))]
    with serving(tree, work) as site:
        found.append(_told(live.schemathesis(site, work, MEMBER, paths="^/flaws")))
        found.append(_told(live.wapiti(site, work, MEMBER, start="/flaws", password=site.password)))
        found.append(_told(live.sqlmap(site, work, MEMBER, CHIEF, paths="^/flaws/person")))
    return found


def _plant(tree: Path) -> None:
    """A copy of what the program consists of, with the flaws laid over it."""
    tree.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tree / part, ignore=shutil.ignore_patterns("__pycache__", "planted"))
        else:
            shutil.copy(source, tree / part)
    for flaw in PLANTED.rglob("*.*"):
        shutil.copy(flaw, tree / flaw.relative_to(PLANTED).with_name(flaw.name.removesuffix(".txt")))
    with (tree / "synkro" / "blueprints" / "__init__.py").open("a") as pages:
        pages.write(REGISTER)


@contextmanager
def _folder() -> Iterator[Path]:
    """Short, because the path of a socket may not be long, and readable to the account of the engines."""
    folder = Path(tempfile.mkdtemp(prefix="sc", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _judge(one: Outcome) -> str:
    above = [finding for finding in one.findings if finding.counts]
    return one.broken or (f"{len(above)} above low" if above else "")


def _missed(one: Outcome) -> str:
    missed = MUST_FIND[one.tool] - {finding.rule for finding in one.findings}
    return f"missed: {', '.join(sorted(missed))}. {one.broken}" if missed else ""


def _told(one: Outcome) -> Outcome:
    _say(f"  {one.tool}: {one.looked_at or one.broken}, {one.seconds:.0f} s\n")
    return one


def _table(title: str, outcomes: list[Outcome], wrong: dict[str, str]) -> None:
    _say(f"\n{title}\n")
    _say(LINE.format("tool", "looked at", "found", "seconds", ""))
    for one in outcomes:
        _say(LINE.format(one.tool, one.looked_at, one.by_level(), f"{one.seconds:.0f}", wrong[one.tool] or "ok"))
    if title == "The product":
        for one in outcomes:
            for finding in one.findings:
                if finding.counts:
                    where = f"{finding.where[:160]} {finding.says[:160]}"
                    _say(f"  {one.tool}: {finding.level} {finding.rule} at {where}\n")


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
