"""The app: `streamlit run app.py`. Pages, the routes of the grid, and what runs beside them."""

from __future__ import annotations

import streamlit as st

from w365.api.routes import routes
from w365.ui import backstage
from w365.ui.security import middleware
from w365.ui.shell import say_unforeseen

app = st.App(
    "w365/ui/main.py",
    routes=routes(backstage.service),
    middleware=middleware,
    lifespan=backstage.lifespan,
    on_script_error=say_unforeseen,
)
