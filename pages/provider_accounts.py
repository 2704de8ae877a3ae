"""Which customer is which account? The analyst lives here."""

from w365.ui.frame.page_frame import open_page
from w365.ui.frame.pages import PROVIDER_ACCOUNTS

open_page(PROVIDER_ACCOUNTS)
