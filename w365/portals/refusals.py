"""What Partner Center's refusals mean: of a person's multi-factor sign-in, of the list, of one customer's details."""

from __future__ import annotations

from w365.errors import AccessError, SignInRefused, SourceRefused
from w365.http.attempts import KEPT
from w365.http.refusal import Refusal
from w365.portals.gaps import MFA_CODES

SOURCE = "Partner Center"
MFA_HEADER = "ismfacompliant"
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


def explain_list(refusal: Refusal) -> AccessError | None:
    """The meaning of a refused list, whose calls have nothing to do with single customers."""
    if refusal.status in {401, 403} and (_wants_mfa(refusal) or refusal.code == _NEEDS_PERSON):
        return SignInRefused(
            f"{SOURCE} wants a person who signed in with multi-factor authentication ({refusal.say()}).",
            kept=KEPT,
            do=_SIGN_IN_WITH_MFA,
            detail=refusal.detail,
        )
    if refusal.status != 403:
        return None
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


def without_mfa() -> SignInRefused:
    """A good answer may say as well that soon there will be none."""
    return SignInRefused(
        f"{SOURCE} says that the sign-in was made without multi-factor authentication.",
        kept=KEPT,
        do=_SIGN_IN_WITH_MFA,
    )


def _wants_mfa(refusal: Refusal) -> bool:
    return refusal.code in MFA_CODES or refusal.headers.get(MFA_HEADER, "").strip().lower() == "false"
