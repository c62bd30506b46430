"""Certificates with one word changed: both readers must say the same of each that is read."""
from fractions import Fraction

from . import lexis
from .lexis import Reject


def others(word):
    """Words in the place of one."""
    try:
        value = lexis.hexfloat(word)
        yield from (float(value + by).hex() for by in (Fraction(1, 2**30), -Fraction(1, 2**30), 1, -1) if abs(value) < 2**60)
        yield (float(value) * 2).hex()
        return
    except Reject:
        pass
    if word.isdigit():
        yield from (str(int(word) + 1), str(max(int(word) - 1, 0)), "0" + word, "-" + word, word + "/1", "4294967296")
    elif "/" in word and word.replace("/", "").replace("-", "").isdigit():
        above, below = word.split("/")
        yield from (f"{int(above) + 1}/{below}", f"{int(above) * 2}/{int(below) * 2}", f"{above}/0", above)
    elif "," in word or "-" in word:
        yield from (word[:-1], word + ",0", "*", "-")
    else:
        yield from (word + "x", word.lower(), word.upper())


def of(lines, first):
    """Every certificate that differs from these lines in one word, one word less or more, one line less, more, or moved."""
    for at in range(first, len(lines)):
        words = lines[at].split(" ")
        for i, word in enumerate(words):
            for other in dict.fromkeys(others(word)):
                if other != word:
                    yield [*lines[:at], " ".join([*words[:i], other, *words[i + 1 :]]), *lines[at + 1 :]]
            yield [*lines[:at], " ".join([*words[:i], *words[i + 1 :]]), *lines[at + 1 :]]
            yield [*lines[:at], " ".join([*words[: i + 1], *words[i:]]), *lines[at + 1 :]]
        yield [*lines[:at], *lines[at + 1 :]]
        yield [*lines[: at + 1], *lines[at:]]
        if at + 1 < len(lines):
            yield [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
