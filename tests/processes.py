"""Processes of one's own for tests that kill them, without the imports that each would begin with."""

from __future__ import annotations

import multiprocessing

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["w365.service.bootstrap", "w365.jobs", "multiprocessing.connection", "hypothesis"])
