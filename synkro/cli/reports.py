"""flask reports."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup

from synkro.analysis.figures.window import parse_instant
from synkro.cli.runs import exit_by, print_run, wait
from synkro.cli.words import EXITS, OPERATOR, command, fail, say, show, the_tenant
from synkro.integrations.supabase.client import Supabase
from synkro.models import Report
from synkro.models.states import RunKind
from synkro.services.connections import integrations
from synkro.services.reports import reports, runs
from synkro.services.reports.reports import Body
from synkro.tenancy import end_reading, system_scope, tenant_scope

group = AppGroup("reports", help="Reports.", epilog=EXITS)
COMMANDS = (group,)


@group.command("run")
@click.argument("slug")
@click.option("--from", "start", required=True, help="ISO time; without offset in the company's zone.")
@click.option("--to", "end", required=True, help="ISO time, not included.")
@click.option("--kind", type=click.Choice([str(kind) for kind in RunKind]), default="manual", show_default=True)
@click.option("--wait", "waiting", is_flag=True, help="Wait for the end. Exit 0 when it succeeded.")
@click.option("--json", "json_wanted", is_flag=True, help="Print the run as JSON.")
@command
def run(slug: str, start: str, end: str, kind: str, *, waiting: bool, json_wanted: bool) -> None:
    """Make a report for the company SLUG. If one is being made, that one is shown."""
    tenant = the_tenant(slug)
    zone = ZoneInfo(tenant.timezone)
    window = (_instant(start, zone), _instant(end, zone))
    with tenant_scope(tenant.id):
        begun, is_new = runs.start(tenant, RunKind(kind), *window, actor=OPERATOR)
        say(f"{'started' if is_new else 'there is already'} {begun.id}")
        status = wait(begun.id) if waiting else ""
        print_run(begun.id, json_wanted=json_wanted)
    if waiting:
        exit_by(status)


def _instant(text: str, zone: ZoneInfo) -> datetime:
    try:
        return parse_instant(text, zone)
    except ValueError:
        raise click.UsageError(f"{text!r} is not an ISO time") from None


@group.command("show")
@click.argument("report")
@click.option("--json", "json_wanted", is_flag=True, help="Print everything as JSON.")
@command
def show_report(report: str, *, json_wanted: bool) -> None:
    """The report REPORT (its id)."""
    found = _found(report)
    with tenant_scope(found.tenant_id):
        body = reports.body(found) or _from_supabase(found)
        usage = reports.ai_usage(found.run_id)
    if json_wanted:
        show(_as_json(found, body, usage))
    else:
        click.echo(body.text)


def _found(text: str) -> Report:
    try:
        report_id = uuid.UUID(text)
    except ValueError:
        raise click.UsageError("REPORT is the id of a report") from None
    with system_scope("cli: a report is named without its tenant"):
        report = reports.find(report_id)
    if report is None:
        fail("There is no such report (no_report)")
    return report


def _from_supabase(report: Report) -> Body:
    """After retention the text is only with the client."""
    end_reading()
    supabase = integrations.build(Supabase.kind)
    if not isinstance(supabase, Supabase):
        raise TypeError(Supabase.kind)
    wanted = (("report_id", f"eq.{report.id}"),)
    rows = list(supabase.select("synkro_reports", ("body_markdown", "findings"), filters=wanted))
    if not rows:
        fail("The text of this report is not in Supabase any more (report_text_gone)")
    return Body(str(rows[0]["body_markdown"]), list(rows[0]["findings"]), [], [])


def _as_json(report: Report, body: Body, usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(report.id),
        "run": str(report.run_id),
        "status": report.status,
        "sandbox": report.sandbox,
        "window": [report.window_start.isoformat(), report.window_end.isoformat()],
        "summary": report.summary,
        "figures": report.figures,
        "coverage": report.coverage,
        "findings": body.findings,
        "unconfirmed": body.unconfirmed,
        "managers": body.managers,
        "text": body.text,
        "ai": usage,
    }
