"""Makes the bench beside this folder importable and its fixtures known."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from http_bench import authority, place

__all__ = ["authority", "place"]
