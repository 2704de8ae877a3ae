"""Who is told of daily syncs: each setting that is wrong is named, and none of their secrets is."""

from __future__ import annotations

import pytest

from w365.channels import Channels, Mail, read_channels
from w365.config import Settings
from w365.errors import ConfigurationError
from w365.log import secrets_of

SECRET = "canary-7f"
MAIL = {
    "W365_SMTP_URL": f"smtp://app:{SECRET}%40x@mail.example.com",
    "W365_MAIL_FROM": "app@example.com",
    "W365_MAIL_TO": "ops@example.com, desk@example.com,",
}
WEBHOOK = {"W365_WEBHOOK_URL": f"https://hooks.example.com/in?sig={SECRET}"}


def read(values: dict[str, str]) -> Channels:
    return read_channels(lambda name: values.get(name, ""))


def test_a_full_environment_is_read_and_its_secrets_are_in_no_repr_and_kept_out_of_the_log(tmp_path: object) -> None:
    channels = read(MAIL | WEBHOOK)
    recipients = ("ops@example.com", "desk@example.com")
    assert channels.mail == Mail("mail.example.com", 587, False, "app", f"{SECRET}@x", "app@example.com", recipients)
    assert channels.webhook_url == WEBHOOK["W365_WEBHOOK_URL"]
    assert SECRET not in repr(channels)
    settings = Settings(tmp_path, "", "key", None, None, is_demo=False, channels=channels)  # type: ignore[arg-type]
    assert {f"{SECRET}@x", channels.webhook_url} <= set(secrets_of(settings))


def test_tls_from_the_first_byte_has_its_own_port_and_nobody_need_sign_in() -> None:
    mail = read(MAIL | {"W365_SMTP_URL": "smtps://mail.example.com"}).mail
    assert mail
    assert (mail.port, mail.is_tls, mail.user, mail.password) == (465, True, "", "")


def test_nothing_set_is_nobody_told() -> None:
    assert read({}) == Channels()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"W365_MAIL_TO": ""}, "W365_MAIL_TO is missing"),
        ({"W365_SMTP_URL": "", "W365_MAIL_TO": ""}, "W365_SMTP_URL and W365_MAIL_TO is missing"),
        ({"W365_SMTP_URL": f"http://app:{SECRET}@mail.example.com"}, "W365_SMTP_URL is not the address"),
        ({"W365_SMTP_URL": f"smtp://app:{SECRET}@mail.example.com:many"}, "W365_SMTP_URL is not the address"),
        ({"W365_SMTP_URL": f"smtp://app:{SECRET}@mail.example.com/path"}, "W365_SMTP_URL is not the address"),
        ({"W365_SMTP_URL": f"smtp://{SECRET}@mail.example.com"}, "W365_SMTP_URL is not the address"),
        ({"W365_MAIL_FROM": "app@example.com\nBcc: all@example.com"}, "W365_MAIL_FROM is not an e-mail address"),
        ({"W365_MAIL_TO": "ops@example.com, nobody"}, "W365_MAIL_TO is not an e-mail address"),
        ({"W365_WEBHOOK_URL": f"http://hooks.example.com/{SECRET}"}, "W365_WEBHOOK_URL must be an https://"),
        ({"W365_WEBHOOK_URL": f"https://u:{SECRET}@hooks.example.com/"}, "W365_WEBHOOK_URL must be an https://"),
        ({"W365_WEBHOOK_URL": f"https://[{SECRET}"}, "W365_WEBHOOK_URL must be an https://"),
    ],
)
def test_what_is_wrong_is_named_without_its_secret(changes: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        read(MAIL | WEBHOOK | changes)
    assert SECRET not in str(caught.value)
