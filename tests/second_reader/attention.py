"""ATTN-MAX and ATTN-JOINT: bounds of the heads' output along a direction on a ready case."""
from . import functions as fn
from . import interval as iv
from .lexis import need


class Heads:
    """The weights and values of a ready case along a direction: w[h][j][u] (divided by one factor a head), nu[h][j][u]."""

    def __init__(self, case, g):
        net, c, p = case.net, case.query(), case.p
        self.case, self.w, self.nu = case, [], []
        for h in range(net.heads):
            scores = [{u: net.score(h, p, c, j, u) for u in case.sets[j]} for j in range(case.most)]
            top = max(s[1] for row in scores for s in row.values())
            self.w.append([{u: fn.exp(iv.sub(s, (top, top))) for u, s in row.items()} for row in scores])
            self.nu.append([{u: iv.dot(net.written(h, net.place(p - j), u), g) for u in case.sets[j]} for j in range(case.most)])

    def attn_max(self, h, bound):
        """Whether `bound` is an ATTN-MAX number of head h."""
        total = 0
        for j in range(self.case.most):
            total += max(iv.mul(self.w[h][j][u], iv.sub(self.nu[h][j][u], bound))[1] for u in self.case.sets[j])
            if j + 1 >= self.case.least and total > 0:
                return False
        return True

    def joint(self, bounds, theta):
        """The ATTN-JOINT bound (an upper end)."""
        case, best = self.case, None
        low = [[min(v[0] for v in row.values()) for row in w] for w in self.w]
        high = [[max(v[1] for v in row.values()) for row in w] for w in self.w]

        def psi(t, lo, hi):
            need(lo > 0, "a sum of weights that is not shown to be above 0")
            at = t[1] * iv.ONE
            return -(-at // (lo if t[1] >= 0 else hi))

        for n in range(case.least, case.most + 1):
            total = 0
            for h, bound in enumerate(bounds):
                total += bound[1] + psi(iv.total(theta[h][:n]), sum(low[h][:n]), sum(high[h][:n]))
            for j in range(n):
                terms = []
                for u in case.sets[j]:
                    term = 0
                    for h, bound in enumerate(bounds):
                        w = self.w[h][j][u]
                        inner = iv.sub(iv.mul(w, iv.sub(self.nu[h][j][u], bound)), theta[h][j])
                        rest_lo, rest_hi = sum(low[h][:n]) - low[h][j], sum(high[h][:n]) - high[h][j]
                        term += psi(inner, w[0] + rest_lo, w[1] + rest_hi)
                    terms.append(term)
                total += max(terms)
            best = total if best is None else max(best, total)
        return best


def heads_bound(case, g, words):
    """HEADS for a direction: reads the numbers, returns the upper end of what they show."""
    net = case.net
    heads = Heads(case, g)
    bounds = [iv.of(v) for v in words.hexes(net.heads)]
    if words.peek() == "T":
        words.take()
        theta = [[iv.of(v) for v in words.hexes(case.most)] for _ in range(net.heads)]
        return heads.joint(bounds, theta)
    for h, bound in enumerate(bounds):
        need(heads.attn_max(h, bound), f"the number for head {h} is not shown to be a bound")
    return sum(b[1] for b in bounds)


def both_ways(case, g, words):
    """HEADS of g and of -g: the range of <g, m>."""
    up = heads_bound(case, g, words)
    down = heads_bound(case, [iv.neg(v) for v in g], words)
    base = case.base(g)
    return (base[0] - down, base[1] + up)
