"""How Partner Center refuses."""

from __future__ import annotations

from w365.demo.wire import Reply, json_reply


class PartnerCenterRefusal(Exception):
    """What the service answers instead."""

    def __init__(self, description: str, status: int = 400, code: int = 2000) -> None:
        super().__init__(description)
        self.description, self.status, self.code = description, status, code

    def make_reply(self) -> Reply:
        content = {"code": self.code, "description": self.description, "data": [], "source": "PartnerFD"}
        return json_reply(self.status, content, bom=True)
