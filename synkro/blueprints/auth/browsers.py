"""What a browser is called among people, told from what it says of itself."""

from __future__ import annotations

from flask_babel import gettext

BROWSERS = (
    ("YaBrowser/", "Yandex Browser"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Edg", "Edge"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""A mark and a name. The first that fits: each of the upper ones also calls itself one of the lower ones."""
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """ "Firefox on Windows"; "Unknown browser" where nothing is told."""
    browser, system = (next((name for mark, name in table if mark in agent), "") for table in (BROWSERS, SYSTEMS))
    if browser and system:
        return str(gettext("%(browser)s on %(system)s", browser=browser, system=system))
    return browser or system or str(gettext("Unknown browser"))
