"""The app: `streamlit run app.py`. Pages, the routes of the grid, and what runs beside them."""

from __future__ import annotations

import streamlit as st

from w365.api.health import health_routes
from w365.api.routes import routes
from w365.caller import ask_page
from w365.ui.frame import app_runtime
from w365.ui.frame.page_frame import say_uncaught
from w365.ui.frame.pages import MAIN_SCRIPT
from w365.ui.frame.visitor import address_here, base_path, name_identity_provider
from w365.ui.server.replicas import share_files
from w365.ui.server.security import middleware, prepare_cookies

prepare_cookies()
ask_page(address_here)
app = st.App(
    MAIN_SCRIPT,
    secrets=name_identity_provider(),
    routes=[*routes(app_runtime.service, base_path()), *health_routes(base_path(), app_runtime.opened_service)],
    middleware=middleware,
    lifespan=app_runtime.lifespan,
    on_script_error=say_uncaught,
)
share_files(app, MAIN_SCRIPT, say_uncaught)
