"""Which tests one process gets together."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

_JOURNEYS = "tests/browser/"
"""Those share one app and what is stored in it: they run one after another, in the order in which they are collected.

Said here, since xdist's own groups are lost with pytest 9.2, without a word.
"""
_ONLY_LOOKS = "tests/browser/test_accessibility.py"
"""What changes nothing may have an app of its own, on the core that the journeys leave."""


class ByFile(LoadScopeScheduling):
    """Gives out whole files, whose tests begin with the same worlds and servers."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return _JOURNEYS if file.startswith(_JOURNEYS) and file != _ONLY_LOOKS else file
