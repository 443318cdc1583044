"""How amoCRM writes its entities as JSON: the keys, the HAL links and the blocks that `with` asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from synkro.sandbox.world import Contact, Lead, LossReason, Pipeline, Status, User, World

_PHONE = {"field_id": 300001, "field_name": "Телефон", "field_code": "PHONE", "field_type": "multitext"}
_EMAIL = {"field_id": 300003, "field_name": "Email", "field_code": "EMAIL", "field_type": "multitext"}
_PHONE_KINDS = ((310001, "WORK"), (310005, "MOB"), (310011, "OTHER"))
_GROUP = {"id": 500001, "name": "Отдел продаж"}
_LONG_AGO = 1_700_000_000


class Shapes:
    """Writes entities of one account. base: "scheme://host" for absolute links."""

    def __init__(self, world: World, base: str) -> None:
        self._account_id = world.account_id
        self._base = base
        self._reasons = {reason.id: reason for reason in world.loss_reasons}
        self._unsorted = {(p.id, s.id) for p in world.pipelines for s in p.statuses if s.kind == 1}

    def _links(self, path: str) -> dict[str, Any]:
        return {"self": {"href": f"{self._base}/api/v4/{path}"}}

    def stub(self, path: str, entity_id: int, **more: Any) -> dict[str, Any]:
        """An entity as mentioned inside another one."""
        return {"id": entity_id, **more, "_links": self._links(f"{path}/{entity_id}")}

    def lead(self, lead: Lead, blocks: Collection[str]) -> dict[str, Any]:
        """A deal; contacts and the loss reason only if `blocks` names them."""
        embedded: dict[str, Any] = {"tags": [], "companies": []}
        if "contacts" in blocks:
            embedded["contacts"] = [
                self.stub("contacts", contact_id, is_main=number == 0)
                for number, contact_id in enumerate(self.contact_ids(lead))
            ]
        if "loss_reason" in blocks and lead.loss_reason_id in self._reasons:
            embedded["loss_reason"] = [self.loss_reason(self._reasons[lead.loss_reason_id])]
        return {
            "id": lead.id,
            "name": lead.name,
            "price": lead.price,
            "responsible_user_id": lead.responsible_user_id,
            "group_id": _GROUP["id"],
            "status_id": lead.status_id,
            "pipeline_id": lead.pipeline_id,
            "loss_reason_id": lead.loss_reason_id,
            "created_by": 0,
            "updated_by": lead.responsible_user_id,
            "created_at": lead.created_at,
            "updated_at": lead.updated_at,
            "closed_at": lead.closed_at,
            "closest_task_at": None,
            "is_deleted": lead.is_deleted,
            "custom_fields_values": None,
            "score": None,
            "account_id": self._account_id,
            "labor_cost": None,
            "_links": self._links(f"leads/{lead.id}"),
            "_embedded": embedded,
        }

    def contact_ids(self, lead: Lead) -> tuple[int, ...]:
        """Contacts of an incoming lead stay hidden until it is accepted."""
        return () if (lead.pipeline_id, lead.status_id) in self._unsorted else lead.contact_ids

    def deleted_lead(self, lead: Lead) -> dict[str, Any]:
        """What `with=only_deleted` leaves of a deal."""
        return self.stub(
            "leads", lead.id, updated_at=lead.updated_at, updated_by=lead.responsible_user_id, is_deleted=True
        )

    def contact(self, contact: Contact, lead_ids: Iterable[int] | None) -> dict[str, Any]:
        """A person; lead_ids: None unless `with=leads` was asked for."""
        first, _, last = contact.name.partition(" ")
        embedded: dict[str, Any] = {"tags": [], "companies": []}
        if lead_ids is not None:
            embedded["leads"] = [self.stub("leads", lead_id) for lead_id in lead_ids]
        return {
            "id": contact.id,
            "name": contact.name,
            "first_name": first,
            "last_name": last,
            "responsible_user_id": contact.responsible_user_id,
            "group_id": _GROUP["id"],
            "created_by": 0,
            "updated_by": contact.responsible_user_id,
            "created_at": min(contact.updated_at, _LONG_AGO),
            "updated_at": contact.updated_at,
            "is_deleted": False,
            "closest_task_at": None,
            "custom_fields_values": _fields(contact) or None,
            "account_id": self._account_id,
            "_links": self._links(f"contacts/{contact.id}"),
            "_embedded": embedded,
        }

    def link(self, lead: Lead, contact_id: int) -> dict[str, Any]:
        """One tie between a deal and a contact, as the mass method writes it."""
        return {
            "entity_id": lead.id,
            "entity_type": "leads",
            "to_entity_id": contact_id,
            "to_entity_type": "contacts",
            "metadata": {"main_contact": contact_id == lead.contact_ids[0]},
        }

    def user(self, user: User) -> dict[str, Any]:
        """A user with rights: A all, M own, D denied."""
        view = "A" if user.is_admin else "M"
        entity = {"view": view, "edit": view, "add": "A", "delete": "D", "export": "D"}
        return {
            "id": user.id,
            "name": user.name,
            "email": user.email,
            "lang": "ru",
            "rights": {
                "leads": entity,
                "contacts": entity,
                "companies": entity,
                "tasks": {"edit": "A", "delete": "A"},
                "mail_access": False,
                "catalog_access": True,
                "status_rights": None,
                "is_admin": user.is_admin,
                "is_free": False,
                "is_active": user.is_active,
                "group_id": _GROUP["id"],
                "role_id": None,
            },
            "_links": self._links(f"users/{user.id}"),
            "_embedded": {"roles": [], "groups": [_GROUP]},
        }

    def pipeline(self, pipeline: Pipeline) -> dict[str, Any]:
        """A pipeline with its stages."""
        return {
            "id": pipeline.id,
            "name": pipeline.name,
            "sort": 1,
            "is_main": pipeline.is_main,
            "is_unsorted_on": True,
            "is_archive": False,
            "account_id": self._account_id,
            "_links": self._links(f"leads/pipelines/{pipeline.id}"),
            "_embedded": {"statuses": [self._status(pipeline, status) for status in pipeline.statuses]},
        }

    def _status(self, pipeline: Pipeline, status: Status) -> dict[str, Any]:
        return {
            "id": status.id,
            "name": status.name,
            "sort": status.sort,
            "is_editable": status.kind == 0,
            "pipeline_id": pipeline.id,
            "color": "#99ccff",
            "type": status.kind,
            "account_id": self._account_id,
            "_links": self._links(f"leads/pipelines/{pipeline.id}/statuses/{status.id}"),
        }

    def loss_reason(self, reason: LossReason) -> dict[str, Any]:
        """Why deals are lost."""
        return self.stub(
            "leads/loss_reasons",
            reason.id,
            name=reason.name,
            sort=100_000,
            created_at=_LONG_AGO,
            updated_at=_LONG_AGO,
        )

    def account(self, world: World, user_id: int, blocks: dict[str, Any]) -> dict[str, Any]:
        """The account; blocks: the optional keys that were asked for."""
        return {
            "id": world.account_id,
            "name": world.company,
            "subdomain": world.subdomain,
            "created_at": _LONG_AGO,
            "created_by": 0,
            "updated_at": int(world.now.timestamp()),
            "updated_by": user_id,
            "current_user_id": user_id,
            "country": "KZ",
            "currency": "KZT",
            "currency_symbol": "₸",
            "customers_mode": "segments",
            "is_unsorted_on": True,
            "mobile_feature_version": 0,
            "is_loss_reason_enabled": True,
            "is_helpbot_enabled": False,
            "is_technical_account": False,
            "contact_name_display_order": 1,
            "_links": self._links("account"),
            **blocks,
        }


def _fields(contact: Contact) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = []
    if contact.phones:
        values = [
            {"value": phone, "enum_id": _PHONE_KINDS[i % 3][0], "enum_code": _PHONE_KINDS[i % 3][1]}
            for i, phone in enumerate(contact.phones)
        ]
        fields.append({**_PHONE, "values": values})
    if contact.email:
        fields.append({**_EMAIL, "values": [{"value": contact.email, "enum_id": 310021, "enum_code": "WORK"}]})
    return fields
