"""Access tokens: signed strings with an audience and an expiry, in the form of a JWT."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says."""

    audience: str
    client_id: str
    expires: float
    tenant_id: str = ""
    has_person: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in with the application, and whether in two ways."""

    name: str = ""
    has_mfa: bool = False

    def claims(self) -> dict[str, object]:
        ways = ["pwd", "mfa"] if self.has_mfa else ["pwd"]
        return {"upn": self.name, "idtyp": "user", "amr": ways} if self.name else {"idtyp": "app"}


NOBODY = Person()


@dataclass(slots=True)
class TokenIssuer:
    """Issue and check tokens. The key lives as long as the process; ``lifetime`` is in seconds."""

    clock: Callable[[], float] = time.time
    lifetime: int = 3600
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _known: dict[str, Claims] = field(default_factory=dict, repr=False)
    _refresh_tokens: dict[str, tuple[str, Person]] = field(default_factory=dict, repr=False)

    def issue(self, audience: str, client_id: str, tenant_id: str, person: Person = NOBODY) -> str:
        return self.sign({"aud": audience, "appid": client_id, "tid": tenant_id, **person.claims()})

    def sign(self, claims: Mapping[str, object]) -> str:
        """Make a token of claims, with its times."""
        now = int(self.clock())
        body = (
            f"{_encode_json({'typ': 'JWT', 'alg': 'HS256'})}."
            f"{_encode_json({**claims, 'iat': now, 'nbf': now, 'exp': now + self.lifetime})}"
        )
        return f"{body}.{self._sign(body)}"

    def read(self, token: str) -> Claims | None:
        """Give the claims of a token we signed that has not expired, else nothing."""
        claims = self._known.get(token) or self._verify_token(token)
        return claims if claims is not None and claims.expires > self.clock() else None

    def read_bearer(self, authorization: str) -> Claims | None:
        """Give the claims of the token in an Authorization header, on the same terms."""
        scheme, _, token = authorization.partition(" ")
        return self.read(token) if scheme.lower() == "bearer" else None

    def revoke_all(self) -> None:
        """Make every token issued so far invalid, as if it had just expired."""
        self._key = secrets.token_bytes(32)
        self._known.clear()

    def issue_refresh_token(self, client_id: str, person: Person = NOBODY) -> str:
        token = f"1.{secrets.token_urlsafe(48)}"
        self._refresh_tokens[token] = (client_id, person)
        return token

    def redeem_refresh_token(self, token: str, client_id: str) -> Person | None:
        """Use a refresh token up. Real ones live on for a while; a strict one finds clients that keep the old one."""
        if self._refresh_tokens.get(token, ("", NOBODY))[0] != client_id:
            return None
        return self._refresh_tokens.pop(token)[1]

    def _verify_token(self, token: str) -> Claims | None:
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(body).encode(), signature.encode()):
            return None
        content = json.loads(base64.urlsafe_b64decode(body.partition(".")[2] + "=="))
        claims = Claims(
            content["aud"], content["appid"], content["exp"], content.get("tid", ""), content.get("idtyp") == "user"
        )
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[token] = claims
        return claims

    def _sign(self, body: str) -> str:
        return _encode_base64(hmac.digest(self._key, body.encode(), hashlib.sha256))


def _encode_json(content: Mapping[str, object]) -> str:
    return _encode_base64(json.dumps(content, separators=(",", ":")).encode())


def _encode_base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
