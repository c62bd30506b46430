"""Boxes of views, their predecessors, cover (docs/certificate-format.md, Kind refined). Sets of tokens are bits of integers."""
from .lexis import NotRead, need, token_set


def bits(tokens):
    return sum(1 << t for t in tokens)


def tokens_of(mask):
    t = 0
    while mask:
        if mask & 1:
            yield t
        mask, t = mask >> 1, t + 1


class Box:
    """Views of lo … hi tokens (hi at most the window) whose token j back lies in masks[j]."""

    def __init__(self, lo, hi, masks):
        self.lo, self.hi, self.masks = lo, hi, tuple(masks[:hi])

    @property
    def sets(self):
        return [frozenset(tokens_of(m)) for m in self.masks]

    def key(self):
        return (self.lo, self.hi, self.masks)

    def empty(self):
        return self.lo > self.hi or any(m == 0 for m in self.masks[: self.lo])

    def tidy(self):
        """Without the lengths that an empty set rules out; None when no view is left."""
        hi = self.hi
        for j, m in enumerate(self.masks):
            if m == 0:
                hi = min(hi, j)
        box = Box(self.lo, hi, self.masks)
        return None if box.lo > box.hi else box

    def meets(self, other):
        lo, hi = max(self.lo, other.lo), min(self.hi, other.hi)
        return lo <= hi and all(a & b for a, b in zip(self.masks[:lo], other.masks[:lo]))

    def within(self, other):
        return other.lo <= self.lo and self.hi <= other.hi and all(a & ~b == 0 for a, b in zip(self.masks, other.masks))

    def before(self, window, vocab):
        """The views that one of the box's current tokens makes a view of the box; None when there are none."""
        lo, hi = max(self.lo - 1, 1), window if self.hi == window else self.hi - 1
        every = (1 << vocab) - 1
        masks = [self.masks[j + 1] if j + 1 < len(self.masks) else every for j in range(max(hi, 0))]
        return Box(lo, hi, masks).tidy() if hi >= lo else None


def read_box(words, window, vocab):
    words.expect("lengths")
    lo, hi = words.nat(), words.take()
    need(hi == "any" or (hi.isdigit() and str(int(hi)) == hi), "no length")
    words.expect("sets")
    sets = [token_set(words.take(), vocab) for _ in range(words.nat(1 << 20))]
    words.expect("rest")
    rest = token_set(words.take(), vocab)
    high = window if hi == "any" else int(hi)
    need(1 <= len(sets) <= lo <= window and (hi == "any" or lo <= high), "lengths or sets of a box")
    high = min(high, window)
    masks = [bits(s) for s in reversed(sets)][:high]
    return Box(lo, high, masks + [bits(rest)] * (high - len(masks)))


def minus(p, c):
    """The views of p outside c, as disjoint boxes; c meets p."""
    if p.lo < c.lo:
        yield Box(p.lo, min(p.hi, c.lo - 1), p.masks).tidy()
    if p.hi > c.hi:
        yield Box(max(p.lo, c.hi + 1), p.hi, p.masks).tidy()
    lo, hi = max(p.lo, c.lo), min(p.hi, c.hi)
    for j in range(hi):
        outside = p.masks[j] & ~c.masks[j]
        if outside and max(lo, j + 1) <= hi:
            masks = [*(a & b for a, b in zip(p.masks[:j], c.masks)), outside, *p.masks[j + 1 :]]
            yield Box(max(lo, j + 1), hi, masks).tidy()


def cover(p, boxes, fuel=2_000_000):
    """Whether every view of p (None: no view) lies in some box of the list."""
    if p is None or p.tidy() is None:
        return True
    stack = [(p.tidy(), 0)]
    while stack:
        box, start = stack.pop()
        fuel -= 1
        if fuel < 0:
            raise NotRead("a cover too large for this reader")
        for i in range(start, len(boxes)):
            if boxes[i].meets(box):
                stack.extend((part, i + 1) for part in minus(box, boxes[i]) if part is not None)
                break
        else:
            return False
    return True
