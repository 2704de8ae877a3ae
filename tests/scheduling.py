"""Which tests one process gets together."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

_TOGETHER = "tests/browser/"
"""Those share one app and what is stored in it: they run one after another, in the order in which they are collected.

Said here, since xdist's own groups are lost with pytest 9.2, without a word.
"""


class ByFile(LoadScopeScheduling):
    """Gives out whole files, whose tests begin with the same worlds and servers."""

    def _split_scope(self, nodeid: str) -> str:
        return _TOGETHER if nodeid.startswith(_TOGETHER) else nodeid.partition("::")[0]
