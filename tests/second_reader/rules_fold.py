"""LINEAR, NEURONS, CASE-NEURONS, FOLD, HULL, and the claims about suffixes: one layer through the MLP in one direction."""
from fractions import Fraction

from . import functions as fn
from . import interval as iv
from .attention import Heads, both_ways, heads_bound
from .cases import Case, quantity_of, ready_model, target
from .lexis import need


class Ranges:
    """A block of ranges: `line` is the rule of its lines, `left` those that are missing."""

    def __init__(self, cert, name, case, line, count):
        self.name, self.case, self.line, self.left, self.ranges = name, case, line, count, []
        self.cert = cert
        cert.open = self if count else None

    def add(self, found):
        self.ranges.append(found)
        self.left -= 1
        if self.left == 0:
            self.cert.open = None

    def cut(self, case):
        """The ranges on a case within, cut at 0 by its parts by neurons."""
        need(case.within(self.case) and self.left == 0, "ranges of another case")
        out = list(self.ranges)
        for j, sign in case.signs():
            lo, hi = out[j]
            out[j] = (max(lo, 0), max(hi, 0)) if sign > 0 else (min(lo, 0), min(hi, 0))
        return out


class Fact:
    def __init__(self, claim, side, case, upper):
        self.claim, self.side, self.case, self.upper = claim, side, case, upper


def of_line(cert, premises, words, rule):
    """The open block of a range line, and whether j is the next."""
    block = cert.premise([premises[0]], Ranges) if premises else need(False, "a premise")
    need(cert.open is block and block.line == rule and len(premises) == 2, f"no block of {rule} lines is open")
    need(premises[1] == str(len(block.ranges)), "the lines of a block are out of order")
    return block


def neurons(line, suffix):
    def rule(cert, name, premises, words):
        net = ready_model(cert, ("bounds",) if suffix else ("bounds", "refined"))
        case = cert.premise(premises, Case)
        need(case.suffix == suffix and case.ready, "a case of this rule, ready")
        need(not net.attn_only and (net.norm is None), "neurons without LN2")
        need(words.nat() == net.f, "d_mlp lines")
        words.end()
        cert.steps[name] = Ranges(cert, name, case, line, net.f)

    return rule


def neuron_range(rule_name):
    def rule(cert, name, premises, words):
        block = of_line(cert, premises, words, rule_name)
        net, j = cert.network, len(block.ranges)
        found = both_ways(block.case, net.in_column(j), words)
        words.end()
        block.add(iv.add(found, net.weights["blocks.0.mlp.b_in"][j]))

    return rule


