"""What Partner Center's refusals mean: of a person's multi-factor sign-in, of the list, of one customer's details."""

from __future__ import annotations

from collections.abc import Mapping

from w365.errors import AccessError, SignInRefused, SourceRefused
from w365.http.attempts import KEPT
from w365.http.refusal import Refusal
from w365.portals.gaps import MFA_CODES

SOURCE = "Partner Center"
_NOT_COMPLIANT = "isMfaCompliant: false"
_NEEDS_PERSON = "900329"
_PERMISSION = (
    "In Entra ID give the application the permission of “Microsoft Partner Center” with admin consent, "
    "and in Partner Center a role such as Admin agent."
)
_SIGN_IN_WITH_MFA = (
    "On the Providers page choose “The application with a person who signed in once”, and have an admin sign in there "
    "with multi-factor authentication."
)


def explain_mfa(refusal: Refusal) -> SignInRefused | None:
    """The meaning of a refusal for want of a person, or of a second factor; tenant and application are right then."""
    if refusal.status not in {401, 403} or not (_wants_mfa(refusal) or refusal.code == _NEEDS_PERSON):
        return None
    return SignInRefused(
        f"{SOURCE} wants a person who signed in with multi-factor authentication ({refusal.say()}).",
        kept=KEPT,
        do=_SIGN_IN_WITH_MFA,
        detail=refusal.detail,
    )


def explain_list(refusal: Refusal) -> AccessError | None:
    """The meaning of a refused list of customers."""
    if (mfa := explain_mfa(refusal)) or refusal.status != 403:
        return mfa
    return AccessError(
        f"{SOURCE} does not let the application list customers ({refusal.say()}).",
        kept=KEPT,
        do=_PERMISSION,
        detail=refusal.detail,
    )


def explain_detail(refusal: Refusal) -> SourceRefused | None:
    """A 401 with its code: the list was given with the same sign-in, so that tenant and application are right."""
    if refusal.status != 401:
        return None
    code = refusal.code or (_NOT_COMPLIANT if _wants_mfa(refusal) else "")
    what = f"{SOURCE} refused the request ({refusal.say()})."
    return SourceRefused(what, status=401, code=code, kept=KEPT, detail=refusal.detail)


def refuse_without_mfa(headers: Mapping[str, str]) -> None:
    """Raise SignInRefused where a good answer says that there will soon be none to a sign-in like this."""
    if _is_not_compliant(headers):
        raise SignInRefused(
            f"{SOURCE} says that the sign-in was made without multi-factor authentication.",
            kept=KEPT,
            do=_SIGN_IN_WITH_MFA,
        )


def _wants_mfa(refusal: Refusal) -> bool:
    """Whether a second factor is wanting. The code for it also stands for a token made for somebody else."""
    is_code = refusal.code in MFA_CODES and "audience" not in refusal.message.lower()
    is_said = isinstance(refusal.body, dict) and refusal.body.get("isMfaCompliant") is False
    return is_code or is_said or _is_not_compliant(refusal.headers)


def _is_not_compliant(headers: Mapping[str, str]) -> bool:
    return headers.get("ismfacompliant", "").strip().lower() == "false"
