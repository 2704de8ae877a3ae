"""The CRM accounts that can be suggested, packed as text: about 150 bytes each instead of a graph of objects."""

from __future__ import annotations

from collections.abc import Iterator

from w365.matching.postings import Texts
from w365.matching.scores import Prospect, ProspectDomain
from w365.model import Rule

_MARK = "\x1f"
_RULES = {rule: str(at) for at, rule in enumerate(Rule)}
_RULE_OF = {sign: rule for rule, sign in _RULES.items()}


class Prospects:
    """Accounts by id. Each put gives the account a new place, larger than all before; it is its place until dropped."""

    def __init__(self) -> None:
        self._texts = Texts()
        self._place_of: dict[int, int] = {}
        self._account_at: list[int] = []

    def __len__(self) -> int:
        return len(self._place_of)

    def __contains__(self, account_id: int) -> bool:
        return account_id in self._place_of

    def __iter__(self) -> Iterator[Prospect]:
        return (_unpack(account_id, self._texts[place]) for account_id, place in self._place_of.items())

    def get(self, account_id: int) -> Prospect | None:
        place = self._place_of.get(account_id)
        return None if place is None else _unpack(account_id, self._texts[place])

    @property
    def places(self) -> int:
        """How many places were ever given, those of dropped accounts among them."""
        return len(self._account_at)

    def put(self, prospect: Prospect) -> int:
        """Keep an account that is not among them yet, and give its place."""
        place = self._place_of[prospect.account_id] = len(self._account_at)
        self._account_at.append(prospect.account_id)
        self._texts.append(_pack(prospect))
        return place

    def drop(self, account_id: int) -> None:
        del self._place_of[account_id]

    def at(self, places: list[int]) -> list[int]:
        """Give the accounts that are still at these places."""
        accounts = ((self._account_at[place], place) for place in places)
        return [account_id for account_id, place in accounts if self._place_of.get(account_id) == place]


def _pack(prospect: Prospect) -> str:
    fields = [prospect.name, prospect.country, prospect.city, prospect.number, prospect.tenant_guid]
    fields.append("1" if prospect.is_active else "")
    for one in prospect.domains:
        fields += (one.name, _RULES[one.rule], str(one.contacts))
    return _MARK.join(field.replace(_MARK, " ") for field in fields)


def _unpack(account_id: int, text: str) -> Prospect:
    name, country, city, number, guid, is_active, *rest = text.split(_MARK)
    domains = tuple(
        ProspectDomain(rest[at], _RULE_OF[rest[at + 1]], int(rest[at + 2])) for at in range(0, len(rest), 3)
    )
    return Prospect(account_id, name, domains, country, city, number, guid, bool(is_active))
