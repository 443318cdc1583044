"""The page on which an administrator of the practice account lets an integration in."""

from __future__ import annotations

from collections.abc import Mapping

from flask import render_template_string

_PAGE = """<!doctype html>
<html lang="ru"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Предоставить доступ</title>
<style>body{font:16px/1.5 sans-serif;max-width:32rem;margin:10vh auto;padding:0 1rem}
input{box-sizing:border-box;width:100%;font:inherit;padding:.5rem}button{font:inherit;padding:.6rem 1rem}</style></head>
<body><h1>Предоставить доступ?</h1>
<p>Учебный аккаунт «{{ company }}». Интеграция просит доступ к данным аккаунта.</p>
<form method="get" action="/oauth">
{% for name, value in asked.items() %}<input type="hidden" name="{{ name }}" value="{{ value }}">
{% endfor %}<p><label for="redirect_uri">Ссылка для перенаправления (как в настройках интеграции)</label>
<input id="redirect_uri" name="redirect_uri" value="{{ redirect_uri }}"></p>
<p><button name="answer" value="yes">Разрешить</button> <button name="answer" value="no">Отказать</button></p>
</form></body></html>
"""


def consent_page(company: str, redirect_uri: str, asked: Mapping[str, str]) -> str:
    """redirect_uri: as it stands in the integration's settings; what is typed over it is saved there.

    In the vendor's interface it is typed on another page, which the practice account does not have.
    """
    kept = {name: asked[name] for name in ("client_id", "state", "mode") if name in asked}
    return render_template_string(_PAGE, company=company, redirect_uri=redirect_uri, asked=kept)
