"""A report as titled lines of plain text, the one source of every form it is shown in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from synkro.analysis.ai.answer import Answer
from synkro.analysis.figures.definitions import CUT, LOSSES, STAGES
from synkro.analysis.figures.window import Window
from synkro.analysis.report.wording import Translate, duration, moment, number


@dataclass(frozen=True, slots=True)
class ReportText:
    """figures: the result of Figures. answer is None when the AI took no part. ai_gap: a sentence why, or why
    it has not read all it should.
    """

    company: str
    number: str
    window: Window
    zone: ZoneInfo
    figures: Mapping[str, Any]
    answer: Answer | None
    ai_gap: str = ""
    sandbox: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines may hold strangers' text: whoever shows them escapes them.

    of: what a line tells of, where a short form of the report may leave lines out; "" where all of them are needed.
    doubt: what no message confirms, for those only who can look at it beside its reason.
    """

    title: str
    lines: tuple[str, ...]
    of: Literal["", "finding", "manager", "doubt"] = ""


def heading(report: ReportText, gettext: Translate) -> Section:
    zone, window = report.zone, report.window
    words = {
        "start": moment(window.start.astimezone(zone)),
        "end": moment(window.end.astimezone(zone)),
        "number": report.number,
    }
    lines = [gettext("Report %(number)s: %(start)s – %(end)s") % words]
    if report.sandbox:
        lines.insert(0, gettext("SANDBOX: practice data, no real clients"))
    if report.answer is None:
        lines.append(gettext("Figures only. %(reason)s") % {"reason": report.ai_gap})
    elif report.ai_gap:
        lines.append(gettext("Not all dialogs were analysed. %(reason)s") % {"reason": report.ai_gap})
    return Section(report.company, tuple(lines))


def sections(report: ReportText, gettext: Translate) -> Iterator[Section]:
    """Without empty ones, the AI's words first: people read the beginning."""
    figures = report.figures
    if report.answer:
        yield from _claims(report.answer, gettext)
    yield Section(gettext("Deals"), tuple(_deals(figures, gettext)))
    yield Section(gettext("Dialogs"), tuple(_dialogs(figures, gettext)))
    yield Section(gettext("Response times"), tuple(_speed(figures, gettext)))
    if figures["by_manager"]:
        title = gettext("Managers, by the deal's responsible user")
        yield Section(title, tuple(_manager(row, gettext) for row in figures["by_manager"]), "manager")
    yield Section(gettext("Coverage"), tuple(_coverage(figures)))


def _claims(answer: Answer, gettext: Translate) -> Iterator[Section]:
    titles = {
        "risk": gettext("Risks"),
        "loss": gettext("Losses"),
        "praise": gettext("Well done"),
        "idea": gettext("Ideas"),
        "question": gettext("Questions"),
    }
    if answer.summary:
        yield Section(gettext("Summary"), tuple(answer.summary.splitlines()), "finding")
    for kind, title in titles.items():
        if found := tuple(finding.text for finding in answer.findings if finding.kind == kind):
            yield Section(title, found, "finding")
    if answer.managers:
        remarks = tuple(f"{item.name}: {item.remark}" for item in answer.managers)
        yield Section(gettext("About managers"), remarks, "finding")
    if answer.unconfirmed:
        yield Section(gettext("Not confirmed by any message"), answer.unconfirmed, "doubt")


def _deals(figures: Mapping[str, Any], gettext: Translate) -> Iterator[str]:
    yield gettext("In the period: %(total)s; won: %(won)s; lost: %(lost)s; open: %(open)s") % {
        "total": number(figures["leads_in_window"]),
        "won": number(figures["leads_won"]),
        "lost": number(figures["leads_lost"]),
        "open": number(figures["leads_open"]),
    }
    yield gettext("Sum of won deals: %(sum)s") % {"sum": number(figures["price_sum_won"])}


def _dialogs(figures: Mapping[str, Any], gettext: Translate) -> Iterator[str]:
    yield gettext("Chats with a deal: %(chats)s; active: %(active)s") % {
        "chats": number(figures["chats_matched"]),
        "active": number(figures["active_chats"]),
    }
    yield gettext("Messages from clients: %(incoming)s; to clients: %(outgoing)s; failed: %(failed)s") % {
        "incoming": number(figures["messages_in"]),
        "outgoing": number(figures["messages_out"]),
        "failed": number(figures["out_failed"]),
    }
    yield gettext("Unanswered: %(count)s") % {"count": number(figures["unanswered"])}
    yield gettext("Active chats without a deal: %(active)s; waiting for an answer: %(waiting)s") % {
        "active": number(figures["unmatched_active"]),
        "waiting": number(figures["unmatched_waiting"]),
    }


def _speed(figures: Mapping[str, Any], gettext: Translate) -> Iterator[str]:
    for title, source in (
        (gettext("Around the clock"), figures),
        (gettext("In working hours"), figures["working_hours"]),
    ):
        yield gettext("%(title)s. First response: %(first)s. All responses: %(all)s") % {
            "title": title,
            "first": _spread(source["first_response_median_s"], source["first_response_p90_s"], gettext),
            "all": _spread(source["response_median_s"], source["response_p90_s"], gettext),
        }


def _spread(median: float | None, p90: float | None, gettext: Translate) -> str:
    if median is None:
        return duration(None, gettext)
    words = {"median": duration(median, gettext), "p90": duration(p90, gettext)}
    return gettext("median %(median)s, 9 of 10 within %(p90)s") % words


def _manager(row: Mapping[str, Any], gettext: Translate) -> str:
    words = gettext("%(name)s: deals %(leads)s, chats %(chats)s, first response %(first)s, unanswered %(unanswered)s")
    return words % {
        "name": row["name"],
        "leads": number(row["leads_in_window"]),
        "chats": number(row["chats_matched"]),
        "first": duration(row["first_response_median_s"], gettext),
        "unanswered": number(row["unanswered"]),
    }


def _coverage(figures: Mapping[str, Any]) -> Iterator[str]:
    for stage in figures["coverage"]:
        lost = "; ".join(f"{LOSSES[reason]}: {number(count)}" for reason, count in stage["lost"].items())
        yield f"{STAGES[stage['stage']]}: {number(stage['count'])}" + (f" ({lost})" if lost else "")
    if cut := figures["chats_by_outcome"].get("analysed_in_part"):
        yield str(CUT) % {"count": number(cut)}
