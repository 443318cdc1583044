"""What exists: tables, states and the moves between them."""

from synkro.models.accounts import CurrentSession, Tenant, User
from synkro.models.audit import AuditLog
from synkro.models.auth import Credential, LinkPurpose, OneTimeLink, RecoveryCode, StoredLetter, WebSession
from synkro.models.crm import CrmLossReason, CrmPipeline, CrmStage
from synkro.models.reports import Delivery, Report, ReportComment, ReportMessage
from synkro.models.runs import AiCall, Artifact, JobRun, JobStep
from synkro.models.setup import ApprovedHost, Automation, IntegrationConfig, Prompt, Trial
from synkro.models.system import SystemMark

__all__ = [
    "AiCall",
    "ApprovedHost",
    "Artifact",
    "AuditLog",
    "Automation",
    "Credential",
    "CrmLossReason",
    "CrmPipeline",
    "CrmStage",
    "CurrentSession",
    "Delivery",
    "IntegrationConfig",
    "JobRun",
    "JobStep",
    "LinkPurpose",
    "OneTimeLink",
    "Prompt",
    "RecoveryCode",
    "Report",
    "ReportComment",
    "ReportMessage",
    "StoredLetter",
    "SystemMark",
    "Tenant",
    "Trial",
    "User",
    "WebSession",
]
