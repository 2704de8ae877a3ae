"""One slip of the typing hand: a letter wrong, missing or too many, or two neighbours swapped."""

from __future__ import annotations


def is_one_slip(typed: str, word: str) -> bool:
    """Whether exactly one slip leads from the word to what was typed."""
    if typed == word or abs(len(typed) - len(word)) > 1:
        return False
    start = _same_from_start(typed, word)
    left, right = typed[start:], word[start:]
    if len(left) == len(right):
        return left[1:] == right[1:] or (left[:2] == right[1::-1] and left[2:] == right[2:])
    return left[1:] == right if len(left) > len(right) else left == right[1:]


def _same_from_start(left: str, right: str) -> int:
    shortest = min(len(left), len(right))
    return next((at for at in range(shortest) if left[at] != right[at]), shortest)
