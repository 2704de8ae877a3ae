"""From which length a key keeps anything."""

from __future__ import annotations

import pytest

from w365.errors import ConfigurationError
from w365.store.db.sealing import Sealer


def test_a_key_has_sixteen_characters_or_more() -> None:
    sealer = Sealer(["k" * 16])
    assert sealer.unseal("purpose", sealer.seal("purpose", "secret")) == "secret"
    with pytest.raises(ConfigurationError, match="needs 16 characters or more"):
        Sealer(["k" * 15]).seal("purpose", "secret")
