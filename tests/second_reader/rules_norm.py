"""BOX, SPREAD, NORM-NEURONS, NORM-LINEAR, NORM-FOLD, SPHERE, PART-NUM, FINAL-SPREAD, FINAL: what LayerNorm divides by, and what it scales."""
from fractions import Fraction

from . import interval as iv
from .attention import both_ways, heads_bound
from .cases import Case, direction, quantity_of, ready_model, target, through
from .lexis import need
from .rules_fold import Fact, Ranges, fact, folded, gap_terms, linear_bound, fold_bound, multipliers, of_line, rho, slopes


def normed(cert):
    net = ready_model(cert, ("bounds",))
    need(net.norm in ("LN", "LNPre"), "a model without LayerNorm")
    return net


def centred(net, g):
    return net.centred(g)


def unit(net, i):
    """e_i - (1/d) 1."""
    return [iv.of(Fraction(int(i == j)) - Fraction(1, net.d)) for j in range(net.d)]


def length(v):
    return iv.sqrt(iv.total(iv.square(x) for x in v))


def root_d(net):
    return iv.sqrt(iv.of(net.d))


def box(cert, name, premises, words):
    net = normed(cert)
    case = cert.premise(premises, Case)
    need(not case.suffix and case.ready, "a ready case")
    need(words.nat() == net.d, "d_model lines")
    words.end()
    cert.steps[name] = Ranges(cert, name, case, "BOX-RANGE", net.d)


def box_range(cert, name, premises, words):
    block = of_line(cert, premises, words, "BOX-RANGE")
    found = both_ways(block.case, unit(cert.network, len(block.ranges)), words)
    words.end()
    block.add(found)


class Spread:
    def __init__(self, case, lo, hi):
        self.case, self.lo, self.hi = case, lo, hi


class FinalSpread(Spread):
    pass


def read_scales(net, words, s_hi, s_lo):
    """s_lo, s_hi, which enclose 1/sqrt(S/d + eps) for S in [S_lo, S_hi] (S_hi an upper, S_lo a lower end)."""
    lo, hi = words.hex(), words.hex()
    words.end()
    need(0 < lo <= hi, "no scales")

    def inside(square, s):
        """s² (S/d + eps)."""
        return iv.mul(iv.of(s * s), iv.add(iv.div((square, square), iv.of(net.d)), net.eps))

    need(inside(s_hi, lo)[1] <= iv.ONE and inside(s_lo, hi)[0] >= iv.ONE, "s_lo, s_hi do not enclose the scale")
    return lo, hi


def squares(ranges):
    return iv.total(iv.square(r) for r in ranges)


def spread(cert, name, premises, words):
    net = normed(cert)
    block = cert.premise(premises, Ranges)
    need(block.line == "BOX-RANGE" and block.left == 0, "a BOX")
    u = [iv.of(v) for v in words.hexes(net.d)]
    pu = centred(net, u)
    against = [iv.neg(v) for v in pu]
    least = -(block.case.base(against)[1] + heads_bound(block.case, against, words))
    s = squares(block.ranges)
    bottom = s[0]
    if least > 0:
        size = iv.total(iv.square(v) for v in pu)
        bottom = max(bottom, iv.div(iv.square((least, least)), size)[0])
    lo, hi = read_scales(net, words, s[1], bottom)
    cert.steps[name] = Spread(block.case, lo, hi)


def hidden(net, j):
    """h_j and c_j under LN2."""
    w = net.in_column(j)
    b = net.weights["blocks.0.mlp.b_in"][j]
    if net.norm == "LN":
        b = iv.add(b, iv.dot(net.weights["blocks.0.ln2.b"], w))
        w = [iv.mul(a, x) for a, x in zip(net.weights["blocks.0.ln2.w"], w)]
    return centred(net, w), b


def norm_neurons(cert, name, premises, words):
    net = normed(cert)
    s = cert.premise(premises, Spread)
    need(type(s) is Spread and not net.attn_only, "a SPREAD")
    need(words.nat() == net.f, "d_mlp lines")
    words.end()
    block = Ranges(cert, name, s.case, "NORM-RANGE", net.f)
    block.spread = s
    cert.steps[name] = block


def norm_range(cert, name, premises, words):
    block = of_line(cert, premises, words, "NORM-RANGE")
    net = cert.network
    h, c = hidden(net, len(block.ranges))
    y = both_ways(block.case, h, words)
    words.end()
    scaled = iv.mul(iv.between(block.spread.lo, block.spread.hi), y)
    most = iv.mul(root_d(net), length(h))[1]
    block.add(iv.add(c, (max(scaled[0], -most), min(scaled[1], most))))


def norm_linear(cert, name, premises, words):
    net = normed(cert)
    words.end()
    need(len(premises) == 3, "ranges, a claim and a side")
    block = cert.of(premises[0], Ranges)
    q, sigma = quantity_of(cert, *premises[1:])
    need(q[0] == "neuron" and q[1] < net.f and block.line == "NORM-RANGE" and block.left == 0, "the range of a neuron under LN2")
    lo, hi = block.ranges[q[1]]
    fact(cert, name, *premises[1:], block.case, hi if sigma > 0 else -lo)


