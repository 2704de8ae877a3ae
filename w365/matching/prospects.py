"""The CRM accounts that can be suggested, packed as text: some 170 bytes each instead of a graph of objects.

The forms of the name and what is registrable of each domain are packed too: to work them out takes much longer than to
read them.
"""

from __future__ import annotations

from collections.abc import Iterator

from w365.matching.comparison_records import AccountRecord, Prospect, ProspectDomain
from w365.matching.domains import registrable
from w365.matching.names import NameForms, name_forms
from w365.matching.postings import Texts
from w365.model import Rule

_MARK = "\x1f"
_FORMS = 6  # where the forms of the name begin
_DOMAINS = 12  # where the domains begin
_OF_DOMAIN = 4  # fields each
_NONE: frozenset[str] = frozenset()
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

    def known(self, account_id: int) -> AccountRecord | None:
        """Give an account as it is compared, sooner than it could be worked out."""
        place = self._place_of.get(account_id)
        return None if place is None else _known(self._texts[place])

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
        account_at, place_of = self._account_at, self._place_of
        return [account_at[place] for place in places if place_of.get(account_at[place]) == place]


def _pack(prospect: Prospect) -> str:
    name = prospect.name.replace(_MARK, " ")
    fields = [name, prospect.country, prospect.city, prospect.number, prospect.tenant_guid]
    fields.append("1" if prospect.is_active else "")
    fields += _pack_forms(name_forms(name))
    for domain in prospect.domains:
        below = len(domain.name) - len(registrable(domain.name))
        fields += (domain.name, str(below), _RULES[domain.rule], str(domain.contacts))
    return _MARK.join([field.replace(_MARK, " ") for field in fields])


def _unpack(account_id: int, text: str) -> Prospect:
    fields = text.split(_MARK)
    name, country, city, number, guid, is_active = fields[:_FORMS]
    domains = tuple(
        ProspectDomain(fields[at], _RULE_OF[fields[at + 2]], int(fields[at + 3]))
        for at in range(_DOMAINS, len(fields), _OF_DOMAIN)
    )
    return Prospect(account_id, name, domains, country, city, number, guid, bool(is_active))


def _known(text: str) -> AccountRecord:
    fields = text.split(_MARK)
    name, country, city, _, guid, is_active = fields[:_FORMS]
    names, below = fields[_DOMAINS::_OF_DOMAIN], fields[_DOMAINS + 1 :: _OF_DOMAIN]
    domains = tuple([(name, name[int(at) :]) for name, at in zip(names, below, strict=True)])
    return AccountRecord(name, _unpack_forms(fields[_FORMS:_DOMAINS]), domains, country, city, guid, bool(is_active))


def _pack_forms(forms: NameForms) -> list[str]:
    bare = "" if forms.bare == forms.folded else forms.bare
    others = forms.squashed - {forms.folded.replace(" ", "")}
    sets = (" ".join(sorted(words)) for words in (forms.initials, forms.acronyms, others))
    return [forms.folded, " ".join(forms.words), bare, *sets]


def _unpack_forms(fields: list[str]) -> NameForms:
    folded, words, bare, initials, acronyms, others = fields
    squashed = folded.replace(" ", "")
    return NameForms(
        folded,
        tuple(words.split(" ")) if words else (),
        frozenset(initials.split(" ")) if initials else _NONE,
        frozenset(acronyms.split(" ")) if acronyms else _NONE,
        frozenset((squashed, *others.split(" "))) if others else frozenset((squashed,)),
        bare or folded,
    )
