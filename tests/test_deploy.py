"""The image, the compose file, the proxy's configuration and the units: what can be tried of them without an engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from test_installed import PARTS

from w365.config import load_settings
from w365.entrance import SignInMode

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MOST_EXPOSED = 20
"""Tenths, as `systemd-analyze security` counts from 0 to 100."""


def instructions() -> list[tuple[str, str]]:
    """The image's build steps: (RUN, its command) …"""
    lines = (DEPLOY / "Containerfile").read_text().replace("\\\n", "").splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines) if word.isupper()]


def settings_of(service: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service["environment"].items()}


@pytest.fixture
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))


# --- the image ---


def test_the_image_installs_as_the_tests_do() -> None:
    """`.ci/run` makes the environment of these tests by the same line, so they try what the image holds."""
    (line,) = (command for word, command in instructions() if word == "RUN" and "--require-hashes" in command)
    ours = next(line for line in (ROOT / ".ci" / "run").read_text().splitlines() if "--require-hashes" in line)
    assert set(shlex.split(line)) - {"--no-cache-dir"} == set(shlex.split(ours)) - {"--quiet"}


def test_the_image_is_built_of_what_a_wheel_is_made_of_and_of_nothing_else() -> None:
    copied = [shlex.split(rest)[:-1] for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    parts = {name.split("/")[0] for names in copied for name in names}
    assert parts == set(PARTS)
    assert all((ROOT / name).exists() for names in copied for name in names)


def test_the_image_runs_as_nobody_special() -> None:
    last = dict(instructions())
    assert last["USER"].isdecimal()
    assert last["USER"] != "0"
    assert f"--uid {last['USER']}" in next(rest for word, rest in instructions() if "useradd" in rest)


# --- compose ---


def test_there_are_two_of_each_and_all_tell_how_they_are(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"app-1", "app-2", "worker-1", "worker-2", "database", "proxy"}
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert ":" in service["image"] or "build" in service, name
        assert "healthcheck" in service or name.startswith("app"), "the apps have the image's"
    assert "HEALTHCHECK" in dict(instructions())


def test_the_settings_of_the_compose_file_are_settings(compose: dict[str, Any], tmp_path: Path) -> None:
    text = (DEPLOY / "w365.env.example").read_text()
    example = dict(re.findall(r"^(\w+)=(.*)$", text, flags=re.MULTILINE))
    secrets = {"W365_SECRET_KEY": "k" * 40, "W365_OIDC_CLIENT_ID": "client", "W365_OIDC_CLIENT_SECRET": "hidden"}
    tenant = {"W365_OIDC_ISSUER": example["W365_OIDC_ISSUER"].replace("<tenant id>", "contoso")}
    own = settings_of(compose["services"]["app-1"]) | {"W365_HOME": str(tmp_path)}
    settings = load_settings(example | secrets | tenant | own, tmp_path / "none.toml")
    assert (settings.sign_in, settings.is_demo, settings.starts_worker) == (SignInMode.OIDC, False, False)
    assert settings.database_url.startswith("postgresql://w365:")
    known = (ROOT / "docs" / "settings.md").read_text()
    assert [name for name in (*example, *own) if f"`{name}`" not in known] == []


@pytest.mark.skipif(not shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin"), reason="nginx is not installed")
def test_nginx_takes_its_configuration(compose: dict[str, Any], tmp_path: Path) -> None:
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    text = (DEPLOY / "nginx.conf").read_text()
    named = re.findall(r"server ([\w-]+):8501", text)
    assert named == [name for name in compose["services"] if name.startswith("app")]
    text = text.replace("/tmp/", f"{tmp_path}/").replace("/etc/nginx/tls", str(tmp_path))
    for name in named:
        text = text.replace(f"{name}:8501", "127.0.0.1:8501")
    (tmp_path / "nginx.conf").write_text(text)
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    command = [str(program), "-t", "-q", "-c", str(tmp_path / "nginx.conf"), "-e", "stderr"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")


# --- systemd ---


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_one_and_shuts_itself_in(unit: Path, tmp_path: Path) -> None:
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace("/opt/w365/bin/w365", sys.executable))
    verify = subprocess.run(["systemd-analyze", "verify", here], capture_output=True, text=True, check=False)
    assert (verify.returncode, verify.stderr) == (0, "")
    judged = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", here]
    assert subprocess.run(judged, capture_output=True, check=False).returncode == 0


def test_the_units_start_the_commands_that_are_there() -> None:
    commands = (ROOT / "docs" / "commands.md").read_text()
    started = [re.search(r"^ExecStart=/opt/w365/bin/w365 (\w+)", unit.read_text(), re.MULTILINE) for unit in UNITS]
    assert [match[1] for match in started if match] == ["app", "worker"]
    assert all(f"| `{match[1]}` |" in commands for match in started if match)


def test_the_check_of_the_image_is_a_command_in_json() -> None:
    entry, arguments = (json.loads(dict(instructions())[word]) for word in ("ENTRYPOINT", "CMD"))
    assert [*entry, *arguments][:2] == ["w365", "app"]
