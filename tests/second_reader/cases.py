"""Domains, cases and what is bounded on them: SUFFIX, ROOT, PART; quantities and their targets."""
from fractions import Fraction

from . import interval as iv
from .lexis import need, token_set


class Case:
    """lengths [a,b], sets B_0, B_1, … (one for each key of the longest context); the parts that it is a part of; how it was cut from the last."""

    def __init__(self, net, a, b, sets, parent=None, cut=None, root=None, suffix=False):
        self.net, self.a, self.b, self.parent, self.cut, self.suffix = net, a, b, parent, cut, suffix
        self.most = b if net.window is None else min(b, net.window)
        self.least = a if net.window is None else min(a, net.window)
        self.sets = sets[: self.most]
        self.root = root if parent is None else parent.root
        self.ready = len(self.sets[0]) == 1 and (net.positions != "standard" or a == b)
        self.p = a - 1 if net.positions == "standard" else 0

    def query(self):
        need(self.ready, "the case is not ready")
        return next(iter(self.sets[0]))

    def within(self, other):
        """Itself or a part of the other."""
        case = self
        while case is not None:
            if case is other:
                return True
            case = case.parent
        return False

    def signs(self):
        """(J, s) of the cuts by a neuron, the oldest first."""
        out, case = [], self
        while case is not None:
            if case.cut and case.cut[0] == "neuron":
                out.append(case.cut[1:])
            case = case.parent
        return out[::-1]

    def base(self, g):
        x = [iv.add(v, b) for v, b in zip(self.net.embedded(self.p, self.query()), self.net.weights["blocks.0.attn.b_O"])]
        return iv.dot(x, g)

    def contexts(self):
        """Every context as far as it is read: (view, position)."""
        net, seen = self.net, set()
        for n in range(self.a, self.b + 1):
            keys = n if net.window is None else min(n, net.window)
            p = n - 1 if net.positions == "standard" else 0
            if (keys, p) in seen:
                continue
            seen.add((keys, p))
            views = [()]
            for j in range(keys):
                views = [(t, *v) for v in views for t in sorted(self.sets[j])]
                need(len(views) <= 65536, "too many contexts")
            for v in views:
                yield v, p


def domain_case(cert, name, domain):
    """The whole domain as a case."""
    net = cert.network
    lo, hi = domain.lo, domain.hi
    if hi is None:
        need(net.window is not None and net.positions != "standard", "lengths any without a window")
        hi = max(lo, net.window)
    if net.positions == "standard" or net.window is None:
        need(hi <= net.n_ctx, "contexts longer than n_ctx")
    sets = [token_set(s, net.vocab) for s in reversed(domain.sets)]
    keys = hi if net.window is None else min(hi, net.window)
    need(keys <= 1 << 16, "too long a domain for this reader")
    rest = token_set(domain.rest, net.vocab)
    sets += [rest] * (keys - len(sets))
    return Case(net, lo, hi, sets, root=name)


def ready_model(cert, kinds=("bounds", "refined")):
    need(cert.kind in kinds, "a rule of another kind")
    return cert.network.load()


def suffix(cert, name, premises, words):
    net = ready_model(cert, ("bounds",))
    need(not premises and net.plain() and net.relative, "SUFFIX of a plain model with a relative bias")
    tokens = []
    while words:
        tokens.append(words.nat(net.vocab))
    need(1 <= len(tokens) <= net.window, "1 to w tokens")
    every = frozenset(range(net.vocab))
    sets = [frozenset([t]) for t in reversed(tokens)] + [every] * (net.window - len(tokens))
    case = Case(net, len(tokens), net.window, sets, suffix=True)
    case.tokens = tokens
    cert.steps[name] = case


def root(cert, name, premises, words):
    net = ready_model(cert)
    need(not premises, "ROOT has no premises")
    word = words.take()
    words.end()
    from .rules_lemma import Lemma

    if cert.kind == "refined":
        box = cert.of(word, Lemma).box
        cert.steps[name] = Case(net, box.lo, box.hi, list(box.sets), root=box.key())
        return
    need(word in cert.request.domains, "the request has no such domain line")
    cert.steps[name] = domain_case(cert, word, cert.request.domains[word])


def part(cert, name, premises, words):
    net = ready_model(cert)
    case = cert.premise(premises, Case)
    need(not case.suffix, "a suffix has no parts")
    how = words.take()
    a, b, sets = case.a, case.b, list(case.sets)
    if how == "token":
        j, found = words.nat(), token_set(words.take(), net.vocab)
        need(j < case.a and (net.window is None or j < net.window), "a position that not every context has")
        need(found <= sets[j], "the set is not within the case's")
        sets[j], cut = found, ("token", j, found)
    elif how == "length":
        a, b = words.nat(), words.nat()
        need(case.a <= a <= b <= case.b, "lengths outside the case's")
        cut = ("length", a, b)
    else:
        need(how == "neuron" and not net.attn_only, "no part")
        j, sign = words.nat(net.f), words.take()
        need(sign in "+-" and len(sign) == 1, "+ or -")
        cut = ("neuron", j, 1 if sign == "+" else -1)
    words.end()
    cert.steps[name] = Case(net, a, b, sets, case, cut)


