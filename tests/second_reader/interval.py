"""Closed intervals [lo, hi] of multiples of 2^-BITS, every operation rounded outward. An interval is a pair of integers."""
from fractions import Fraction
from math import isqrt

BITS = 200
ONE = 1 << BITS
ZERO = (0, 0)
UNIT = (ONE, ONE)


def of(value):
    """The smallest interval about a fraction (or whole number)."""
    value = Fraction(value)
    above = value.numerator << BITS
    lo = above // value.denominator
    return (lo, lo if lo * value.denominator == above else lo + 1)


def between(lo, hi):
    return (of(lo)[0], of(hi)[1])


def add(a, b):
    return (a[0] + b[0], a[1] + b[1])


def sub(a, b):
    return (a[0] - b[1], a[1] - b[0])


def neg(a):
    return (-a[1], -a[0])


def down(n):
    return n >> BITS


def up(n):
    return -((-n) >> BITS)


def products(a, b):
    """The exact ends of the product, in units of 2^-(2 BITS)."""
    if b[0] == b[1]:
        return (a[0] * b[0], a[1] * b[0]) if b[0] >= 0 else (a[1] * b[0], a[0] * b[0])
    if a[0] == a[1]:
        return products(b, a)
    four = (a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1])
    return (min(four), max(four))


def mul(a, b):
    lo, hi = products(a, b)
    return (down(lo), up(hi))


def scale(a, whole):
    return (a[0] * whole, a[1] * whole) if whole >= 0 else (a[1] * whole, a[0] * whole)


def div(a, b):
    """a / b for b above 0."""
    assert b[0] > 0
    lo = a[0] * ONE // (b[1] if a[0] >= 0 else b[0])
    hi = -(-a[1] * ONE // (b[0] if a[1] >= 0 else b[1]))
    return (lo, hi)


def dot(xs, ys):
    lo = hi = 0
    for x, y in zip(xs, ys, strict=True):
        a, b = products(x, y)
        lo += a
        hi += b
    return (down(lo), up(hi))


def total(xs):
    lo = hi = 0
    for x in xs:
        lo += x[0]
        hi += x[1]
    return (lo, hi)


def square(a):
    hi = max(a[0] * a[0], a[1] * a[1])
    lo = 0 if a[0] <= 0 <= a[1] else min(a[0] * a[0], a[1] * a[1])
    return (down(lo), up(hi))


def sqrt(a):
    """The root of what is not negative."""
    lo, hi = max(a[0], 0), max(a[1], 0)
    root = isqrt(hi << BITS)
    return (isqrt(lo << BITS), root if root * root == hi << BITS else root + 1)


def hull(xs):
    xs = list(xs)
    return (min(x[0] for x in xs), max(x[1] for x in xs))


def at_most(a, b):
    """Surely a <= b."""
    return a[1] <= b[0]


def below(a, b):
    """Surely a < b."""
    return a[1] < b[0]


def value(n):
    return Fraction(n, ONE)
