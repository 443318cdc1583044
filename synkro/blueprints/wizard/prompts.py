"""The texts that a company gives to the model, and what the model said when it was tried out."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from synkro.analysis.ai.prompt import DEFAULT_TASK, rules
from synkro.blueprints.reports import claim_view
from synkro.blueprints.shared import reader
from synkro.blueprints.shared.form_errors import errors_on
from synkro.blueprints.shared.found import found_or_404
from synkro.blueprints.shared.paging import asked_page, pager
from synkro.blueprints.wizard.prompt_forms import HIGHEST_VERSION, LABELS, PromptForm
from synkro.models import Trial
from synkro.models.states import Role, Topic
from synkro.services.connections import analyses, prompts, trials
from synkro.services.reports.reports import Body
from synkro.web.access import access

blueprint = Blueprint("prompts", __name__, url_prefix="/settings/ai")

PATHS = {"prompt": Topic.TASK, "knowledge": Topic.KNOWLEDGE}
"""Part of the address -> topic."""
WHICH = "/<any(prompt, knowledge):which>"
NUMBER = f"{WHICH}/<int(min=1, max={HIGHEST_VERSION}):version>"

Shown = str | tuple[str, int]


@blueprint.get(WHICH)
@access(Role.USER, settings=True)
def show(which: str) -> str:
    """start=default: with the product's own text to begin from."""
    now = prompts.current(PATHS[which])
    body = DEFAULT_TASK if which == "prompt" and request.args.get("start") == "default" else now.body
    return _page(which, PromptForm(formdata=None, data={"body": body, "read": str(now.version)}))


@blueprint.post(WHICH)
@access(Role.USER, settings=True, form=True)
def save(which: str) -> Response | Shown:
    form = PromptForm()
    if not form.validate():
        return _page(which, form), 422
    topic, before = PATHS[which], prompts.current(PATHS[which]).version
    try:
        with errors_on(form, others="body") as act:
            version = prompts.save(topic, form.body.data or "", current_user.id, read=form.version)
    except prompts.StaleVersion as refusal:
        # what was typed stays; sent once more, now that the newer text was seen, it is saved over it
        form.read.data = str(prompts.current(topic).version)
        return _page(which, form, overtaken=str(refusal.says)), refusal.status
    if act.refused:
        return _page(which, form), act.refused
    flash(gettext("Saved as version %(n)s.", n=version) if version > before else gettext("Nothing was changed."))
    return _to(which)


@blueprint.get(NUMBER)
@access(Role.USER, settings=True)
def version(which: str, version: int) -> str:
    found = prompts.find(PATHS[which], version)
    return render_template(
        "wizard/prompts/version.html",
        which=which,
        title=LABELS[PATHS[which]],
        found=found,
        by=prompts.written_by(found),
        is_newest=version == prompts.current(PATHS[which]).version,
    )


@blueprint.post(f"{NUMBER}/restore")
@access(Role.USER, settings=True)
def restore(which: str, version: int) -> Response:
    made = prompts.restore(PATHS[which], version, current_user.id)
    flash(gettext("Version %(old)s is in force again, as version %(n)s.", old=version, n=made))
    return _to(which)


@blueprint.get("/analyses")
@access(Role.USER, settings=True)
def list_analyses() -> str:
    found = analyses.earlier(asked_page(request.args))
    pages = pager(found, lambda page: url_for("prompts.list_analyses", page=page))
    return render_template("wizard/prompts/analyses.html", rows=found.rows, pager=pages)


@blueprint.get("/analyses/<uuid:trial_id>")
@access(Role.USER, settings=True)
def analysis(trial_id: uuid.UUID) -> str:
    kept = found_or_404(analyses.find(trial_id), Trial, trial_id)
    return render_template("wizard/prompts/analysis.html", kept=kept, result=trials.result(kept.trial))


@blueprint.app_template_filter("claims")
def claims(result: dict[str, Any]) -> dict[str, Any]:
    """What a test analysis has found, as reports show it."""
    body = Body("", result["findings"], result["unconfirmed"], result["managers"])
    return {"findings": claim_view.findings(body), "unconfirmed": claim_view.unconfirmed(body)}


def _to(which: str) -> Response:
    return redirect(url_for("prompts.show", which=which), 303)


def _page(which: str, form: PromptForm, overtaken: str = "") -> str:
    """overtaken: why nothing was saved, where somebody else was quicker."""
    topic = PATHS[which]
    form.body.label.text = LABELS[topic]
    found = prompts.history(topic, asked_page(request.args))
    return render_template(
        "wizard/prompts/edit.html",
        which=which,
        form=form,
        overtaken=overtaken,
        length=len(form.body.data or ""),
        most=prompts.LIMITS[topic],
        now=prompts.current(topic),
        own_text=DEFAULT_TASK if topic == Topic.TASK else "",
        rules=rules(reader.my_company().language),
        versions=found.rows,
        pager=pager(found, lambda page: url_for("prompts.show", which=which, page=page)),
    )
