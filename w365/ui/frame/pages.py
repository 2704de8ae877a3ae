"""The table of the pages. A further page is one entry here and a file of two lines in `pages/`, which opens it.

The functions are named, not imported: only the page that is looked at costs its imports, and the frame stays below the
pages that stand in it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w365.launch import app_folder
from w365.model import Role

if TYPE_CHECKING:
    from w365.ui.frame.page_context import PageContext

MAIN_SCRIPT = str(Path(__file__).resolve().parents[1] / "main.py")
_FOLDER = app_folder() / "pages"  # apart from the main script, which paths are resolved against


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its file in `pages/`, which is also its address, and what draws it, as `module:function` of `w365.ui`.

    `group` is its heading in the navigation; a page without one is reached by links only. `role` is the least that may
    open it.
    """

    place: str
    title: str
    group: str
    icon: str
    function: str
    role: Role = Role.VIEWER

    @property
    def path(self) -> str:
        """The file, for Streamlit's navigation and links."""
        return str(_FOLDER / f"{self.place}.py")

    @property
    def icon_name(self) -> str:
        return f":material/{self.icon}:"

    def load(self) -> Callable[[PageContext], Any]:
        """Import what draws the page."""
        return load_function(self.function)


def load_function(place: str) -> Callable[..., Any]:
    """Import a function of the pages, named as `module:function` of `w365.ui`."""
    module, _, name = place.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(f"w365.ui.{module}"), name)
    return function


WORK, INSIGHT, SET_UP, NOWHERE = "Work", "Insight", "Set-up", ""

OVERVIEW = Page("overview", "Overview", WORK, "home", "insight.overview:show_overview")
REVIEW = Page("review", "Review", WORK, "checklist", "deciding.review.page:show_review")
PROVIDER_ACCOUNTS = Page(
    "provider_accounts", "Provider accounts", WORK, "table_rows", "reading.provider_accounts:show_accounts"
)
CONFLICTS = Page("conflicts", "Conflicts", WORK, "call_split", "deciding.conflicts.page:show_conflicts")
SUBSCRIPTIONS = Page("subscriptions", "Subscriptions", WORK, "receipt_long", "reading.subscriptions:show_subscriptions")
ONBOARDING = Page("onboarding", "Onboard a customer", NOWHERE, "person_add", "onboarding.page:show_onboarding")
ACCOUNT = Page("account", "CRM account", NOWHERE, "apartment", "reading.crm_account:show_account")
STATISTICS = Page("statistics", "Statistics", INSIGHT, "bar_chart", "insight.statistics:show_statistics")
AUDIT = Page("audit", "Sample audit", INSIGHT, "fact_check", "auditing.page:show_audit")
QUALITY = Page("quality", "Data quality", INSIGHT, "rule", "insight.quality:show_quality")
ACTIVITY = Page("activity", "Activity", INSIGHT, "history", "insight.activity:show_activity")
PROVIDERS = Page("providers", "Providers", SET_UP, "cloud_sync", "syncing.page:show_providers")
IMPORT = Page("import", "Import", SET_UP, "upload_file", "importing.page:show_import", Role.ANALYST)
CONFIGURATION = Page("configuration", "Configuration", SET_UP, "tune", "configuring.page:show_configuration")
PEOPLE = Page("people", "People", SET_UP, "group", "people.page:show_people", Role.ADMIN)

PAGES = (
    *(OVERVIEW, REVIEW, PROVIDER_ACCOUNTS, CONFLICTS, SUBSCRIPTIONS, ONBOARDING, ACCOUNT),
    *(STATISTICS, AUDIT, QUALITY, ACTIVITY),
    *(PROVIDERS, IMPORT, CONFIGURATION, PEOPLE),
)
"""In the order of the navigation; the first is the one that opens."""
