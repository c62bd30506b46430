"""exp, ln, erf, tanh, cos, sin: Taylor series with their remainders, in integers, rounded outward."""
from fractions import Fraction
from functools import lru_cache
from math import isqrt

from . import interval as iv
from .lexis import need

GUARD = 80
WIDE = iv.BITS + GUARD  # the working precision


def _ends(lo, hi, wide):
    """Ends in units of 2^-wide, as an interval."""
    by = wide - iv.BITS
    return (lo >> by, -((-hi) >> by))


@lru_cache(maxsize=None)
def ln2(wide):
    """2^wide ln 2 lies in [n, n+m]: ln 2 = Σ 1/(k 2^k), the tail after K terms is at most 2^-K."""
    terms = wide + 8
    lo = sum(((1 << wide) // k) >> k for k in range(1, terms))
    return (lo, lo + 2 * terms)


@lru_cache(maxsize=1 << 18)
def exp_point(n):
    """e^(n/2^BITS)."""
    if n < -(iv.BITS + 2) * iv.ONE:  # below 2^-BITS
        return (0, 1)
    need(n < 4096 * iv.ONE, "an exponent too large for this reader")
    wide = WIDE
    x = n << GUARD
    lo2, hi2 = ln2(wide)
    k = x // lo2
    r_lo, r_hi = (x - k * hi2, x - k * lo2) if k >= 0 else (x - k * lo2, x - k * hi2)  # x - k ln 2
    halvings = 12
    lo, hi = _exp_small(r_lo >> halvings, wide)[0], _exp_small(-((-r_hi) >> halvings), wide)[1]
    for _ in range(halvings):
        lo, hi = (lo * lo) >> wide, -((-hi * hi) >> wide)
    shift = wide - iv.BITS - k
    return (lo >> shift, -((-hi) >> shift)) if shift >= 0 else (lo << -shift, hi << -shift)


def _exp_small(r, wide):
    """e^(r/2^wide) for |r| below 2^(wide-4): after K terms the rest is at most twice the next in size."""
    term_lo = term_hi = lo = hi = 1 << wide
    for k in range(1, 60):
        a, b = term_lo * r, term_hi * r
        if a > b:
            a, b = b, a
        term_lo, term_hi = (a >> wide) // k, -((-b >> wide) // k)
        lo, hi = lo + term_lo, hi + term_hi
    rest = 2 * max(abs(term_lo), abs(term_hi)) + 2
    return (lo - rest, hi + rest)


def exp(a):
    return (exp_point(a[0])[0], exp_point(a[1])[1])


@lru_cache(maxsize=4096)
def ln(x):
    """ln of a fraction above 0: x = m 2^k with m in [3/4, 3/2], ln m = 2 artanh((m-1)/(m+1)), |(m-1)/(m+1)| <= 1/5."""
    x, k = Fraction(x), 0
    while x > Fraction(3, 2):
        x, k = x / 2, k + 1
    while x < Fraction(3, 4):
        x, k = x * 2, k - 1
    t = (x - 1) / (x + 1)
    wide = WIDE
    lo = hi = 0
    power = t
    for i in range(1, 240, 2):
        n = (power.numerator << wide) // (power.denominator * i)
        lo, hi = lo + n, hi + n + 1
        power *= t * t
        if power.denominator.bit_length() > 4 * wide:  # kept short, outward: the terms' own rounding is counted above
            short = Fraction((power.numerator << (2 * wide)) // power.denominator, 1 << (2 * wide))
            power, hi, lo = short, hi + 1, lo - 1
    rest = 2
    lo, hi = 2 * (lo - rest), 2 * (hi + rest)
    lo2, hi2 = ln2(wide)
    lo, hi = (lo + k * lo2, hi + k * hi2) if k >= 0 else (lo + k * hi2, hi + k * lo2)
    return _ends(lo, hi, wide)


def ln_interval(a):
    return (ln(iv.value(a[0]))[0], ln(iv.value(a[1]))[1])


@lru_cache(maxsize=None)
def pi(wide):
    """2^wide π, Machin: 16 arctan(1/5) - 4 arctan(1/239)."""

    def arctan(n):
        total, power, k = 0, (1 << wide) // n, 1
        while power:
            total += power // k if k % 4 == 1 else -(power // k)
            power, k = power // (n * n), k + 2
        return total, k + 4  # every term is off by less than 2, the rest is below one

    (a, ea), (b, eb) = arctan(5), arctan(239)
    middle, error = 16 * a - 4 * b, 2 * (16 * ea + 4 * eb)
    return (middle - error, middle + error)


def erf_point(n):
    """erf(n/2^BITS) = 2/√π Σ (-1)^k x^(2k+1)/(k!(2k+1)); beyond 9 it is within e^(-81) of ±1."""
    if abs(n) > 9 * iv.ONE:
        tail = exp_point(-81 * iv.ONE)[1]
        return (iv.ONE - tail, iv.ONE) if n > 0 else (-iv.ONE, tail - iv.ONE)
    wide = WIDE + 160  # e^(x²) <= e^81 < 2^117 is the largest that terms grow
    x = n << (wide - iv.BITS)
    square = x * x >> wide  # a little below x²: moves the sum by less than the error counted below
    power, lo, error = x, 0, 0
    for k in range(700):
        term = power // (2 * k + 1)
        lo += term if k % 2 == 0 else -term
        error += 4 + (abs(power) >> (wide - 12))
        power = (power * square >> wide) // (k + 1)
        if abs(power) <= 1 and k > 200:
            break
    else:
        need(False, "erf's series has not ended")
    error += 1 << 20
    root = isqrt(pi(2 * wide)[0]), isqrt(pi(2 * wide)[1]) + 1  # 2^wide √π
    ends = sorted(((lo + s * error) << (wide + 1)) // r for s in (-1, 1) for r in root)
    a, b = _ends(ends[0] - 1, ends[-1] + 1, wide)
    return (max(a, -iv.ONE), min(b, iv.ONE))


def erf(a):
    return (erf_point(a[0])[0], erf_point(a[1])[1])


def tanh(a):
    """1 - 2/(e^(2x)+1), which rises."""

    def point(n):
        if abs(n) > 100 * iv.ONE:
            tail = exp_point(-190 * iv.ONE)[1]
            return (iv.ONE - tail, iv.ONE) if n > 0 else (-iv.ONE, tail - iv.ONE)
        return iv.sub(iv.UNIT, iv.div(iv.scale(iv.UNIT, 2), iv.add(exp_point(2 * n), iv.UNIT)))

    return (point(a[0])[0], point(a[1])[1])


def cos_sin(a):
    """cos and sin of a narrow interval: at its middle, widened by half its width (both are 1-Lipschitz)."""
    middle, radius = (a[0] + a[1]) // 2, (a[1] - a[0]) // 2 + 1
    need(abs(middle) < 64 * iv.ONE and radius < iv.ONE, "an angle too large for this reader")
    wide = WIDE + 120  # the terms grow to at most e^64
    x = middle << (wide - iv.BITS)
    sums, term, k = [0, 0], 1 << wide, 0
    while abs(term) > 1 or k < 80:
        sums[k % 2] += term if k % 4 < 2 else -term
        k += 1
        term = (term * x >> wide) // k
    out = []
    for s in sums:
        lo, hi = _ends(s - (1 << 116), s + (1 << 116), wide)  # k roundings, each grown by at most e^64 < 2^93: below 2^116 in all
        out.append((max(lo - radius, -iv.ONE), min(hi + radius, iv.ONE)))
    return out
