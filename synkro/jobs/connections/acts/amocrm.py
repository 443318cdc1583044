"""amoCRM: the deals that were changed last, these deals written into the client's Supabase, names of stages renewed."""

from __future__ import annotations

from synkro.infra.records import Contact, Lead
from synkro.integrations.amocrm.client import Amocrm
from synkro.integrations.base import SAMPLE
from synkro.integrations.supabase.client import Supabase
from synkro.jobs.connections.acts.tried import Acts, Tried, client, counted, last, shown, upsert
from synkro.jobs.reports.client_rows import contact_row, lead_row, origin
from synkro.models import Trial
from synkro.services.connections import crm


def latest_deals(_trial: Trial) -> Tried:
    """Kept whole, so that what is written is what was shown."""
    amocrm = client(Amocrm)
    account, latest = amocrm.account(), amocrm.latest()
    if not latest.leads:
        return Tried("yellow", "amocrm_no_leads")
    kept = {
        "previews": shown(latest.previews()),
        "account_id": account.id,
        "leads": [lead.to_json() for lead in latest.leads],
        "contacts": [contact.to_json() for contact in latest.contacts],
        "managers": {str(manager.id): manager.name for manager in latest.managers},
    }
    return Tried("green", "amocrm_sample_ok", {"leads": len(latest.leads)}, kept)


def write(trial: Trial) -> Tried:
    """Green when Supabase has confirmed every row and the rows can be counted there."""
    found = last("amocrm", SAMPLE)
    if found is None:
        return Tried("red", "sample_first")
    own = {"account_id": found["account_id"], **origin(trial.id)}
    leads = [lead_row(Lead.from_json(row)) | own for row in found["leads"]]
    contacts = [contact_row(Contact.from_json(row)) | own for row in found["contacts"]]
    supabase = client(Supabase)
    written = {
        "synkro_leads": upsert(supabase, "synkro_leads", leads),
        "synkro_contacts": upsert(supabase, "synkro_contacts", contacts),
    }
    return counted(supabase, trial, written)


def names(_trial: Trial) -> Tried:
    """The copy of what pipelines, stages and reasons are called, as of now."""
    amocrm = client(Amocrm)
    account, stages, reasons = amocrm.account(), amocrm.stages(), amocrm.loss_reasons()
    crm.keep(account.id, stages, reasons)
    pipelines = len({stage.pipeline_id for stage in stages})
    found = {"pipelines": pipelines, "stages": len(stages), "reasons": len(reasons)}
    return Tried("green", "amocrm_names_ok", found)


ACTS: Acts = {SAMPLE: latest_deals, "write": write, "names": names}
