"""The tree that is drawn on top of the errors is the one they have."""

from __future__ import annotations

import inspect
import pickle
import re
from pathlib import Path

from w365 import errors
from w365.errors import FormRefused, InputError, SourceRefused, W365Error

PACKAGE = Path(errors.__file__).parent


def drawn() -> list[str]:
    """Each line of the drawing up to its name."""
    _, _, tree = (errors.__doc__ or "").partition("\n\n")
    return [re.sub(r"(?<=\w)  +.*", "", line) for line in tree.splitlines()]


def draw(kind: type[W365Error], trunk: str = "") -> list[str]:
    """Draw the classes in the order in which they are defined."""
    kinds = kind.__subclasses__()
    lines = []
    for below in kinds:
        is_last = below is kinds[-1]
        lines.append(f"{trunk}{'└' if is_last else '├'}── {below.__name__}")
        lines += draw(below, trunk + ("    " if is_last else "│   "))
    return lines


def test_every_error_stands_in_the_tree() -> None:
    names = "|".join(re.findall(r"^class (\w+)", inspect.getsource(errors), flags=re.MULTILINE))
    elsewhere = [path for path in PACKAGE.rglob("*.py") if path.name != "errors.py"]
    derived = re.compile(rf"^ *class \w+\(.*\b({names})\b", flags=re.MULTILINE)
    assert [path.name for path in elsewhere if derived.search(path.read_text(encoding="utf-8"))] == []


def test_the_tree_is_drawn_as_it_is() -> None:
    assert drawn() == ["W365Error", *draw(W365Error)]


def test_an_error_goes_from_one_process_to_another_whole() -> None:
    given: tuple[W365Error, ...] = (
        InputError("What.", kept="Kept.", do="Do.", detail="detail"),
        SourceRefused("What.", status=418, code="teapot", do="Do."),
        FormRefused({"name": "It is missing."}),
    )
    for error in given:
        arrived = pickle.loads(pickle.dumps(error))
        assert (type(arrived), str(arrived), vars(arrived)) == (type(error), str(error), vars(error))
