"""What runs behind the pages: the connections (or the demo's), the service, the worker. Started with the app's server.

It starts on a thread, so that the server answers at once and the first page waits for the rest; it looks after the
processes it started and starts them again when they die.
"""

from __future__ import annotations

import gc
import itertools
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from subprocess import Popen
from typing import TYPE_CHECKING

from streamlit.runtime.scriptrunner import add_script_run_ctx

from w365.errors import AlreadyRunning, StoreError, W365Error
from w365.memory import return_memory, share_arenas

if TYPE_CHECKING:
    from w365.config import Settings
    from w365.launch import Surroundings
    from w365.model import Actor
    from w365.service import Service
    from w365.service.syncing.providers import ProviderView

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_TIDY_EVERY = 20  # looks
_AGAIN_SECONDS = 5.0
_PATIENCE_SECONDS = 60.0


class Backstage:
    """Opens the service, keeps the worker alive, and tells the pages what is wrong while it cannot."""

    def __init__(
        self,
        read_settings: Callable[[], Settings] | None = None,
        start_worker: Callable[[Surroundings], AbstractContextManager[Popen[str] | None]] | None = None,
        *,
        again_seconds: float = _AGAIN_SECONDS,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._read_settings = read_settings
        self._start_worker = start_worker
        self._again_seconds, self._look_seconds = again_seconds, look_seconds
        self._known = threading.Event()
        self._end = threading.Event()
        self._over = threading.Event()
        self._service: Service | None = None
        self._error: W365Error | None = None
        self._thread = threading.Thread(target=self._run, name="backstage", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join()

    def start_over(self) -> None:
        """Read the settings again and open what they name; pages wait until it is there."""
        self._known.clear()
        self._over.set()

    def service(self) -> Service:
        """Wait until it is open; raise what keeps it from that."""
        if not self._known.wait(_PATIENCE_SECONDS):
            raise W365Error(
                "The app is still starting.", kept="Nothing was changed.", do="Reload the page in a moment."
            )
        if self._service is None:
            raise self._error or _STOPPED
        return self._service

    def opened(self) -> Service | None:
        """The service, if it is there at this moment."""
        return self._service

    def _run(self) -> None:
        try:
            while not self._end.is_set():
                self._attempt()
                self._end.wait(0 if self._error is None else self._again_seconds)
        finally:
            self._service, self._error = None, _STOPPED
            self._known.set()

    def _attempt(self) -> None:
        from w365.config import load_settings
        from w365.launch import connected

        try:
            with connected((self._read_settings or load_settings)()) as surroundings:
                self._serve(surroundings)
        except W365Error as error:
            if str(error) != str(self._error):  # it is tried every few seconds
                _log.warning("not started: %s %s", error, error.detail)
            self._service, self._error = None, error
            self._known.set()

    def _serve(self, surroundings: Surroundings) -> None:
        """Open the service and look after the processes until the app ends or the demo's servers are gone."""
        from w365.log import set_up_logging
        from w365.service.bootstrap import open_service

        self._over.clear()
        share_arenas()
        set_up_logging(surroundings.settings)
        service = open_service(surroundings.settings)
        try:
            self._join(service)
            if service.settings.is_demo:
                furnish_demo(service)
            self._service, self._error = service, None
            self._known.set()
            while not (self._end.is_set() or self._over.is_set()) and _is_alive(surroundings.demo):
                self._work(surroundings, service)
        finally:
            service.store.close()

    def _join(self, service: Service) -> None:
        """Say to the other apps and workers that this one is there; with SQLite there is nobody elsewhere."""
        from w365.model import ProcessKind
        from w365.service.processes import join_processes

        if not service.store.is_sqlite:
            join_processes(service, ProcessKind.APP)

    def _work(self, surroundings: Surroundings, service: Service) -> None:
        from w365.launch import worker

        with (self._start_worker or worker)(surroundings) as process:
            for look in itertools.count():
                if not (_is_alive(process) and _is_alive(surroundings.demo)):
                    break
                if self._end.wait(self._look_seconds) or self._over.is_set():
                    return
                if look % _TIDY_EVERY == 0:
                    return_memory()
                    service.store.tidy()
                    _say_alive(service)
        _log.warning("a process beside the app ended and is started again")
        self._end.wait(self._look_seconds)


def _say_alive(service: Service) -> None:
    from w365.model import ProcessKind
    from w365.service.processes import say_alive

    if not service.store.is_sqlite:
        with suppress(StoreError):  # the worker's log tells it
            say_alive(service, ProcessKind.APP)


_STOPPED = W365Error("The app is stopping.", kept="What was saved is safe.", do="Start it again.")


def _is_alive(process: Popen[str] | None) -> bool:
    return process is None or process.poll() is None


def furnish_demo(service: Service) -> None:
    """Give a new demo its manual provider, Auto-Match and the first syncs; an old one stays as it was left."""
    from w365.service.access import local_user
    from w365.service.syncing.runs import list_runs

    actor = local_user()
    if list_runs(service, actor, limit=1):
        return
    _add_manual_provider(service, actor)
    _ask_for_syncs(service, actor)


def _add_manual_provider(service: Service, actor: Actor) -> None:
    from w365.demo.world.fiction import manual_rows
    from w365.service.configuring.settings import set_setting
    from w365.service.syncing.providers import ManualAccount, add_manual_accounts, add_manual_provider, list_providers

    set_setting(service, actor, "auto_match", "true")
    if any(provider.name == DEMO_PROVIDER for provider in list_providers(service, actor)):
        return
    provider_id = add_manual_provider(service, actor, DEMO_PROVIDER)
    rows = [ManualAccount(row.specific_id, row.name, row.domains, row.country) for row in manual_rows()]
    add_manual_accounts(service, actor, provider_id, rows)


def _ask_for_syncs(service: Service, actor: Actor) -> None:
    from w365.model import ProviderKind
    from w365.service.syncing.providers import list_providers
    from w365.service.syncing.runs import request_crm_sync, request_sync

    try:
        request_crm_sync(service, actor)
        for provider in list_providers(service, actor):
            if provider.kind is not ProviderKind.MANUAL and _can_sync(service, actor, provider):
                request_sync(service, actor, provider.name)
    except AlreadyRunning:
        _log.info("the demo is being filled already")


def _can_sync(service: Service, actor: Actor, provider: ProviderView) -> bool:
    """Tell whether a provider is connected, and the person it may need has signed in."""
    from w365.service.connecting.sign_ins import get_sign_in

    sign_in = get_sign_in(service, actor, str(provider.id))
    return not provider.missing and (sign_in is None or not sign_in.problem)


DEMO_PROVIDER = "Harbour Telecom"

_current: Backstage | None = None


def use(backstage: Backstage | None) -> None:
    """Make this the one that the pages of this process ask."""
    global _current  # noqa: PLW0603 - one server, one backstage; scripts run in threads that share nothing else
    _current = backstage


def service() -> Service:
    """The service of this process; raises the W365Error that keeps it from working."""
    if _current is None:
        raise W365Error("The app's background is not running.", do="Start the app with: streamlit run app.py")
    return _current.service()


def opened_service() -> Service | None:
    """The service of this process without waiting for it; None while it starts or cannot."""
    return _current.opened() if _current else None


def start_over() -> None:
    """Open anew what the settings name now."""
    if _current is not None:
        _current.start_over()


_imports: list[threading.Thread] = []
"""What waits for the first run of a page: the thread of `keep_imported`, once for each start of a server."""


def go_on_importing() -> None:
    """Import the other pages after the first one was drawn, as that page: components are known to Streamlit by one."""
    with suppress(IndexError):
        thread = _imports.pop()
        add_script_run_ctx(thread)
        thread.start()


def keep_imported() -> None:
    """Import all pages, and leave what is in memory then out of all further collections of garbage.

    Of what a run of a page leaves behind there is little; to walk over all modules for it costs 60 ms each time.
    """
    from w365.ui.frame.pages import PAGES

    for page in PAGES:
        page.load()
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Start what runs behind the pages with the server, and end it with it."""
    backstage = Backstage()
    use(backstage)
    backstage.start()
    _imports[:] = [threading.Thread(target=keep_imported, name="imports", daemon=True)]
    try:
        yield
    finally:
        backstage.stop()
        use(None)
