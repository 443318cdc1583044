"""What exists: tables, states and the moves between them."""

from synkro.models.accounts import Sitting, Tenant, User
from synkro.models.audit import AuditLog
from synkro.models.entry import Credential, LinkPurpose, OneTimeLink, RecoveryCode, StoredLetter, WebSession
from synkro.models.reports import Delivery, Report, ReportComment, ReportMessage
from synkro.models.runs import AiCall, Artifact, JobRun, JobStep
from synkro.models.setup import Automation, IntegrationConfig, Prompt
from synkro.models.system import SystemMark

__all__ = [
    "AiCall",
    "Artifact",
    "AuditLog",
    "Automation",
    "Credential",
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
    "Sitting",
    "StoredLetter",
    "SystemMark",
    "Tenant",
    "User",
    "WebSession",
]
