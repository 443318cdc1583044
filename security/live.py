"""Scanners that speak with the running program: wapiti, schemathesis, sqlmap."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from security.outcome import Finding, Outcome
from security.site import Site
from security.tools import BIN, WAPITI, run

WAPITI_MODULES = "xss,permanentxss,sql,redirect,csrf,http_headers,cookieflags,csp,file,exec,crlf"
WAPITI_LEVELS = {0: "info", 1: "low", 2: "medium", 3: "high", 4: "high"}
CRAWL_SECONDS, ATTACK_SECONDS = 45, 10
"""Of the whole crawl, and of each module."""


def wapiti(site: Site, work: Path, who: str, *, start: str = "/", password: str = "") -> Outcome:
    """With a password it signs in through the form; without one X-Scan-As stands for the second factor, too."""
    name = f"wapiti as {who.partition('@')[0]}"
    report, own = work / f"{name}.json".replace(" ", "-"), work / name.replace(" ", "-")
    asked = ["-u", f"{site.url}/", "-s", site.url + start, "-x", f"{site.url}/logout", "-m", WAPITI_MODULES]
    asked += ["--max-scan-time", str(CRAWL_SECONDS), "--max-attack-time", str(ATTACK_SECONDS), "-d", "4"]
    asked += ["--store-session", str(own), "--store-config", str(own), "--flush-session", "--no-bugreport"]
    asked += ["-H", "Accept-Language: en", "--tasks", "8", "-f", "json", "-o", str(report)]
    signed_in = ["--form-user", who, "--form-password", password, "--form-url", f"{site.url}/login"]
    told = run([WAPITI, *asked, *(signed_in if password else ["-H", f"X-Scan-As: {who}"])], work, 240)
    if not report.exists():
        return Outcome(name, broken=told.tail, seconds=told.seconds)
    found = json.loads(report.read_text())
    findings = [
        Finding(
            WAPITI_LEVELS[one["level"]], kind, f"{one['method']} {one['path']} {one['parameter'] or ''}", one["info"]
        )
        for group in ("vulnerabilities", "anomalies")
        for kind, ones in found[group].items()
        for one in ones
    ]
    outcome = Outcome(name, f"{found['infos']['crawled_pages_nbr']} pages and forms", findings, told.seconds)
    if password and not found["infos"]["auth"]["logged_in"]:
        outcome.broken = "did not sign in"
    return outcome


def schemathesis(site: Site, work: Path, who: str, *, paths: str) -> Outcome:
    """Every route whose path matches: what a document in OpenAPI says about it, and much that it does not say."""
    name = f"schemathesis as {who.partition('@')[0]}"
    schema, report = work / "schema.json", work / f"{name}.json".replace(" ", "-")
    schema.write_text(json.dumps(site.schema), encoding="utf-8")
    asked = ["--url", site.url, "-H", f"X-Scan-As: {who}", "-H", f"X-CSRFToken: {site.csrf}", "--seed", "1"]
    asked += [
        "--checks",
        "not_a_server_error",
        "--phases",
        "examples,coverage,fuzzing",
        "--max-examples",
        "12",
        "--no-shrink",
    ]
    asked += ["--include-path-regex", paths, "--continue-on-failure", "--max-redirects", "0", "--workers", "1"]
    # one worker: parsing its own source in two threads breaks CPython 3.11 ("recursion depth mismatch")
    asked += ["--request-timeout", "20", "--report", "json", "--report-json-path", str(report)]
    told = run([BIN / "schemathesis", "run", schema, *asked], work, 150)
    if not report.exists():
        return Outcome(name, broken=told.tail, seconds=told.seconds)
    found = json.loads(report.read_text())
    # the report counts, the output tells: title, then the request that it happened with
    cases = re.findall(r"curl -X (\w+) .*?'?(http://[^\s']+)", told.output)
    findings = [Finding("medium", "server error", f"{method} {url}") for method, url in dict.fromkeys(cases)]
    asked_of = found["operations"]["selected"]
    outcome = Outcome(name, f"{asked_of} routes, {found['test_cases']['generated']} requests", findings, told.seconds)
    if not findings and (found["failures"] or found["errors"] or not asked_of):
        told_errors = re.search(r"=+ ERRORS =+\n(.*?)\n=====", told.output, re.DOTALL)
        outcome.broken = " ".join((told_errors[1] if told_errors else told.tail).split())[:400]
    return outcome


def sqlmap(site: Site, work: Path, member: str, chief: str, *, paths: str = "") -> Outcome:
    """Every route that matches and reads a parameter. Not --smart: it trusts shown errors, and ours are not shown."""
    requests = list(_requests(site, member, chief, paths))
    log, results = work / "requests.txt", work / "sqlmap.csv"
    line = "=" * 54
    log.write_text("".join(f"{line}\n{site.url}\n{line}\n{one}\n{line}\n" for one in requests), encoding="utf-8")
    asked: list[str | Path] = [
        "-l",
        log,
        "--batch",
        "--level",
        "1",
        "--risk",
        "1",
        "--technique",
        "BEU",
        "--threads",
        "4",
    ]
    asked += ["--ignore-code", "*", "--ignore-redirects", "--flush-session", "--disable-coloring", "--timeout", "10"]
    asked += ["--output-dir", work / "sqlmap", "--results-file", results, "--skip", "next,page"]
    told = run([BIN / "sqlmap", *asked], work, 600)
    tested = len(set(re.findall(r"parameter '([^']+)'", told.output)))
    findings = []
    if results.exists():
        with results.open(newline="") as file:
            findings = [
                Finding("high", "SQL injection", f"{row['Place']} {row['Target URL']} {row['Parameter']}")
                for row in csv.DictReader(file)
                if row["Parameter"]
            ]
    looked = f"{len(requests)} requests, {tested} names of parameters"
    return Outcome("sqlmap", looked, findings, told.seconds, "" if tested and told.code == 0 else told.tail)


def _requests(site: Site, member: str, chief: str, paths: str) -> Iterator[str]:
    host = site.url.removeprefix("http://")
    for path, operations in site.schema["paths"].items():
        if not re.search(paths, path):
            continue
        real = re.sub(r"\{(\w+)\}", lambda found: site.ids.get(found[1], "1"), path)
        who = chief if path.startswith("/admin") else member
        head = f"Host: {host}\nX-Scan-As: {who}\nX-CSRFToken: {site.csrf}\n"
        for method, told in operations.items():
            names = {one["name"] for one in told["parameters"] if one["in"] == "query"} - {"next", "page"}
            form = told.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {})
            fields = form.get("schema", {}).get("properties", {})
            if fields:
                body = urlencode(dict.fromkeys(fields, "1"))
                kind = "Content-Type: application/x-www-form-urlencoded"
                yield f"{method.upper()} {real} HTTP/1.1\n{head}{kind}\nContent-Length: {len(body)}\n\n{body}"
            elif names:
                yield f"{method.upper()} {real}?{urlencode(dict.fromkeys(sorted(names), '1'))} HTTP/1.1\n{head}\n"
