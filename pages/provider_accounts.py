"""Which customer is which account? The analyst lives here."""

from w365.ui.frame.page_frame import page
from w365.ui.reading.provider_accounts import show_accounts

with page("Provider accounts") as context:
    show_accounts(context)
