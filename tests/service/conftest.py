"""Makes the fixtures of the modules beside it known; a file of tests may have a service and a CRM of its own."""

from service.decision_steps import crm, service
from service.notice_steps import authority, ca_bundle, hook, smtp

__all__ = ["authority", "ca_bundle", "crm", "hook", "service", "smtp"]
