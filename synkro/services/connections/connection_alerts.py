"""Telling a company, once, how a service has changed: by letter and in its Telegram group."""

from __future__ import annotations

import logging
from typing import Literal, cast

from flask_babel import force_locale, gettext
from sqlalchemy import select

from synkro.integrations import INTEGRATIONS
from synkro.integrations.errors import ApiError
from synkro.integrations.telegram.client import Telegram
from synkro.models import IntegrationConfig, Tenant
from synkro.services.connections import integrations, telegram_group
from synkro.services.mail import company_notices
from synkro.services.shared.wording import sentence
from synkro.tenancy import current_tenant_id, db, end_reading

log = logging.getLogger(__name__)

Change = Literal["broken", "mended", "remark"]
TELL = "tell"
TELL_SECONDS = 30
GROUP_SECONDS = 10
"""For the message, after the wait for a turn in the group."""


def tell(kind: str) -> None:
    """Tell the news of a service, if nobody has. The group is told, too, unless it is what does not work."""
    config = _news(kind)
    if config is None:
        return
    change, code, params = cast(Change, config.news), config.check_code or "", dict(config.check_params)
    company_notices.connection_changed(config.tenant_id, kind, change, lambda: sentence(code, params))
    config.news = ""  # not before the letters are stored: none is lost
    db.session.commit()
    if kind == Telegram.kind and change == "broken":
        return
    tenant = db.session.get(Tenant, current_tenant_id())
    end_reading()
    if tenant is not None:
        with force_locale(tenant.language):
            _tell_group(_words(kind, change, sentence(code, params)))


def _news(kind: str) -> IntegrationConfig | None:
    """Held. What was saved since then has to be checked first."""
    fresh = (IntegrationConfig.kind == kind, IntegrationConfig.news != "", IntegrationConfig.check_code.is_not(None))
    held = select(IntegrationConfig).where(*fresh).with_for_update().execution_options(populate_existing=True)
    return db.session.execute(held).scalar_one_or_none()


def _words(kind: str, change: Change, says: str) -> str:
    service = str(INTEGRATIONS[kind].title)
    if change == "mended":
        return str(gettext("%(service)s works again.", service=service))
    if change == "remark":
        return f"{service}: {says}"
    head = gettext("%(service)s does not work, so reports may fail.", service=service)
    where = gettext("Open Settings in Synkro, choose %(service)s and press Check.", service=service)
    return f"{head}\n{says}\n{where}"


def _tell_group(text: str) -> None:
    """Once: a message that may have arrived is not sent again, and the letter goes in any case."""
    try:
        telegram = integrations.build(Telegram.kind)
        if isinstance(telegram, Telegram) and telegram.chat_id:
            telegram_group.follow(telegram, telegram.test_message(text, GROUP_SECONDS))
    except ApiError as error:
        log.info("group not told", extra={"fields": {"code": error.code}})
