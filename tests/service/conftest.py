"""Makes the fixtures of the modules beside it known; a file of tests may have a service and a CRM of its own."""

from service.deciding import crm, service
from service.telling import authority, ca_bundle, hook, smtp

__all__ = ["authority", "ca_bundle", "crm", "hook", "service", "smtp"]