# -- act(z) - a z over a range
def rho(net, a, z):
    lo, hi = (z[0], z[0]), (z[1], z[1])

    def at(point):
        return iv.sub(net.activation(point), iv.mul(a, point))

    if net.act == "relu":
        ends = [at(lo), at(hi)]
        bottom = [*ends, iv.ZERO] if z[0] < 0 < z[1] else ends
        return (min(e[0] for e in bottom), max(e[1] for e in ends))
    step, edge = iv.ONE >> 8, 8 * iv.ONE
    inner = range(-(-max(z[0], -edge) // step) * step, min(z[1], edge) + 1, step)
    need(len(inner) <= 4097, "a range")
    values = [at(lo), at(hi), *(at((e, e)) for e in inner)]
    more = iv.ONE >> 19
    return (min(v[0] for v in values) - more, max(v[1] for v in values) + more)


def slopes(net, words):
    words.expect("S")
    return words.hexes(net.f)


def gap_terms(net, kappa, a, ranges):
    """Σ_j max(κ_j ρlo_j, κ_j ρhi_j), the upper end."""
    total = 0
    for k, slope, z in zip(kappa, a, ranges):
        lo, hi = rho(net, iv.of(slope), z)
        total += max(iv.mul(k, (lo, lo))[1], iv.mul(k, (hi, hi))[1])
    return total


def folded(net, g0, factors):
    """g0 + Σ_j factors_j W_in[:,j]."""
    return [iv.add(g, iv.dot(factors, net.row("blocks.0.mlp.W_in", i, net.f))) for i, g in enumerate(g0)]


def multipliers(net, case, words):
    """μ_j s_j, 0 where M says nothing."""
    out = [iv.ZERO] * net.f
    if words.peek() == "M":
        words.take()
        last, signs = -1, dict(case.signs())
        for _ in range(words.nat(net.f + 1)):
            j, mu = words.nat(net.f), words.hex()
            need(j > last and j in signs and mu >= 0, "no multiplier")
            out[j] = iv.of(mu * signs[j])
            last = j
    return out


def fold_bound(case, ranges, tgt, words, small_slopes=False):
    """U of FOLD for a target."""
    net = case.net
    const0, g0, kappa = tgt
    need(not net.attn_only and net.norm is None, "FOLD without an MLP or under LN2")
    kappa = kappa or [iv.ZERO] * net.f
    a = slopes(net, words)
    need(not small_slopes or all(0 <= v <= 1 for v in a), "slopes outside [0, 1]")
    mu = [iv.ZERO] * net.f if small_slopes else multipliers(net, case, words)
    factors = [iv.add(iv.mul(k, iv.of(s)), m) for k, s, m in zip(kappa, a, mu)]
    g = folded(net, g0, factors)
    words.expect("L")
    heads = heads_bound(case, g, words)
    return const0[1] + iv.dot(factors, net.weights["blocks.0.mlp.b_in"])[1] + gap_terms(net, kappa, a, ranges) + case.base(g)[1] + heads


def linear_bound(case, tgt, words):
    need(all(k == iv.ZERO for k in tgt[2]), "LINEAR of a target with neurons")
    return tgt[0][1] + case.base(tgt[1])[1] + heads_bound(case, tgt[1], words)


def fact(cert, name, claim, side, case, upper):
    cert.steps[name] = Fact(claim, side, case, upper)


def fact_target(cert, claim, side):
    return target(cert, *quantity_of(cert, claim, side))


def linear(cert, name, premises, words):
    ready_model(cert)
    need(len(premises) == 3, "a case, a claim and a side")
    case = cert.of(premises[0], Case)
    upper = linear_bound(case, fact_target(cert, *premises[1:]), words)
    words.end()
    fact(cert, name, *premises[1:], case, upper)


def fold(cert, name, premises, words):
    ready_model(cert)
    need(len(premises) == 4, "a case, ranges, a claim and a side")
    case, block = cert.of(premises[0], Case), cert.of(premises[1], Ranges)
    upper = fold_bound(case, block.cut(case), fact_target(cert, *premises[2:]), words)
    words.end()
    fact(cert, name, *premises[2:], case, upper)


# -- HULL
def hull(cert, name, premises, words):
    net = ready_model(cert)
    need(len(premises) == 3, "a case, a claim and a side")
    case = cert.of(premises[0], Case)
    need(case.ready and not net.attn_only and net.norm is None and net.act == "relu", "HULL of another model or case")
    words.expect("H")
    star = words.peek() == "*"
    h = words.take() if star else words.nat(net.heads)
    need(star or net.positions in ("relative_bias", "none"), "HULL of a head where tokens' weights depend on positions")
    a = slopes(net, words)
    words.end()
    need(all(0 <= v <= 1 for v in a), "a slope outside [0, 1]")
    const0, g0, kappa = fact_target(cert, *premises[1:])
    kappa = kappa or [iv.ZERO] * net.f
    fixed = [j for j in range(case.least) if len(case.sets[j]) == 1]
    free = [j for j in range(case.most) if j not in fixed]
    need(not star or len(free) <= 1, "more than one position free")
    vertices = sorted(set().union(*(case.sets[j] for j in free))) if free else []
    if not free or any(j >= case.least for j in free):
        vertices.append(None)
    along = Vertices(case, fixed, free, vertices)

    def means(g):
        """<g, m> at every vertex."""
        heads = along.outputs(g)
        base = case.base(g)
        if star:
            return {v: iv.add(base, iv.total(o[v] for o in heads)) for v in vertices}
        others = iv.total(iv.hull(o.values()) for i, o in enumerate(heads) if i != h)
        return {v: iv.add(iv.add(base, heads[h][v]), others) for v in vertices}

    m = means(g0)
    z = [means(net.in_column(j)) for j in range(net.f)]
    best = None
    for v in vertices:
        total = const0[1] + m[v][1]
        for j, k in enumerate(kappa):
            value = iv.add(z[j][v], net.weights["blocks.0.mlp.b_in"][j])
            if k[1] > 0:
                total += iv.mul((k[1], k[1]), (max(value[0], 0), max(value[1], 0)))[1]
            else:
                total += iv.mul(iv.mul(k, iv.of(a[j])), value)[1]
        best = total if best is None else max(best, total)
    fact(cert, name, *premises[1:], case, best)


class Vertices:
    def __init__(self, case, fixed, free, vertices):
        self.case, self.fixed, self.free, self.vertices = case, fixed, free, vertices

    def outputs(self, g):
        """o_i at every vertex, for each head i."""
        heads, out = Heads(self.case, g), []
        for h in range(self.case.net.heads):
            w, nu = heads.w[h], heads.nu[h]
            only = {j: next(iter(self.case.sets[j])) for j in self.fixed}
            n = iv.total(w[j][t] for j, t in only.items())
            above = iv.total(iv.mul(w[j][t], nu[j][t]) for j, t in only.items())
            found = {}
            for v in self.vertices:
                if v is None:
                    need(n[0] > 0, "a sum of weights that is not shown to be above 0")
                    found[v] = mean(n, above, [])
                else:
                    # Σ over the free positions of e^{rel_bias} w(v): where a free position does not show v, its weight there is needed all the same
                    found[v] = mean(n, above, [self.weight(h, heads, j, v) for j in self.free], self.value(h, heads, v, g))
            out.append(found)
        return out

    def weight(self, h, heads, j, v):
        if v in heads.w[h][j]:
            return heads.w[h][j][v]
        case, net = self.case, self.case.net
        c = case.query()
        # the factor that Heads divided out of this head's weights
        top = max(net.score(h, case.p, c, i, u)[1] for i in range(case.most) for u in case.sets[i])
        return fn.exp(iv.sub(net.score(h, case.p, c, j, v), (top, top)))

    def value(self, h, heads, v, g):
        for j in self.free:
            if v in heads.nu[h][j]:
                return heads.nu[h][j][v]
        raise AssertionError


def mean(n, above, weights, value=None):
    """(N + W ν)/(n + W), W the sum of the weights: N/n + W/(n+W) (ν - N/n)."""
    near = ratio(above, n)
    if value is None:
        return near
    w = iv.total(weights)
    share = (share_of(w[0], n[1])[0], share_of(w[1], n[0])[1])
    return iv.add(near, iv.mul(share, iv.sub(value, near)))


def share_of(w, n):
    """w/(w+n)."""
    need(w + n > 0, "no weight")
    return (w * iv.ONE // (w + n), -(-w * iv.ONE // (w + n)))


def ratio(a, n):
    need(n[0] > 0, "a sum of weights that is not shown to be above 0")
    return iv.div(a, n)


# -- claims about suffixes
def suffix_claim(cert, name, kind, case):
    claim = cert.request.claims.get(name)
    need(claim and claim.kind == kind and getattr(claim, "suffix", None) == case.tokens, "no such claim about this suffix")
    return claim


def feature_off(cert, name, premises, words):
    net = ready_model(cert, ("bounds",))
    case = cert.premise(premises, Case)
    need(case.suffix, "a suffix")
    claim = suffix_claim(cert, name, "feature-off", case)
    sae = with_threshold(cert, "blocks.0.hook_resid_mid", net.d)
    g = [iv.of(v) for v in sae.column(claim.feature)]
    upper = case.base(g)[1] + iv.of(sae.constant(claim.feature))[1] + heads_bound(case, g, words)
    words.end()
    need(iv.value(upper) <= sae.threshold[claim.feature], "the pre-activation is not shown to stay at the threshold")
    return "PROVED"


def with_threshold(cert, hook, width):
    sae = cert.sae
    need(sae and sae.hook == hook and sae.d == width and sae.kind != "topk", "an SAE of this hook with thresholds")
    return sae


def feature_off_mlp(cert, name, premises, words):
    net = ready_model(cert, ("bounds",))
    block = cert.premise(premises, Ranges)
    need(block.case.suffix, "a suffix")
    claim = suffix_claim(cert, name, "feature-off", block.case)
    sae = with_threshold(cert, "blocks.0.mlp.hook_post", net.f)
    kappa = [iv.of(v) for v in sae.column(claim.feature)]
    tgt = (iv.of(sae.constant(claim.feature)), [iv.ZERO] * net.d, kappa)
    upper = fold_bound(block.case, block.cut(block.case), tgt, words, small_slopes=True)
    words.end()
    need(iv.value(upper) <= sae.threshold[claim.feature], "the pre-activation is not shown to stay at the threshold")
    return "PROVED"


def mixture(net, token, words):
    rivals = [(words.nat(net.out), Fraction(words.nat(1 << 17), 1 << 16)) for _ in range(words.nat(net.out + 1))]
    need(rivals and len({y for y, _ in rivals} | {token}) == len(rivals) + 1 and sum(w for _, w in rivals) == 1, "no mixture of rivals")
    return ("logit-mixture", token, tuple(rivals))


def token_out(cert, name, premises, words):
    net = ready_model(cert, ("bounds",))
    block = cert.premise(premises, Ranges)
    need(block.case.suffix, "a suffix")
    claim = suffix_claim(cert, name, "token-out", block.case)
    need(cert.request.decoder and claim.token < net.out, "no decoder line, or no such token")
    words.expect("M")
    tgt = target(cert, mixture(net, claim.token, words), 1)
    upper = fold_bound(block.case, block.cut(block.case), tgt, words, small_slopes=True)
    words.end()
    rho_, temperature, order = cert.request.decoder
    cut = fn.ln(rho_)
    if order == "before":
        cut = iv.mul(cut, iv.of(temperature))
    need(upper < cut[0], "the bound is not shown to be below the cut")
    return "PROVED"


RULES = {
    "LINEAR": linear,
    "NEURONS": neurons("NEURON-RANGE", True),
    "NEURON-RANGE": neuron_range("NEURON-RANGE"),
    "CASE-NEURONS": neurons("CASE-RANGE", False),
    "CASE-RANGE": neuron_range("CASE-RANGE"),
    "FOLD": fold,
    "HULL": hull,
    "FEATURE-OFF": feature_off,
    "FEATURE-OFF-MLP": feature_off_mlp,
    "TOKEN-OUT": token_out,
}
