"""The stand-in of amoCRM: API v4 (what a reader of deals needs) and OAuth.

The account is chosen by the bearer, since a client reaches every account at this one address. Settings for
`POST /__control {"set": {...}}`:

* filter_on (true): the paid add-on; when off, `filter[...]` of lists is accepted and silently ignored
* paid (true): when false every call answers 402
* token_rights ("admin"): "own" sees only the second user's deals and no users, "external" sees no users, "none" nothing
* revoked (false): the integration is switched off: 401, refresh "Token has been revoked"
* refresh_grace ("none" | "until_new_used"): whether a refresh token works again until its successor is first used
* long_lived_ends (2031): unix seconds; the one long-lived token is that which ends then
* access_seconds (86400): life of an access token; redirect_uri: the only one accepted, until a person
  types another one on the page of consent
* rps (7) and account_rps (50): 0 for no limit; body_429 ("json" | "html"); retry_after_429 (300)
* block_after_429 (0): after so many 429 everything answers 403 HTML until it is set to 0 again
* slow_above_limit (0): a list with a greater `limit` answers 504 HTML
* last_page ("no_next" | "next_then_204"); foreign_next_link (""): the "scheme://host" that `next` links point to
* contacts_not_embedded (false): `with=contacts` is ignored
* mutate_while_paging (false): with each page of leads served, its first and the whole list's last lead are touched

Own faults: expire_token (the bearer of the next call is too old), expire_code, access_denied (the user refuses at
/oauth), wrong_account ("Invalid account" at the token endpoint).
"""

from __future__ import annotations

from flask import Flask

from synkro.sandbox.amocrm.api import Api
from synkro.sandbox.amocrm.gate import Gate, OAuth
from synkro.sandbox.amocrm.oauth import LONG_LIVED_TO, Tokens
from synkro.sandbox.faults import Faults
from synkro.sandbox.world import World


def create_app(world: World) -> Flask:
    """An app that answers as amoCRM does for the world's account."""
    app = Flask(__name__)
    faults = Faults(
        app,
        {
            "filter_on": True,
            "paid": True,
            "token_rights": "admin",
            "revoked": False,
            "refresh_grace": "none",
            "long_lived_ends": LONG_LIVED_TO,
            "access_seconds": 86_400,
            "redirect_uri": world.integration.redirect_uri,
            "rps": 7,
            "account_rps": 50,
            "body_429": "json",
            "retry_after_429": 300,
            "block_after_429": 0,
            "slow_above_limit": 0,
            "last_page": "no_next",
            "foreign_next_link": "",
            "contacts_not_embedded": False,
            "mutate_while_paging": False,
        },
    )
    tokens = Tokens(world, faults.__getitem__)
    Gate(app, faults, tokens)
    OAuth(app, world, faults, tokens)
    Api(app, world, faults)
    return app
