"""ENUM, JOIN, RIVAL and what concludes: BOUND, MUST-ON, MUST-OFF."""
from . import interval as iv
from .cases import Case, concrete, quantity_of, ready_model
from .lexis import need
from .rules_fold import Fact, fact


def enum(cert, name, premises, words):
    ready_model(cert)
    words.end()
    need(len(premises) == 3, "a case, a claim and a side")
    case = cert.of(premises[0], Case)
    q, sigma = quantity_of(cert, *premises[1:])
    upper = None
    for count, (view, p) in enumerate(case.contexts()):
        need(count < 65536, "too many contexts")
        value = concrete(cert, q, view, p)
        end = value[1] if sigma > 0 else -value[0]
        upper = end if upper is None else max(upper, end)
    fact(cert, name, *premises[1:], case, upper)


def join(cert, name, premises, words):
    ready_model(cert)
    need(len(premises) == 3, "a case, a claim and a side")
    case = cert.of(premises[0], Case)
    facts = []
    while words:
        facts.append(cert.of(words.take(), Fact))
    need(facts and all((f.claim, f.side) == tuple(premises[1:]) and f.case.parent is case for f in facts), "facts of this claim and side about parts of the case")
    quantity_of(cert, *premises[1:])
    cuts = [f.case.cut for f in facts]
    how = cuts[0][0]
    need(all(c[0] == how for c in cuts), "parts of several kinds")
    if how == "length":
        reached = case.a - 1
        for _, a, b in sorted(cuts):
            need(a <= reached + 1, "the lengths do not cover the case's")
            reached = max(reached, b)
        need(reached >= case.b, "the lengths do not cover the case's")
    else:
        need(len({c[1] for c in cuts}) == 1, "parts at several places")
        if how == "token":
            need(frozenset().union(*(c[2] for c in cuts)) >= case.sets[cuts[0][1]], "the sets do not cover the case's")
        else:
            need({c[2] for c in cuts} == {1, -1}, "both signs")
    fact(cert, name, *premises[1:], case, max(f.upper for f in facts))


def rival(cert, name, premises, words):
    net = ready_model(cert)
    need(len(premises) == 3 and premises[2] in ("hi", "lo"), "a case, a claim and a side")
    case, (q, _) = cert.of(premises[0], Case), quantity_of(cert, *premises[1:])
    need(q[0] == "logit-margin", "a margin")
    facts = []
    while words:
        facts.append(cert.of(words.take(), Fact))
    found = set()
    for f in facts:
        side, dash, other = f.side.partition("-")
        need(f.claim == premises[1] and side == premises[2] and dash and case.within(f.case), "facts of this side that hold on the case")
        found.add(int(other))
    if premises[2] == "hi":
        need(len(facts) == 1, "one fact")
    else:
        need(found == set(range(net.out)) - {q[1]}, "every token but the claim's")
    fact(cert, name, *premises[1:], case, max(f.upper for f in facts))


def of_domain(cert, name, claim, side):
    """A fact of the claim and a side about a ROOT case of its domain."""
    f = cert.of(name, Fact)
    need(f.claim == claim[0] and f.side.partition("-")[0] == side and f.case.parent is None and f.case.root == claim[1].domain, "no fact of that side about the claim's whole domain")
    return f


def conclude(cert, name, kinds, premises):
    ready_model(cert, ("bounds",))
    need(not premises, "no premises")
    claim = cert.request.claims.get(name)
    need(claim and claim.kind in kinds and getattr(claim, "domain", None) is not None, f"no claim {name} of this form")
    return name, claim


def bound(cert, name, premises, words):
    pair = conclude(cert, name, ("bound",), premises)
    lo, hi = of_domain(cert, words.take(), pair, "lo"), of_domain(cert, words.take(), pair, "hi")
    words.end()
    need(lo.side == "lo" and hi.side == "hi", "facts of a rival")
    need(iv.value(hi.upper) <= pair[1].hi and iv.value(lo.upper) <= -pair[1].lo, "the bound is not shown")
    return "PROVED"


def must(cert, name, premises, words, kind, side, other):
    pair = conclude(cert, name, (kind,), premises)
    sae, feature = cert.sae, pair[1].feature
    need(sae, "no SAE in the header")
    names = []
    while words:
        names.append(words.take())
    need(names, "a fact")
    topk = sae.kind == "topk"
    if topk:
        need(type(sae.k) is int and 1 <= sae.k <= sae.size and not sae.rescale, "no topk encoder of the page")
    return sae, feature, topk, names, pair


def must_off(cert, name, premises, words):
    sae, feature, topk, names, pair = must(cert, name, premises, words, "feature-off", "hi", "hi")
    facts = [of_domain(cert, n, pair, "hi") for n in names]
    if facts[0].side == "hi":
        need(len(facts) == 1 and iv.value(facts[0].upper) <= (0 if topk else sae.threshold[feature]), "the feature is not shown to be off")
        return "PROVED"
    need(topk and all("-" in f.side and f.upper < 0 for f in facts), "facts of k features above")
    need(len({f.side for f in facts}) >= sae.k, "fewer than k features")
    return "PROVED"


def must_on(cert, name, premises, words):
    sae, feature, topk, names, pair = must(cert, name, premises, words, "feature-on", "lo", "lo")
    facts = [of_domain(cert, n, pair, "lo") for n in names]
    need(facts[0].side == "lo", "the first fact is of the feature itself")
    if not topk:
        need(len(facts) == 1 and -iv.value(facts[0].upper) > sae.threshold[feature], "the feature is not shown to be on")
        return "PROVED"
    need(facts[0].upper < 0 and all("-" in f.side and f.upper < 0 for f in facts[1:]), "the feature is not shown to be on")
    need(len({f.side for f in facts[1:]}) >= sae.size - sae.k, "fewer than d_sae - k features")
    return "PROVED"


RULES = {"ENUM": enum, "JOIN": join, "RIVAL": rival, "BOUND": bound, "MUST-OFF": must_off, "MUST-ON": must_on}
