"""A sixth service, as somebody would add it: one class, one guide, one emulator. Its part in a run: dummy_parts.py."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Flask, jsonify, request
from werkzeug.wrappers import Response

from synkro.i18n import _l
from synkro.integrations.base import SAMPLE, Act, Check, Field, Integration, Offer, Preview, Proof
from synkro.integrations.errors import ApiError, ChoiceDue, Refused
from synkro.integrations.http.calls import HttpAnswer, common_failure
from synkro.integrations.http.client import HttpClient, HttpConnection

HOST = "https://api.parcels.example"
KEY = "parcels-key-that-nobody-may-see"
PHONE = "+7 701 123 45 67"
ITEMS = [{"name": f"Parcel for {PHONE}", "phone": PHONE}, {"name": "Parcel for Aliya", "phone": "87010000002"}]
GUIDE = """{#- What a person does in Parcels. -#}
<ol class="guide"><li>Open parcels.example and press <b>New key</b> for {{ shown.title }}.</li></ol>"""


class Parcels(Integration):
    kind = "parcels"
    title = _l("Parcels")
    is_needed = True
    acts = (Act(SAMPLE), Act("track", 30))
    proof = Proof(act="track", step="fetch_parcels")
    left = _l("Tracking is left")
    fields = (Field("depot", _l("Depot"), show=True), Field("api_key", _l("API key")))
    sentences: ClassVar = {
        "parcels_not_connected": _l("Parcels is not connected."),
        "parcels_ok": _l("Connected to the depot %(depot)s."),
        "parcels_key_refused": _l("Parcels does not accept the key."),
        "parcels_tracked": _l("Parcels on their way: %(count)s."),
    }

    def connect(self, http_client: HttpClient) -> HttpConnection:
        headers = {"Authorization": f"Bearer {self.settings['api_key']}"}
        return http_client.open(self.kind, "Parcels", HOST, check_answer=_check_answer, headers=headers)

    def check(self) -> Check:
        return Check("green", "parcels_ok", {"depot": str(self.http.get("/me").json()["depot"])})

    def sample(self, count: int = 3) -> list[Preview]:
        """With the phones as they come: nobody would ever forget to mask them."""
        return [Preview(str(item["name"]), ("2026-11-19", str(item["phone"]))) for item in self.items()[:count]]

    def items(self) -> list[dict[str, Any]]:
        return list(self.http.get("/items").json())


class OwnParcels(Parcels):
    """With a server of the company's own, which staff have to agree to."""

    fields = (Field("server", _l("Server"), show=True, host=True), Field("api_key", _l("API key")))
    host_refused = "parcels_host_refused"

    def connect(self, http_client: HttpClient) -> HttpConnection:  # noqa: ARG002 -- nobody has agreed
        raise Refused(self.host_refused)


class ParcelsToChooseFrom(Parcels):
    """Nothing can be read before somebody chooses a depot."""

    def check(self) -> Check:
        raise ChoiceDue("parcels_choose_depot")

    def offers(self) -> dict[str, list[Offer]]:
        return {"depot": [Offer("n", "North"), Offer("s", "South")]}


def _check_answer(answer: HttpAnswer) -> ApiError | None:
    return Refused("parcels_key_refused") if answer.status == 401 else common_failure(answer)


def emulator() -> Flask:
    app = Flask("parcels")

    @app.before_request
    def gate() -> tuple[Response, int] | None:
        is_known = request.headers.get("Authorization") == f"Bearer {KEY}"
        return None if is_known else (jsonify(error="unauthorized"), 401)

    @app.get("/me")
    def me() -> Response:
        return jsonify(depot="North")

    @app.get("/items")
    def items() -> Response:
        return jsonify(ITEMS)

    return app