def norm_fold_bound(case, block, tgt, words):
    """U of NORM-FOLD for a target."""
    net = case.net
    const0, g0, kappa = tgt
    need(block.line == "NORM-RANGE", "ranges under LN2")
    kappa = kappa or [iv.ZERO] * net.f
    ranges = block.cut(case)
    a = slopes(net, words)
    mu = multipliers(net, case, words)
    factors = [iv.add(iv.mul(k, iv.of(s)), m) for k, s, m in zip(kappa, a, mu)]
    all_h, all_c = zip(*(hidden(net, j) for j in range(net.f)))
    h = [iv.dot(factors, [all_h[j][i] for j in range(net.f)]) for i in range(net.d)]
    ends = []
    for mark, s in (("A", block.spread.lo), ("B", block.spread.hi)):
        words.expect(mark)
        g = [iv.add(x, iv.mul(iv.of(s), y)) for x, y in zip(g0, h)]
        ends.append(case.base(g)[1] + heads_bound(case, g, words))
    return const0[1] + iv.dot(factors, all_c)[1] + gap_terms(net, kappa, a, ranges) + max(ends)


def norm_target(cert, claim, side):
    q, sigma = quantity_of(cert, claim, side)
    need(not q[0].startswith("logit"), "a target under LNfinal")
    return target(cert, q, sigma)


def norm_fold(cert, name, premises, words):
    net = normed(cert)
    need(len(premises) == 4 and not net.attn_only, "a case, ranges, a claim and a side")
    case, block = cert.of(premises[0], Case), cert.of(premises[1], Ranges)
    upper = norm_fold_bound(case, block, norm_target(cert, *premises[2:]), words)
    words.end()
    fact(cert, name, *premises[2:], case, upper)


# -- the unembedding under LNfinal
def final_direction(cert, claim, side):
    """σ const and σ h of l_A [- l_B] = const + s <h, r>."""
    net = normed(cert)
    q, sigma = quantity_of(cert, claim, side)
    need(q[0] in ("logit", "logit-difference"), "a logit or a difference of two")
    delta, const = direction(net, q)
    if net.norm == "LN":
        const = iv.add(const, iv.dot(net.weights["ln_final.b"], delta))
        delta = [iv.mul(a, b) for a, b in zip(net.weights["ln_final.w"], delta)]
    h = centred(net, delta)
    return (const, h) if sigma > 0 else (iv.neg(const), [iv.neg(v) for v in h])


def sphere(cert, name, premises, words):
    net = normed(cert)
    words.end()
    need(len(premises) == 3, "a case, a claim and a side")
    case = cert.of(premises[0], Case)
    const, h = final_direction(cert, *premises[1:])
    fact(cert, name, *premises[1:], case, const[1] + iv.mul(root_d(net), length(h))[1])


class Numerator(Fact):
    pass


def part_num(cert, name, premises, words):
    net = normed(cert)
    need(len(premises) == 3, "a case, a claim and a side")
    case = cert.of(premises[0], Case)
    _, h = final_direction(cert, *premises[1:])
    tgt = through(net, h, iv.ZERO)
    rule = words.take()
    if rule == "LINEAR":
        upper = linear_bound(case, tgt, words)
    elif rule == "FOLD":
        block = cert.of(words.take(), Ranges)
        upper = fold_bound(case, block.cut(case), tgt, words)
    else:
        need(rule == "NORM-FOLD" and not net.attn_only, "no rule of a part")
        upper = norm_fold_bound(case, cert.of(words.take(), Ranges), tgt, words)
    words.end()
    cert.steps[name] = Numerator(*premises[1:], case, upper)


def final_spread(cert, name, premises, words):
    net = normed(cert)
    case = cert.premise(premises, Case)
    block, neurons = cert.of(words.take(), Ranges), words.take()
    need(block.line == "BOX-RANGE" and block.left == 0 and case.within(block.case), "a BOX of the case")
    ranges = list(block.ranges)
    need((neurons == "-") == net.attn_only, "neuron ranges, and - without an MLP")
    if not net.attn_only:
        z = cert.of(neurons, Ranges)
        need(z.line in ("NORM-RANGE", "CASE-RANGE"), "ranges of neurons")
        acts = [rho(net, iv.ZERO, r) for r in z.cut(case)]
        rows = [centred(net, net.row("blocks.0.mlp.W_out", j, net.d)) for j in range(net.f)]
        out = centred(net, net.weights["blocks.0.mlp.b_out"])
        for i in range(net.d):
            ranges[i] = iv.add(iv.add(ranges[i], iv.dot(acts, [row[i] for row in rows])), out[i])
    s = squares(ranges)
    lo, hi = read_scales(net, words, s[1], s[0])
    cert.steps[name] = FinalSpread(case, lo, hi)


def final(cert, name, premises, words):
    net = normed(cert)
    need(len(premises) == 3, "a case, a claim and a side")
    case = cert.of(premises[0], Case)
    num, spr = cert.of(words.take(), Numerator), cert.of(words.take(), FinalSpread)
    words.end()
    need((num.claim, num.side) == tuple(premises[1:]) and case.within(num.case) and case.within(spr.case), "a PART-NUM of this claim and side and a FINAL-SPREAD, of this case")
    const, h = final_direction(cert, *premises[1:])
    s = iv.of(spr.hi if num.upper >= 0 else spr.lo)
    scaled = iv.mul((num.upper, num.upper), s)[1]
    fact(cert, name, *premises[1:], case, const[1] + min(scaled, iv.mul(root_d(net), length(h))[1]))


RULES = {
    "BOX": box,
    "BOX-RANGE": box_range,
    "SPREAD": spread,
    "NORM-NEURONS": norm_neurons,
    "NORM-RANGE": norm_range,
    "NORM-LINEAR": norm_linear,
    "NORM-FOLD": norm_fold,
    "SPHERE": sphere,
    "PART-NUM": part_num,
    "FINAL-SPREAD": final_spread,
    "FINAL": final,
}
