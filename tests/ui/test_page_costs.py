"""What a run of a page costs, by what can be counted: objects that collections of garbage walk over, statements."""

from __future__ import annotations

import subprocess
import sys

from stage import ROOT

_STARTED = """
import gc
import sys

from streamlit import config
from w365.ui.frame.app_runtime import keep_imported

assert not config.get_option("runner.postScriptGC"), "each run of a page would collect all that is in memory"
keep_imported()
assert gc.get_freeze_count() > 100_000
assert "st_aggrid" in sys.modules
"""


def test_no_run_of_a_page_collects_garbage_and_what_is_imported_is_left_out_of_collections() -> None:
    started = subprocess.run(
        [sys.executable, "-c", _STARTED], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert started.returncode == 0, started.stderr
