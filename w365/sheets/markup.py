"""XML as it comes, in little memory: no document type, no entity, no tag, name or depth that a table does not have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from xml.parsers import expat

from w365.sheets import limits
from w365.sheets.limits import refuse_damaged

Attributes = dict[str, str]
Start = Callable[[str, Attributes], None]


def read_markup(
    name: str,
    blocks: Iterable[bytes],
    start: Start,
    end: Callable[[str], None],
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Call for each tag and text, and pause after each block, so that what came of it is taken from memory."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = lambda *_: refuse_damaged(name, "it declares a document type")
    fed = 0
    try:
        for block in blocks:
            parser.Parse(block, False)
            fed += len(block)
            # expat looks at a tag from its beginning whenever there is more of it, and keeps every name for good
            if fed - parser.CurrentByteIndex > limits.LONGEST_TAG or len(parser.intern) > limits.MOST_NAMES:
                refuse_damaged(name, "its XML is none that a program for tables writes")
            yield
        parser.Parse(b"", True)
        yield
    except expat.ExpatError as error:
        refuse_damaged(name, expat.ErrorString(error.code))
    except (LookupError, ValueError, OverflowError):  # an encoding that is none, or a number that is none
        refuse_damaged(name)


def read_elements(name: str, blocks: Iterable[bytes]) -> Iterator[tuple[str, str, Attributes]]:
    """Give the elements of a small part in their order: the name without prefix, that of the parent, the attributes."""
    above: list[str] = [""]
    elements: list[tuple[str, str, Attributes]] = []

    def start(tag: str, attributes: Attributes) -> None:
        word = tag.rpartition(":")[2]
        elements.append((word, above[-1], attributes))
        above.append(word)
        if len(above) > limits.DEEPEST:
            refuse_damaged(name, "its XML is too deep")

    def end(_tag: str) -> None:
        above.pop()

    for _ in read_markup(name, blocks, start, end):
        yield from elements
        elements.clear()
