"""Scanners that read the source: bandit, and semgrep with our own rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from security.outcome import Finding, Outcome
from security.reviewed import is_reviewed
from security.tools import BIN, run

SOURCES = ("synkro", "config.py", "wsgi.py", "deploy", "migrations")
RULES = Path(__file__).parent / "semgrep.yml"
MOST_UNREAD = 3
"""Files with a statement that semgrep cannot parse yet (match); it skips that statement and reads the rest."""
SEMGREP_LEVELS = {"ERROR": "high", "WARNING": "medium", "INFO": "low"}


def bandit(tree: Path, work: Path) -> Outcome:
    report = work / "bandit.json"
    told = run([BIN / "bandit", "-q", "-r", *SOURCES, "-f", "json", "-o", report], tree, 120)
    if not report.exists():
        return Outcome("bandit", broken=told.tail)
    found: dict[str, Any] = json.loads(report.read_text())
    findings = [
        Finding(
            one["issue_severity"].lower(), one["test_id"], f"{one['filename']}:{one['line_number']}", one["issue_text"]
        )
        for one in found["results"]
    ]
    lines = found["metrics"]["_totals"]["loc"]
    outcome = _outcome("bandit", f"{len(found['metrics']) - 1} files, {lines} lines", tree, findings, told.seconds)
    if found["errors"]:
        outcome.broken = f"cannot read {found['errors'][0]['filename']}"
    return outcome


def semgrep(tree: Path, work: Path) -> Outcome:
    report = work / "semgrep.json"
    asked: list[str | Path] = [
        "--config",
        RULES,
        "--metrics",
        "off",
        "--disable-version-check",
        "--no-git-ignore",
        "--quiet",
    ]
    told = run([BIN / "semgrep", "scan", *asked, "--json", "--output", report, *SOURCES], tree, 180)
    if not report.exists():
        return Outcome("semgrep", broken=told.tail)
    found: dict[str, Any] = json.loads(report.read_text())
    findings = [
        Finding(
            SEMGREP_LEVELS[one["extra"]["severity"]],
            one["check_id"].rpartition(".")[2],
            f"{one['path']}:{one['start']['line']}",
            one["extra"]["message"],
        )
        for one in found["results"]
    ]
    unread = len({one.get("path") for one in found["errors"]})
    looked = f"{len(found['paths']['scanned'])} files, {unread} read in part"
    outcome = _outcome("semgrep", looked, tree, findings, told.seconds)
    if fatal := [one for one in found["errors"] if one.get("path") is None or unread > MOST_UNREAD]:
        outcome.broken = str(fatal[0].get("message", "an error without words"))
    return outcome


def _outcome(tool: str, looked_at: str, tree: Path, findings: list[Finding], seconds: float) -> Outcome:
    left = [finding for finding in findings if not is_reviewed(tree, finding)]
    return Outcome(tool, f"{looked_at}, {len(findings) - len(left)} places reviewed", left, seconds)
