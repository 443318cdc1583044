"""What exists: tables, states and the moves between them."""

from synkro.models.accounts import Tenant, User
from synkro.models.audit import AuditLog
from synkro.models.reports import Delivery, Report, ReportComment, ReportMessage
from synkro.models.runs import AiCall, Artifact, JobRun, JobStep
from synkro.models.setup import Automation, IntegrationConfig, Prompt
from synkro.models.system import SystemMark

__all__ = [
    "AiCall",
    "Artifact",
    "AuditLog",
    "Automation",
    "Delivery",
    "IntegrationConfig",
    "JobRun",
    "JobStep",
    "Prompt",
    "Report",
    "ReportComment",
    "ReportMessage",
    "SystemMark",
    "Tenant",
    "User",
]
