"""amoCRM connected through OAuth, as a person and the vendor do it."""

from __future__ import annotations

import time

import pytest
import requests

from synkro.services.connections import amocrm_tokens, integrations
from synkro.tenancy import db, tenant_scope
from tests.support.practice import Practice


@pytest.fixture
def expired(practice: Practice) -> Practice:
    """Connected through OAuth, with a pair whose access token is too old."""
    practice.control("amocrm", set={"redirect_uri": amocrm_tokens.redirect_uri(practice.tenant.slug)})
    typed(practice, **first_pair(practice), expires_at=str(int(time.time()) - 5))
    return practice


def typed(practice: Practice, **values: str) -> None:
    """Nothing but this opens the account: what else was there is gone."""
    app = practice.world.integration
    with tenant_scope(practice.tenant.id):
        config = integrations.find("amocrm")
        assert config is not None
        config.secrets = {name: sealed for name, sealed in config.secrets.items() if name != "token"}
        db.session.commit()
        integrations.save("amocrm", {"client_id": app.client_id, "client_secret": app.client_secret, **values})
    requests.delete(f"{practice.urls['amocrm']}/__requests", timeout=60)


def new_code(practice: Practice) -> str:
    place = {"client_id": practice.world.integration.client_id, "state": "x"}
    answer = requests.get(f"{practice.urls['amocrm']}/oauth", params=place, allow_redirects=False, timeout=60)
    return answer.headers["Location"].split("code=")[1].split("&")[0]


def first_pair(practice: Practice) -> dict[str, str]:
    """What the exchange of a code gave."""
    url, app = practice.urls["amocrm"], practice.world.integration
    body = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": amocrm_tokens.redirect_uri(practice.tenant.slug),
        "grant_type": "authorization_code",
        "code": new_code(practice),
    }
    tokens = requests.post(f"{url}/oauth2/access_token", json=body, timeout=60).json()
    return {name: tokens[name] for name in ("access_token", "refresh_token")}


def refreshes(practice: Practice) -> int:
    return sum(entry["path"] == "/oauth2/access_token" for entry in practice.look("amocrm", "/__requests"))
