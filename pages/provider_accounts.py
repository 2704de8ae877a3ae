"""Which customer is which account? The analyst lives here."""

from w365.ui.accounts_page import show_accounts
from w365.ui.shell import page

with page("Provider accounts") as desk:
    show_accounts(desk)
