"""The question that every open page of a run asks each two seconds, beside the least that one read can cost."""

from __future__ import annotations

import re
import socket
import urllib.parse
import urllib.request
from collections import defaultdict
from datetime import UTC, datetime
from http.cookiejar import CookieJar
from statistics import median

from benchmarks.figures import line, title
from benchmarks.installation import EMAIL, Installation, installation
from benchmarks.load import THREADS, Target, ask, rate
from synkro.infra import stores
from synkro.models.plan import PLAN
from synkro.services.reports import steps
from synkro.tenancy import tenant_scope

ROUNDS = 7
REQUESTS = 400
WORKERS = 2
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def measure() -> bool:
    title(f"poll: GET /runs/<id>/steps, gunicorn with {WORKERS} sync workers, {THREADS} threads asking over loopback")
    with installation() as here:
        here.env["FLOOR_DATABASE_URL"] = stores.database_url(here.config)
        web, floor = serve(here, "web", "benchmarks.unlimited:app"), serve(here, "floor", "benchmarks.floor:app")
        targets = _targets(here, web, floor)
        found = _rounds(targets)
    least = median(found[targets[0].name])
    for target in targets:
        line(f"{target.name}: median of {ROUNDS} x {REQUESTS}", f"{median(found[target.name]):,.0f} requests/s")
    for target in targets[1:]:
        line(f"ratio to the bare view, {target.name}", f"{median(found[target.name]) / least:.2f}")
    return True


def serve(here: Installation, name: str, app: str) -> str:
    """Base URL of an app, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    here.start(name, "gunicorn", app, "--bind", address, "--workers", str(WORKERS))
    here.processes.patiently(lambda: _answers(address), 60)
    return f"http://{address}"


def _answers(address: str) -> bool | None:
    try:
        ask(Target("ready", f"http://{address}/health", 200, {}))
    except OSError:
        return None
    return True


def _targets(here: Installation, web: str, floor: str) -> list[Target]:
    """The bare view first. The run stands in its middle: four steps are done, the fifth is being worked on."""
    run_id = here.start_run(datetime.now(UTC))
    with tenant_scope(here.tenant.id):
        for plan in PLAN[:4]:
            if held := steps.claim(run_id, plan.key, 3600):
                steps.finish(held, "green", None, "{}", 10, 10)
        steps.claim(run_id, PLAN[4].key, 3600)
    page = {"Cookie": _signed_in(here, web), "HX-Request": "true"}
    fresh = Target("poll, whole block (200)", f"{web}/runs/{run_id}/steps", 200, page)
    status, headers, _ = ask(fresh)
    if status != fresh.status:
        raise SystemExit(f"the poll answered {status}")
    same = Target("poll, nothing new (304)", fresh.url, 304, {**page, "If-None-Match": headers["etag"]})
    return [Target("bare Flask view with one SELECT", f"{floor}/{here.tenant.id}", 200, {}), fresh, same]


def _signed_in(here: Installation, web: str) -> str:
    """The cookie that a browser has after the form."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    with browser.open(f"{web}/login", timeout=30) as page:
        token = TOKEN.search(page.read().decode())
    form = {"csrf_token": token[1] if token else "", "email": EMAIL, "password": here.password}
    browser.open(f"{web}/login", urllib.parse.urlencode(form).encode(), timeout=30).close()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def _rounds(targets: list[Target]) -> dict[str, list[float]]:
    """In turns, so that a busy neighbour hits all alike; the first round is not counted."""
    found: dict[str, list[float]] = defaultdict(list)
    for turn in range(ROUNDS + 1):
        for target in targets:
            one = rate(target, REQUESTS)
            if turn:
                found[target.name].append(one)
    return found
