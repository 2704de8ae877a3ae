"""The app: `streamlit run app.py`. Pages, the routes of the grid, and what runs beside them."""

from __future__ import annotations

import streamlit as st

from w365.api.routes import routes
from w365.ui.frame import app_runtime
from w365.ui.frame.page_frame import say_unforeseen
from w365.ui.frame.security import middleware

app = st.App(
    "w365/ui/main.py",
    routes=routes(app_runtime.service),
    middleware=middleware,
    lifespan=app_runtime.lifespan,
    on_script_error=say_unforeseen,
)
