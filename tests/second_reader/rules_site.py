"""SITE-SPHERE, NULLIFIED, NEVER-ARGMAX: a normalised site, every input."""
from fractions import Fraction

from .files import Decimal
from .lexis import NotRead, need


class Site:
    """x = w ∘ s + b with |s|² <= d (LayerNorm: Σ s = 0)."""

    def __init__(self, cert, name):
        net = cert.network
        c, t = net.config, net.tensors
        layers = c.get("n_layers")
        need(type(layers) is int and layers > 0, "n_layers")
        parts = name.split(".")
        inner = len(parts) == 3 and parts[0] == "blocks" and parts[1].isdigit() and str(int(parts[1])) == parts[1] and int(parts[1]) < layers and parts[2] in ("ln1", "ln2")
        need(name == "ln_final" or inner, f"no site {name}")
        need(not (inner and parts[2] == "ln2" and c.get("attn_only", False)), "no ln2 in a model without an MLP")
        self.kind = c.get("normalization_type", c.get("normalization", "LN"))
        need(self.kind in ("LN", "LNPre", "RMS", "RMSPre"), "no normalisation")
        need(not c.get("final_rms", False), "final_rms")
        cap = c.get("output_logits_soft_cap")
        need(cap is None or Fraction(str(cap)) <= 0, "a soft cap")
        eps = c.get("eps", Decimal("1e-5"))
        need(Fraction(str(eps)) > 0, "eps")
        self.name, self.d = name, c["d_model"]
        w, b = t.get(name + ".w"), t.get(name + ".b")
        need((w is not None) == (self.kind in ("LN", "RMS")) and (b is not None) == (self.kind == "LN"), "a w or b too many or too few")
        need(all(v is None or v.shape == (self.d,) for v in (w, b)), "shapes")
        self.w = w.exact() if w else [Fraction(1)] * self.d
        self.b = b.exact() if b else [Fraction(0)] * self.d
        self.out = c["d_vocab"] if c.get("d_vocab_out") in (None, -1) else c["d_vocab_out"]
        self.cert = cert

    def unembed(self):
        t = self.cert.network.tensors
        need(self.name == "ln_final" and t["unembed.W_U"].shape == (self.d, self.out), "logits away from ln_final")
        u = t["unembed.W_U"].exact()
        b = t["unembed.b_U"].exact() if "unembed.b_U" in t else [Fraction(0)] * self.out
        return lambda a: ([u[i * self.out + a] for i in range(self.d)], b[a])

    def reading(self, quantity):
        """(g, c) of <g, x> + c."""
        word, *n = quantity
        hooks = [self.name] + ([self.name + ".hook_normalized"] if self.kind != "RMS" else [])
        if word in ("logit", "logit-difference"):
            need(all(a < self.out for a in n), "no such token")
            logit = self.unembed()
            g, c = logit(n[0])
            if len(n) == 2:
                h, e = logit(n[1])
                g, c = [a - b for a, b in zip(g, h)], c - e
            return g, c
        if word == "feature":
            sae = self.cert.sae
            need(sae and sae.hook in hooks and sae.d == self.d, "the SAE reads another site")
            return sae.column(n[0]), sae.constant(n[0])
        need(word == "readout" and n[0] in self.cert.readouts, "a quantity that no site has")
        hook, weights, bias = self.cert.readouts[n[0]]
        need(hook in hooks and len(weights) == self.d, "a readout of another site")
        return weights, bias

    def ball(self, g, c):
        """C and R² of C ± R."""
        h = [a * b for a, b in zip(self.w, g)]
        if self.kind in ("LN", "LNPre"):
            mean = sum(h) / self.d
            h = [v - mean for v in h]
        return sum(a * b for a, b in zip(g, self.b)) + c, self.d * sum(v * v for v in h)


def at_most(constant, square, bound):
    """constant + √square <= bound."""
    return bound >= constant and square <= (bound - constant) ** 2


def claim_of(cert, name, kind, premises):
    need(cert.kind == "site" and not premises, "a step of a site without premises")
    claim = cert.request.claims.get(name)
    need(claim and claim.kind == kind, f"no claim {name} of this form")
    return claim


def sphere(cert, name, premises, words):
    words.end()
    claim = claim_of(cert, name, "site-bound", premises)
    site = Site(cert, claim.site)
    c, r2 = site.ball(*site.reading(claim.quantity))
    need(at_most(c, r2, claim.hi) and at_most(-c, r2, -claim.lo), "the bound is not shown")
    return "PROVED"


def nullified(cert, name, premises, words):
    words.end()
    claim = claim_of(cert, name, "nullified", premises)
    site = Site(cert, claim.site)
    _, r2 = site.ball(*site.reading(claim.quantity))
    need(at_most(0, 4 * r2, claim.width), "the width is not shown")
    return "PROVED"


def never_argmax(cert, name, premises, words):
    claim = claim_of(cert, name, "never-argmax", premises)
    site = Site(cert, "ln_final")
    words.expect("M")
    rivals = [(words.nat(site.out), words.hex()) for _ in range(words.nat(1 << 20))]
    words.end()
    need(rivals and claim.token < site.out, "no rival, or no such token")
    need(len({y for y, _ in rivals} | {claim.token}) == len(rivals) + 1, "a rival stands twice or is the token itself")
    need(all(0 < w <= 1 and (w * 2**40).denominator == 1 for _, w in rivals) and sum(w for _, w in rivals) == 1, "no weights")
    logit = site.unembed()
    g, c = logit(claim.token)
    for y, w in rivals:
        h, e = logit(y)
        g, c = [a - w * b for a, b in zip(g, h)], c - w * e
    constant, r2 = site.ball(g, c)
    need(constant < 0 and r2 < constant**2, "the token may be the largest")
    return "PROVED"


RULES = {"SITE-SPHERE": sphere, "NULLIFIED": nullified, "NEVER-ARGMAX": never_argmax}
