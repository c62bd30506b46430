"""Temporal formulas: parsing, negation normal form, progression. A formula is a tuple; true and false are ("t",) and ("f",)."""
from .lexis import NotRead, need

TRUE, FALSE = ("t",), ("f",)


def nots(f):
    kind = f[0]
    if kind == "!":
        return f[1]
    flip = {"t": "f", "f": "t"}
    return (flip[kind],) if kind in flip else ("!", f)


def junction(kind, parts):
    """The conjunction ("&") or disjunction ("|") of formulas, without order, repetition, and what others imply."""
    unit, zero = (TRUE, FALSE) if kind == "&" else (FALSE, TRUE)
    flat = set()
    for p in parts:
        flat.update(p[1] if p[0] == kind else (p,))
    flat.discard(unit)
    if zero in flat or any(nots(p) in flat for p in flat if p[0] in ("ap", "past")):
        return zero
    # F[0:b] f implies F[0:b'] f for b <= b', and G[0:b'] f implies G[0:b] f: the weaker goes from "&", the stronger from "|".
    least, most = {}, {}
    for p in flat:
        if p[0] in "FG" and p[1] == 0 and p[2] is not None:
            key = (p[0], p[3])
            least[key] = min(p[2], least.get(key, p[2]))
            most[key] = max(p[2], most.get(key, p[2]))
    for key in least:
        kept = least[key] if (key[0] == "F") == (kind == "&") else most[key]
        flat = {p for p in flat if not (p[0] == key[0] and p[1] == 0 and p[2] is not None and p[3] == key[1]) or p[2] == kept}
    if not flat:
        return unit
    return next(iter(flat)) if len(flat) == 1 else (kind, frozenset(flat))


def conj(*parts):
    return junction("&", parts)


def disj(*parts):
    return junction("|", parts)


def nnf(f, positive=True):
    """Negation normal form over infinite words, where X is its own dual."""
    kind = f[0]
    if kind in "tf":
        return f if positive else nots(f)
    if kind in ("ap", "past"):
        return f if positive else ("!", f)
    if kind == "!":
        return nnf(f[1], not positive)
    if kind in "&|":
        return junction(kind if positive else {"&": "|", "|": "&"}[kind], [nnf(g, positive) for g in f[1]])
    if kind in ("X", "X!"):
        return (kind if positive else {"X": "X!", "X!": "X"}[kind], nnf(f[1], positive))
    if kind in "FG":
        return (kind if positive else {"F": "G", "G": "F"}[kind], f[1], f[2], nnf(f[3], positive))
    if kind in "UW":
        a, b = f[1], f[2]
        if positive:
            return (kind, nnf(a), nnf(b))
        other = {"U": "W", "W": "U"}[kind]  # !(a U b) = !b W (!a & !b)
        return (other, nnf(b, False), conj(nnf(a, False), nnf(b, False)))
    raise AssertionError(kind)


def parts(f):
    """Every formula inside one, itself included."""
    yield f
    if f[0] in "&|":
        for g in f[1]:
            yield from parts(g)
    else:
        for g in f[1:]:
            if isinstance(g, tuple):
                yield from parts(g)


def is_safety(f):
    """Of a formula in negation normal form: no unbounded F, no U, no X[!]."""
    return not any(g[0] == "U" or g[0] == "X!" or (g[0] == "F" and g[2] is None) for g in parts(f))


def progress(f, now):
    """What the rest of the word must satisfy; now(ap or past) is the truth at this letter. f is in negation normal form."""
    kind = f[0]
    if kind in "tf":
        return f
    if kind in ("ap", "past"):
        return TRUE if now(f) else FALSE
    if kind == "!":
        return FALSE if now(f[1]) else TRUE
    if kind in "&|":
        return junction(kind, [progress(g, now) for g in f[1]])
    if kind in ("X", "X!"):
        return f[1]
    if kind in "FG":
        a, b, g = f[1:]
        if a > 0:
            return (kind, a - 1, b if b is None else b - 1, g)
        rest = (kind, 0, None, g) if b is None else (kind, 0, b - 1, g) if b > 0 else None
        here = progress(g, now)
        if rest is None:
            return here
        return disj(here, rest) if kind == "F" else conj(here, rest)
    a, b = progress(f[1], now), progress(f[2], now)
    return disj(b, conj(a, f))


class Memory:
    """What Y remembers: the values, one letter ago, of the formulas below it. A past formula is ("past", g): g one position before."""

    def __init__(self, f):
        self.bodies = sorted({g[1] for g in parts(f) if g[0] == "past"}, key=repr)

    def first(self):
        return tuple(False for _ in self.bodies)

    def truth(self, memory, letter):
        """now() at a letter (a set of aps) with that memory."""
        kept = dict(zip(self.bodies, memory))

        def now(f):
            return f[1] in letter if f[0] == "ap" else kept[f[1]]

        return now

    def after(self, memory, letter):
        now = self.truth(memory, letter)
        return tuple(holds_now(g, now) for g in self.bodies)


def holds_now(g, now):
    """A formula of aps, past formulas and connectives at one letter."""
    kind = g[0]
    if kind in "tf":
        return kind == "t"
    if kind in ("ap", "past"):
        return now(g)
    if kind == "!":
        return not holds_now(g[1], now)
    need(kind in "&|", "an operator of the future below one of the past")
    return (all if kind == "&" else any)(holds_now(h, now) for h in g[1])


def previous(f, times=1):
    for _ in range(times):
        f = ("past", f)
    return f


def once(kind, f, a, b):
    """O[a:b] f, H[a:b] f for b given; O f and H f need memory of their own."""
    if b is None:
        raise NotRead("O or H without an end")
    if kind == "O":
        return disj(*[previous(f, n) for n in range(a, b + 1)])
    return nots(disj(*[previous(nots(f), n) for n in range(a, b + 1)]))
