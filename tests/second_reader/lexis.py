"""Words, lines and numbers (docs/certificate-format.md, Lexis)."""
import re
from fractions import Fraction

ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\Z")
NAT = re.compile(r"(0|[1-9][0-9]*)\Z")
HEX = re.compile(r"(-?)0x([0-9a-f])(?:\.([0-9a-f]+))?p([+-])([0-9]+)\Z")
FRAC = re.compile(r"(-?)(0|[1-9][0-9]*)(?:/([1-9][0-9]*))?\Z")
SHA = re.compile(r"[0-9a-f]{64}\Z")


class Reject(Exception):
    """What the page says is to be rejected."""


class NotRead(Exception):
    """What the page has and this reader does not: nothing is said of it, least of all that it holds."""


def need(condition, why):
    if not condition:
        raise Reject(why)


def lines_of(data, limit=256 << 20):
    need(0 < len(data) <= limit and data.endswith(b"\n"), "no text, too much of it, or no line feed at its end")
    need(all(b < 128 for b in data), "not ASCII")
    lines = data[:-1].decode("ascii").split("\n")
    for line in lines:
        need(len(line) <= 1 << 20 and line and all(w for w in line.split(" ")), "an empty line or word, or a line too long")
        need("\r" not in line and "\t" not in line, "white space that is no space")
    return lines


def ident(word):
    need(ID.match(word), f"no id: {word}")
    return word


def nat(word, below=1 << 31):
    need(NAT.match(word) and len(word) <= 40 and int(word) < below, f"no whole number: {word}")
    return int(word)


def sha(word):
    need(SHA.match(word), "no digest")
    return word


def frac(word):
    m = FRAC.match(word)
    need(m and len(word) <= 40, f"no fraction: {word}")
    above, below = int(m[2]), int(m[3] or "1")
    need(above < 10**15 and 0 < below < 10**15, f"no fraction: {word}")
    return Fraction(-above if m[1] else above, below)


def hexfloat(word):
    m = HEX.match(word)
    need(m and len(word) <= 64, f"no hexadecimal double: {word}")
    digits = m[2] + (m[3] or "")
    exponent = int(m[4] + m[5]) - 4 * len(m[3] or "")
    need(abs(exponent) < 2000, f"no double: {word}")
    value = int(digits, 16) * Fraction(2) ** exponent
    need(value <= Fraction(2) ** 1000 and Fraction(float(value)) == value, f"no double: {word}")
    return -value if m[1] else value


def token_set(word, size):
    """`*`, or runs A or A-B joined by commas, rising, disjoint, not adjacent."""
    if word == "*":
        return frozenset(range(size))
    last, found = -2, set()
    for run in word.split(","):
        ends = run.split("-")
        need(len(ends) in (1, 2), f"no set: {word}")
        a, b = nat(ends[0]), nat(ends[-1])
        need(last + 1 < a and (len(ends) == 1 or a < b) and b < size, f"no set of tokens: {word}")
        found.update(range(a, b + 1))
        last = b
    return frozenset(found)


class Words:
    """The words of a step, taken one after the other."""

    def __init__(self, words):
        self.words, self.at = words, 0

    def __bool__(self):
        return self.at < len(self.words)

    def take(self):
        need(self.at < len(self.words), "a word is missing")
        self.at += 1
        return self.words[self.at - 1]

    def peek(self):
        return self.words[self.at] if self.at < len(self.words) else None

    def expect(self, word):
        need(self.take() == word, f"expected {word}")

    def nat(self, below=1 << 31):
        return nat(self.take(), below)

    def frac(self):
        return frac(self.take())

    def hex(self):
        return hexfloat(self.take())

    def hexes(self, n):
        return [self.hex() for _ in range(n)]

    def end(self):
        need(self.at == len(self.words), "words that the rule does not have")
