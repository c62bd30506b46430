"""LEMMA, OUT, ATOM, MOST: facts about the contexts of a box."""
from fractions import Fraction

from . import functions as fn
from . import interval as iv
from .boxes import read_box
from .cases import ready_model
from .lexis import need
from .rules_exact import Runs, cut_of
from .statement import Request


class Lemma:
    def __init__(self, quantity, box):
        self.quantity, self.box = quantity, box


class Out:
    def __init__(self, token, box):
        self.token, self.box = token, box


class Atom:
    def __init__(self, ap, truth, box):
        self.ap, self.truth, self.box = ap, truth, box


class Most:
    """After every context of the box the token comes with a probability of at most k/2^40."""

    def __init__(self, token, box, k):
        self.token, self.box, self.k = token, box, k


def lemma(cert, name, premises, words):
    net = ready_model(cert, ("refined",))
    need(net.plain() and not premises, "a lemma about a plain model, without premises")
    if words.peek() == "logit-mixture":
        words.take()
        from .rules_fold import mixture

        quantity = mixture(net, words.nat(net.out), words)
    else:
        quantity = Request.quantity(words)
    box = read_box(words, net.window, net.vocab)
    words.end()
    cert.steps[name] = Lemma(quantity, box)


def fact_of_lemma(cert, name, side):
    """A fact about a ROOT case of its lemma: (lemma, U)."""
    from .rules_fold import Fact

    fact = cert.of(name, Fact)
    found = cert.of(fact.claim, Lemma)
    need(fact.side == side or side is None, "a fact of the other side")
    need(fact.case.parent is None and fact.case.root == found.box.key(), "a fact about another box")
    return found, fact


def difference(lemma_):
    """(T, rivals) of a difference or a mixture of logits."""
    q = lemma_.quantity
    need(q[0] in ("logit-difference", "logit-mixture"), "no logit less those of other tokens")
    return q[1], [(q[2], Fraction(1))] if q[0] == "logit-difference" else list(q[2])


def out(cert, name, premises, words):
    ready_model(cert, ("refined",))
    need(not premises, "no premises")
    decoder = Runs(cert).decoder
    names = [words.take() for _ in range(len(words.words))]
    need(names, "a fact")
    found = [fact_of_lemma(cert, n, "hi") for n in names]
    token, rivals = difference(found[0][0])
    if decoder["kind"] in ("greedy", "min-p"):
        need(len(found) == 1 and found[0][1].upper < cut_of(decoder)[0], "the bound is not shown to be below the decoder's cut")
        allowed(decoder, [y for y, w in rivals if w > 0])
    else:
        need(decoder["kind"] == "top-k", "a decoder that has no OUT")
        seen = set()
        for l, f in found:
            need(l.quantity[0] == "logit-difference" and l.quantity[1] == token and l.box.key() == found[0][0].box.key() and f.upper < 0, "K tokens above")
            seen.add(l.quantity[2])
        allowed(decoder, seen)
        need(len(seen) >= decoder["k"], "fewer than K tokens")
    cert.steps[name] = Out(token, found[0][0].box)


def allowed(decoder, rivals):
    """Under an allow-list before the decoder only its tokens are compared."""
    need(decoder["allow"] is None or decoder["after"] or all(y in decoder["allow"] for y in rivals), "a rival that the decoder does not read")


def atom(cert, name, premises, words):
    from .rules_automaton import region

    ready_model(cert, ("refined",))
    need(not premises, "no premises")
    found, fact = fact_of_lemma(cert, words.take(), None)
    ap, truth = words.nat(len(cert.spec.order)), words.take()
    words.end()
    need(truth in ("+", "-"), "+ or -")
    a, q = cert.spec.aps[cert.spec.order[ap]], found.quantity
    huge = iv.ONE << 2000
    lo, hi = (-huge, fact.upper) if fact.side == "hi" else (-fact.upper, huge)
    if a[0] == "feat":
        need(q == ("feature", a[2]) and cert.sae and cert.sae.kind != "topk", "another feature, or a topk encoder")
        theta = iv.of(cert.sae.threshold[a[2]])
        if hi <= theta[0]:
            lo = hi = 0
        elif not lo > theta[1]:
            lo, hi = min(lo, 0), max(hi, 0)
        rest = a[3:]
    else:
        need(a[0] == "read" and q == ("readout", a[1]), "another readout")
        rest = a[2:]
    need(region(*rest, (lo, hi)) is (truth == "+"), "the ap is not shown to be decided so")
    cert.steps[name] = Atom(ap, truth == "+", found.box)


def most(cert, name, premises, words):
    ready_model(cert, ("refined",))
    need(not premises, "no premises")
    decoder = Runs(cert).decoder
    need(decoder["kind"] in ("greedy", "min-p", "top-k", "plain") and decoder["allow"] is None, "a decoder without MOST")
    found, fact = fact_of_lemma(cert, words.take(), "hi")
    words.end()
    token, rivals = difference(found)
    cert.steps[name] = Most(token, found.box, most_of(decoder, rivals, fact.upper))


def most_of(decoder, rivals, upper):
    kind, r, one = decoder["kind"], len(rivals), 1 << 40
    if kind in ("greedy", "min-p") and upper < cut_of(decoder)[0]:
        return 0
    if kind == "greedy" or (kind == "top-k" and r >= decoder["k"]):
        return one
    tau = iv.of(decoder["temperature"] or 1)
    entropy = iv.neg(iv.total(iv.mul(iv.of(w), fn.ln(w)) for _, w in rivals if w > 0))
    exponent = iv.sub(entropy, iv.div((upper, upper), tau))[0]
    s = iv.ONE + fn.exp_point(min(exponent, 600 * iv.ONE))[0]
    shares = [Fraction(iv.ONE, s)]
    if kind == "min-p":
        c = fn.exp(iv.div(cut_of(decoder), tau))[1]
        shares = [Fraction(1), Fraction(iv.ONE + r * c, s)]
        if s > r * iv.ONE:
            shares.append(Fraction(iv.ONE, s - r * iv.ONE))
    k = min(shares) * one
    return min(one, -(-k.numerator // k.denominator))


RULES = {"LEMMA": lemma, "OUT": out, "ATOM": atom, "MOST": most}
