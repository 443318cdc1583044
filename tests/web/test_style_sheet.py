"""The style sheet: many files for those who write it, one request for those who read."""

from __future__ import annotations

import re

import pytest
from werkzeug.test import TestResponse

from synkro.web import style_sheet
from tests.support.web_client import Browser

APART = {"report", "print", "queue_pages"}
"""Sheets that some pages load besides."""


def links(page: TestResponse) -> list[str]:
    found: list[str] = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page.text)
    return found


def test_page_asks_for_one_sheet(client: Browser) -> None:
    assert len(links(client.get("/login"))) == 1


def test_sheet_holds_every_part(client: Browser) -> None:
    sent = client.get(links(client.get("/login"))[0]).text
    files = (part for part in style_sheet.FOLDER.rglob("*.css") if part.stem not in APART)
    assert [part.name for part in files if part.read_text("utf-8") not in sent] == []


@pytest.mark.parametrize("name", [part.stem for part in (style_sheet.FOLDER / "ui").glob("*.css")])
def test_part_is_named_like_its_macros(name: str) -> None:
    assert (style_sheet.FOLDER.parents[1] / f"templates/ui/{name}.html").is_file()


def test_sheet_at_its_own_address_stays(client: Browser) -> None:
    sheet = client.get(links(client.get("/login"))[0])
    assert sheet.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_sheet_at_an_older_address_is_looked_at_again(client: Browser) -> None:
    sheet = client.get(f"/static/{style_sheet.NAME}?v=older")
    assert sheet.headers["Cache-Control"] == "no-cache"


def test_sheet_that_is_the_same_is_not_sent_again(client: Browser) -> None:
    tag = client.get(f"/static/{style_sheet.NAME}").headers["ETag"]
    assert client.get(f"/static/{style_sheet.NAME}", headers={"If-None-Match": tag}).status_code == 304