# -- quantities
def quantity_of(cert, claim_name, side):
    """(Q, σ, whether it is the claim's own Q) that a fact of a claim and a side speaks of."""
    from .rules_lemma import Lemma

    sign, _, other = side.partition("-")
    need(sign in ("hi", "lo"), f"no side {side}")
    sigma = 1 if sign == "hi" else -1
    if cert.kind == "refined":
        q = cert.of(claim_name, Lemma).quantity
        need(not other, "a side that lemmas do not have")
        return q, sigma
    claim = cert.request.claims.get(claim_name)
    need(claim, f"the statement has no such claim {claim_name}")
    if claim.kind == "bound":
        q = claim.quantity
    else:
        need(claim.kind in ("feature-on", "feature-off") and claim.domain is not None, "a claim without facts")
        q = ("feature", claim.feature)
    if other:
        need(other.isdigit() and str(int(other)) == other, f"no side {side}")
        y = int(other)
        need(q[0] == "logit-margin" or claim.kind != "bound", "a side of a margin or a feature alone")
        need(y != q[1], "a rival that is the thing itself")
        q = ("logit-difference" if q[0] == "logit-margin" else "feature-difference", q[1], y)
    return q, sigma


def reading(cert, q):
    """(hook, g, β) of an affine quantity of a hook, exact; None for logits and neurons."""
    net, word = cert.network, q[0]
    if word in ("feature", "feature-difference"):
        need(cert.sae, "no SAE in the header")
        g, beta = cert.sae.column(q[1]), cert.sae.constant(q[1])
        if word == "feature-difference":
            g = [a - b for a, b in zip(g, cert.sae.column(q[2]))]
            beta -= cert.sae.constant(q[2])
        hook = cert.sae.hook
    elif word == "readout":
        need(q[1] in cert.readouts, "no such readout in the header")
        hook, g, beta = cert.readouts[q[1]]
    elif word == "residual-mid":
        need(q[1] in cert.request.directions, "no such direction")
        hook, g, beta = "blocks.0.hook_resid_mid", cert.request.directions[q[1]], Fraction(0)
    else:
        return None
    width = {"blocks.0.hook_resid_mid": net.d, "blocks.0.mlp.hook_post": net.f, "blocks.0.hook_mlp_out": net.d, "blocks.0.hook_resid_post": net.d}
    need(hook in width and (not net.attn_only or hook in ("blocks.0.hook_resid_mid", "blocks.0.hook_resid_post")), f"a hook that is not read: {hook}")
    need(len(g) == width[hook], "another width")
    return hook, g, beta


def direction(net, q):
    """δ and its constant of a logit, a difference, a mixture."""
    need(all(t < net.out for t in q[1:] if type(t) is int), "no such token")
    g, c = net.unembed_column(q[1]), net.weights["unembed.b_U"][q[1]]
    others = [(q[2], iv.UNIT)] if q[0] == "logit-difference" else [(y, iv.of(w)) for y, w in q[2]] if q[0] == "logit-mixture" else []
    for y, w in others:
        need(y < net.out, "no such token")
        g = [iv.sub(a, iv.mul(w, b)) for a, b in zip(g, net.unembed_column(y))]
        c = iv.sub(c, iv.mul(w, net.weights["unembed.b_U"][y]))
    return g, c


def through(net, g, beta):
    """The target of <g, r> + β."""
    if net.attn_only:
        return beta, g, []
    w = net.weights["blocks.0.mlp.W_out"]
    kappa = [iv.dot(net.row("blocks.0.mlp.W_out", j, net.d), g) for j in range(net.f)]
    assert len(w) == net.f * net.d
    return iv.add(beta, iv.dot(net.weights["blocks.0.mlp.b_out"], g)), g, kappa


def target(cert, q, sigma):
    """const0, g0, κ of σ·Q = const0 + <g0, m> + Σ κ_j act(z_j); κ empty where there is none."""
    net, none = cert.network, [iv.ZERO] * cert.network.d
    if q[0] == "neuron":
        need(not net.attn_only and q[1] < net.f and net.norm is None, "a neuron without a norm")
        out = (net.weights["blocks.0.mlp.b_in"][q[1]], net.in_column(q[1]), [])
    elif q[0] in ("logit", "logit-difference", "logit-mixture"):
        need(net.norm is None, "logits without a norm")
        out = through(net, *direction(net, q))
    else:
        found = reading(cert, q)
        need(found, "a quantity without a target")
        hook, g, beta = found
        g, beta = [iv.of(v) for v in g], iv.of(beta)
        if hook == "blocks.0.hook_resid_mid":
            out = (beta, g, [])
        elif hook == "blocks.0.mlp.hook_post":
            out = (beta, none, g)
        elif hook == "blocks.0.hook_mlp_out":
            const, _, kappa = through(net, g, beta)
            out = (const, none, kappa)
        else:
            out = through(net, g, beta)
    return out if sigma > 0 else (iv.neg(out[0]), [iv.neg(v) for v in out[1]], [iv.neg(v) for v in out[2]])


def concrete(cert, q, view, p):
    """Q at one context, in intervals."""
    net = cert.network
    if q[0] == "neuron":
        return net.layers(view, p)["blocks.0.mlp.hook_pre"][q[1]]
    if q[0] == "logit-mixture":
        l = net.logits_at(view, p)
        return iv.sub(l[q[1]], iv.total(iv.mul(iv.of(w), l[y]) for y, w in q[2]))
    if q[0].startswith("logit"):
        need(all(t < net.out for t in q[1:]), "no such token")
        l = net.logits_at(view, p)
        if q[0] == "logit":
            return l[q[1]]
        if q[0] == "logit-difference":
            return iv.sub(l[q[1]], l[q[2]])
        rest = [v for y, v in enumerate(l) if y != q[1]]
        need(rest, "a margin over no other token")
        return iv.sub(l[q[1]], (max(v[0] for v in rest), max(v[1] for v in rest)))
    hook, g, beta = reading(cert, q)
    return iv.add(iv.dot(net.layers(view, p)[hook], [iv.of(v) for v in g]), iv.of(beta))


RULES = {"SUFFIX": suffix, "ROOT": root, "PART": part}
