"""From the first page that a new company sees to its first report, by somebody who types like a person."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime

from playwright.sync_api import Browser, sync_playwright

from benchmarks.figures import line, title
from benchmarks.installation import EMAIL, Installation, installation
from benchmarks.poll import serve
from synkro.infra.queue import QUEUES
from synkro.integrations.supabase.client import schema_sql
from synkro.sandbox.demo.world import demo_world
from synkro.sandbox.server import Sandbox
from tests.browser.conftest import ARGUMENTS
from tests.support.browser.newcomer import Newcomer
from tests.support.browser.window import Window
from tests.support.practice import Practice

KEYSTROKE = 0.15
"""Seconds: forty words a minute."""
LOOK = 1.0
"""Seconds to find the next field or button. What a guide says is not read, and other sites are not visited."""
MOST_SECONDS = 180


def measure() -> bool:
    """Whether the limit holds. False, too, where there is no browser to measure it with."""
    title(f"first: empty company to first report, {KEYSTROKE:.2f} s a letter, {LOOK:.0f} s a look, vendors' real pace")
    chromium = shutil.which("chromium")
    if chromium is None:
        line("skipped, so not held", "chromium is missing")
        return False
    world = demo_world(datetime.now(UTC))
    sandbox = Sandbox(world)
    try:
        with installation(urls=sandbox.urls) as here, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            seconds = _walk(here, Practice(here.app, here.tenant, world, sandbox.urls), browser)
            browser.close()
    finally:
        sandbox.stop()
    line("first page to first report", f"{seconds:.0f} s")
    line("share of the three minutes that it may take", f"{seconds / MOST_SECONDS:.2f}")
    return seconds < MOST_SECONDS


def _walk(here: Installation, practice: Practice, browser: Browser) -> float:
    """Seconds from the overview of the empty company to the page of its first report."""
    practice.control("supabase", fault="run_sql", value=schema_sql())
    here.start("worker", "flask", "--app", "wsgi", "worker")
    here.start("scheduler", "flask", "--app", "wsgi", "scheduler")
    here.await_workers(len(QUEUES))
    window = Window(browser.new_context(locale="en-US", timezone_id="Asia/Almaty"), serve(here, "web", "wsgi:app"))
    newcomer = Newcomer(window, practice, keystroke=KEYSTROKE, look=LOOK)
    newcomer.email = EMAIL
    newcomer.signs_in(here.password)
    newcomer.reads("A few steps are left")
    began = time.monotonic()
    newcomer.comes_from_nothing_to_a_report(practice.urls["supabase"])
    return time.monotonic() - began
