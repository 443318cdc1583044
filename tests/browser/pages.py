"""The table of all pages, by who looks at them. In braces: what there is only in a test."""

from __future__ import annotations

PAGES: dict[str, tuple[str, ...]] = {
    "nobody": ("/", "/login", "/forgot", "/forgot?sent=1", "/welcome", "/reset", "/style", "/no-such-page", "/logout"),
    "invited": ("/welcome?t={invitation}",),
    "forgetful": ("/reset?t={reset}",),
    "user": (
        "/dashboard",
        "/reports",
        "/account",
        "/account/second-factor",
        "/second-factor/set-up",
        "/confirm?what=password",
        "/admin",
    ),
    "settings": (
        "/settings",
        "/settings/supabase",
        "/settings/amocrm",
        "/settings/amocrm?way=oauth",
        "/settings/radist",
        "/settings/ai",
        "/settings/ai?way=openai",
        "/settings/telegram",
        "/audit",
        "/audit?actor=nobody",
        "/settings/automation",
        "/settings/ai/prompt",
        "/settings/ai/knowledge",
        "/settings/ai/analyses",
    ),
    "guarded": ("/account", "/account/second-factor", "/account/second-factor#renew", "/confirm?what=code"),
    "asked": ("/second-factor",),
    "new staff": ("/second-factor/set-up",),
    "admin": (
        "/admin",
        "/admin?q=nothing",
        "/admin/companies/new",
        "/admin/companies/{company}",
        "/admin/companies/{company}/settings",
        "/admin/companies/{company}/settings/amocrm",
        "/admin/people",
        "/admin/people?q=nobody",
        "/admin/people/new?company=alfa",
        "/admin/people/{person}",
        "/admin/people/{person}#ask-delete",
        "/admin/audit",
        "/admin/audit?actor=nobody",
        "/admin/health",
        "/account",
    ),
    "lite": ("/admin", "/admin/companies/{company}", "/admin/people/new", "/admin/people/{person}"),
    "reader": ("/dashboard", "/reports", "/runs/{run}", "/reports/{report}"),
}

NO_PAGES = {
    "amocrm.authorize": "leads to amoCRM",
    "amocrm.callback": "leads on to the settings; its refusal is the page of errors",
    "amocrm.disabled": "for amoCRM's server",
    "static": "files",
    "public.healthy": "for monitors",
    "public.ready": "for monitors",
    "audit.staff_export": "a file",
    "audit.company_export": "a file",
    "company_settings.state": "a block of a page that renews itself",
    "health.now": "a block of a page that renews itself",
    "prompts.analysis": "tests/browser/test_ai_pages.py",
    "prompts.version": "tests/browser/test_ai_pages.py",
    "runs.steps": "a block of a page that renews itself",
}
FOREIGN = "rq_dashboard."
"""Pages of a library: tests/browser/test_queue_pages.py."""
