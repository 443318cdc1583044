"""Who may see all companies at once, read from the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SYSTEM_CALLERS = {
    "synkro/services/operations/keys.py:rehearse",
    "synkro/services/operations/keys.py:rotate",
    "synkro/services/operations/keys.py:survey",
    "synkro/jobs/reports/duties.py:_look_after_steps",
    "synkro/jobs/reports/duties.py:_release_held",
    "synkro/jobs/reports/duties.py:_start_due",
    "synkro/jobs/reports/duties.py:_tell_of_late",
    "synkro/jobs/connections/duties.py:_ask_for_checks",
    "synkro/jobs/mail/duties.py:look_after",
    "synkro/jobs/shared/duty.py:over_all",
    "synkro/jobs/shared/duty.py:do",
    "synkro/services/auth/forgotten.py:answer",
    "synkro/services/auth/forgotten.py:ask",
    "synkro/services/auth/links.py:_spend",
    "synkro/services/auth/links.py:find",
    "synkro/services/auth/links.py:invite",
    "synkro/services/mail/notices.py:_stored",
    "synkro/services/mail/outbox.py:claim",
    "synkro/services/mail/outbox.py:mark_failed",
    "synkro/services/mail/outbox.py:mark_sent",
    "synkro/services/mail/outbox.py:failure_of_letter",
    "synkro/services/auth/accounts.py:create",
    "synkro/services/auth/accounts.py:end_other_sessions",
    "synkro/services/auth/accounts.py:end_session",
    "synkro/services/auth/accounts.py:is_password",
    "synkro/services/auth/accounts.py:note_limited",
    "synkro/services/auth/accounts.py:sign_in",
    "synkro/services/auth/passwords.py:change",
    "synkro/services/audit/__init__.py:note_foreign",
    "synkro/services/audit/__init__.py:note_limited",
    "synkro/services/audit/__init__.py:note_tampering",
    "synkro/services/audit/proof.py:verify",
    "synkro/services/audit/heads.py:anchor",
    "synkro/services/audit/heads.py:current",
    "synkro/services/audit/export.py:note_export_of_all",
    "synkro/services/audit/trail.py:page_of_all",
    "synkro/services/audit/export.py:rows_of_all",
    "synkro/services/auth/second_factor.py:_counted",
    "synkro/services/auth/second_factor.py:begin",
    "synkro/services/auth/second_factor.py:confirm",
    "synkro/services/auth/second_factor.py:new_recovery_codes",
    "synkro/services/auth/second_factor.py:reset",
    "synkro/services/auth/second_factor.py:state",
    "synkro/services/auth/second_factor.py:switch_off",
    "synkro/services/auth/second_factor.py:take_code",
    "synkro/services/auth/sessions.py:confirm",
    "synkro/services/auth/sessions.py:load",
    "synkro/services/auth/sessions.py:of",
    "synkro/services/auth/sessions.py:start",
    "synkro/services/companies/tenants.py:counts",
    "synkro/services/companies/directory.py:people",
    "synkro/services/companies/directory.py:person",
    "synkro/services/companies/people.py:_changing",
    "synkro/services/companies/people.py:invite",
    "synkro/services/companies/staff.py:note_overstep",
    "synkro/services/operations/workload.py:_work",
    "synkro/cli/words.py:the_run",
    "synkro/cli/reports.py:_found",
}
"""Who may see all companies at once. A new one needs a reason that stands in its call, and a place here."""


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in sorted((ROOT / "synkro").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.name}", node


def calls(node: ast.AST, name: str) -> list[ast.Call]:
    return [
        inner
        for inner in ast.walk(node)
        if isinstance(inner, ast.Call) and name in (getattr(inner.func, "id", ""), getattr(inner.func, "attr", ""))
    ]


def test_the_system_scope_is_entered_only_by_these() -> None:
    assert {place for place, node in functions() if calls(node, "system_scope")} == SYSTEM_CALLERS


def test_each_of_them_says_why() -> None:
    found = [call for _, node in functions() for call in calls(node, "system_scope")]
    assert found
    assert all(isinstance(call.args[0], ast.Constant) and call.args[0].value for call in found)


def test_a_role_is_set_for_one_transaction_only() -> None:
    """set_config(..., true) and SET LOCAL. A plain SET would stay on the pooled connection."""
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "synkro").rglob("*.py")}
    plain = re.compile(
        r"""["']\s*set\s+(?!local\b)(session|role|app\.)|set_config\((?![^)]*,\s*true\))""", re.IGNORECASE
    )
    local = re.compile(r"set local role synkro_system")
    # the embedded server's own set-up grants with "set true", which is no SET
    assert not [str(path) for path, source in sources.items() if plain.search(source)]
    assert [path.name for path, source in sources.items() if local.search(source)] == ["tenancy.py"]
