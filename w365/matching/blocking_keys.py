"""What of a name and of domains may meet the other side, beside the words of the name: short forms and labels."""

from __future__ import annotations

from collections.abc import Iterable

from w365.matching.domains import label
from w365.matching.names import name_forms


def signs_of(name: str, domains: Iterable[str] = ()) -> set[str]:
    """Give initials and acronyms of a name, its words written together, and the labels of domains.

    A customer and an account that share neither a sign nor a word can be candidates for one another only by names of
    similar spelling.
    """
    return label_signs(domains) | _short_forms(name)


def label_signs(domains: Iterable[str]) -> set[str]:
    labels = {label(domain) for domain in domains}
    return (labels | {label.replace("-", "") for label in labels}) - {""}


def _short_forms(name: str) -> frozenset[str]:
    forms = name_forms(name)
    return forms.squashed | {initial for initial in forms.initials | forms.acronyms if len(initial) > 2}
