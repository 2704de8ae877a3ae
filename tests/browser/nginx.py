"""A real nginx in front of apps: TLS, websockets, a base path, and a person named by a header."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import trustme
from app_process import wait_until

_CONFIGURATION = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $http_upgrade $upgraded {{ default upgrade; '' close; }}
    map $remote_user $groups {{ default ''; {groups} }}
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.pem;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $upgraded;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_buffering off;
    {servers}
}}
"""
REPLICAS = """
    upstream either {{ server 127.0.0.1:{first} fail_timeout=0; server 127.0.0.1:{second} fail_timeout=0; }}
    upstream first {{ server 127.0.0.1:{first} fail_timeout=0; server 127.0.0.1:{second} backup; }}
    upstream second {{ server 127.0.0.1:{second} fail_timeout=0; server 127.0.0.1:{first} backup; }}
    map $cookie_apart:$http_upgrade $replica {{ default either; 1:websocket first; 1: second; }}
    server {{
        listen 127.0.0.1:{port} ssl;
        location /w365/ {{ proxy_pass http://$replica; }}
    }}
"""
"""Two apps that sign people in, below a base path. Requests go to one after the other, whoever sends them; those of a
browser with the cookie `apart=1` to the second app, but for its websockets, which are the first one's."""

SIGNED_IN_BY_PROXY = """
    server {{
        listen 127.0.0.1:{port} ssl;
        auth_basic team;
        auth_basic_user_file {folder}/people;
        location / {{
            proxy_pass {app};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $upgraded;
            proxy_set_header Authorization '';
            proxy_set_header X-Forwarded-User $remote_user;
            proxy_set_header X-Forwarded-Groups $groups;
            proxy_set_header X-Forwarded-Preferred-Username '';
        }}
    }}
"""
"""The proxy signs people in by a password, and says of each who it is and which group they are in."""


def server(template: str, port: int, app: str, folder: Path) -> str:
    return template.format(port=port, app=app, folder=folder)


@contextmanager
def nginx(folder: Path, ports: list[int], servers: str, people: Mapping[str, str]) -> Iterator[None]:
    """Run it at ports of 127.0.0.1. ``people`` have their own name as their password, and a group."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    (folder / "people").write_text("".join(f"{name}:{{PLAIN}}{name}\n" for name in people))
    groups = " ".join(f"{name} {group};" for name, group in people.items())
    user = "user root;" if os.geteuid() == 0 else ""  # the folders of tests are their owner's alone
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, servers=servers, groups=groups, user=user))
    process = subprocess.Popen([program, "-c", str(configuration), "-e", str(folder / "error.log")])
    try:
        wait_until(lambda: process.poll() is not None or all(_answers(port) for port in ports))
        assert process.poll() is None, (folder / "error.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        httpx.get(f"https://localhost:{port}/", verify=False, trust_env=False)
    except httpx.TransportError:
        return False
    return True
