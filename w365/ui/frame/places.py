"""Where the pages lie. They stand apart from the main script, which Streamlit resolves paths against."""

from __future__ import annotations

from pathlib import Path

_PAGES = Path(__file__).resolve().parents[3] / "pages"

OVERVIEW = str(_PAGES / "overview.py")
REVIEW = str(_PAGES / "review.py")
PROVIDER_ACCOUNTS = str(_PAGES / "provider_accounts.py")
ACCOUNT = str(_PAGES / "account.py")
CONFLICTS = str(_PAGES / "conflicts.py")
SUBSCRIPTIONS = str(_PAGES / "subscriptions.py")
ONBOARDING = str(_PAGES / "onboarding.py")
STATISTICS = str(_PAGES / "statistics.py")
AUDIT = str(_PAGES / "audit.py")
QUALITY = str(_PAGES / "quality.py")
ACTIVITY = str(_PAGES / "activity.py")
PROVIDERS = str(_PAGES / "providers.py")
CONFIGURATION = str(_PAGES / "configuration.py")
IMPORT = str(_PAGES / "import.py")
