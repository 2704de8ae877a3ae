"""Every error the program raises on purpose, grouped by what the reader must do.

W365Error
├── ConfigurationError      correct a setting
├── AccessError             get a permission, or sign in again
│   ├── NotAllowed          the person's role is not enough
│   ├── SignedOut           sign in again
│   │   └── SessionRanOut   likewise; what is on the page may stay there
│   ├── Outdated            renew the token, or reload the page
│   └── SignInRefused       the identity provider refused the application
├── SourceError             the other side (provider, CRM) did not do as asked
│   ├── SourceUnreachable   try again later
│   │   └── SourceSilent    it did not answer at all
│   ├── SourceBusy          it asked us to wait longer than we are willing to
│   ├── SourceRefused       it answered with a refusal; the request must change
│   │   └── AddressRefused  it does not accept the address; correct it
│   ├── SourceChanged       its answer has not the shape we know; nothing was written
│   ├── ListIncomplete      it did not list all; try again
│   ├── MassDisappearance   it lists far fewer records than before; look there, then confirm
│   └── DeltaExpired        the change link is too old; read everything once more
├── InputError              correct what was entered
│   ├── FormRefused         correct the fields that it names
│   ├── NotFound            the thing named does not exist (any more)
│   └── PolicyBreach        the cardinality policy forbids this link
├── StaleEdit               somebody else decided first; look again and choose
├── AlreadyRunning          wait for the run that is under way
├── Cancelled               it was stopped before its end; start it again
└── StoreError              mend the database or its disk
    └── OtherVersion        update this process; another version changed the tables
"""

from __future__ import annotations

from collections.abc import Mapping


class W365Error(Exception):
    """What happened, what was kept, what to do next: three facts a person can act on.

    ``str(error)`` joins them to the sentences shown on the page and on stderr. ``detail`` is for the log only
    (request ids, the other side's own words); it never holds a secret.
    """

    def __init__(self, what: str, *, kept: str = "", do: str = "", detail: str = "") -> None:
        super().__init__(what, kept, do)
        self.what = what
        self.kept = kept
        self.do = do
        self.detail = detail

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.kept, self.do) if part)

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.args), self.__dict__


def _restore(kind: type[W365Error], arguments: tuple[str, ...]) -> W365Error:
    """Make an error that came from another process; its attributes follow."""
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    return error


class ConfigurationError(W365Error):
    """A setting is missing or malformed, or a service is not connected; ``what`` names it.

    ``setting`` is that name alone, where a value is wrong.
    """

    def __init__(self, what: str, *, kept: str = "", do: str = "", detail: str = "", setting: str = "") -> None:
        super().__init__(what, kept=kept, do=do, detail=detail)
        self.setting = setting


class AccessError(W365Error):
    """A permission is missing."""


class NotAllowed(AccessError):
    """The person's role does not allow this."""


class SignedOut(AccessError):
    """The person is not signed in, or not any more."""


class SessionRanOut(SignedOut):
    """The session was idle or is too old: nobody ended it. ``role`` is the number of what its person may do now."""

    def __init__(self, what: str, *, role: int, kept: str = "", do: str = "") -> None:
        super().__init__(what, kept=kept, do=do)
        self.role = role


class Outdated(AccessError):
    """The token of a page is too old; the page can have a new one."""


class SignInRefused(AccessError):
    """The identity provider refused the application: secret, consent, tenant or clock."""


class SourceError(W365Error):
    """A provider or the CRM did not do as asked."""


class SourceUnreachable(SourceError):
    """No answer, or only server errors, after bounded retries."""


class SourceSilent(SourceUnreachable):
    """No answer at all."""


class SourceBusy(SourceError):
    """The source asks us to wait longer than one run should."""


class SourceRefused(SourceError):
    """The source answered with a 4xx that a repeat would not change. ``status`` is the HTTP status."""

    def __init__(
        self, what: str, *, status: int, code: str = "", kept: str = "", do: str = "", detail: str = ""
    ) -> None:
        super().__init__(what, kept=kept, do=do, detail=detail)
        self.status = status
        self.code = code


class AddressRefused(SourceRefused):
    """The provider does not accept the address; nothing was created."""


class SourceChanged(SourceError):
    """The answer has not the documented shape."""


class ListIncomplete(SourceError):
    """The source did not list all of its records; what came was stored, and nothing was marked as gone."""


class MassDisappearance(SourceError):
    """The source lists far fewer records than before; nothing was marked as gone."""


class DeltaExpired(SourceError):
    """The CRM no longer knows the change link; a full read is needed."""


class InputError(W365Error):
    """What a person entered cannot be used. ``field`` is the part of the form that is wrong, where it is one."""

    def __init__(self, what: str, *, kept: str = "", do: str = "", detail: str = "", field: str = "") -> None:
        super().__init__(what, kept=kept, do=do, detail=detail)
        self.field = field


class FormRefused(InputError):
    """What was entered cannot be sent; ``fields`` says for each field why."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()), kept="Nothing was created.", do="Correct it.")
        self.fields = dict(fields)


class NotFound(InputError):
    """The row, account, provider or setting does not exist."""


class PolicyBreach(InputError):
    """The cardinality policy forbids the link."""


class StaleEdit(W365Error):
    """Somebody else changed it (a row, its owner, a verdict) since it was read."""


class AlreadyRunning(W365Error):
    """The same run is already under way. `waiting` is its number while no process has taken it up."""

    waiting: int | None = None


class Cancelled(W365Error):
    """The work was stopped before its end: by a person, or because it was given up or waited too long."""


class StoreError(W365Error):
    """The database cannot be used as it is."""


class OtherVersion(StoreError):
    """Another version has changed the database: it is read, and not written."""
