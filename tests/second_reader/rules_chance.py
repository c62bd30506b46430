"""EVENT, PAIR, CHANCE, LEAF, CHANCE-BOXES: probabilities of events under every choice of nature."""
from fractions import Fraction

from . import formula as fo
from . import functions as fn
from . import interval as iv
from .boxes import Box, cover, read_box
from .cases import ready_model
from .lexis import NotRead, need
from .rules_automaton import Dfa, property_of
from .rules_exact import Runs, possible_letters, surely_dropped, surely_kept
from .rules_lemma import Most
from .rules_refined import prompt_box, token_letters

ONE = 1 << 40


class Event(Dfa):
    """The automaton of the event; `direct` when P(φ) is the event's probability, else it is 1 less that."""


def event(cert, name, premises, words):
    need(cert.kind in ("exact", "refined") and len(premises) == 1, "EVENT of one property")
    prop = property_of(cert, premises[0])
    need((prop.claim, prop.compare) in (("Pmax", "<="), ("Pmax", "<"), ("Pmin", ">="), ("Pmin", ">")), "a claim that no rule speaks of")
    against = fo.nnf(prop.formula, False)
    direct = fo.is_safety(against)
    f = against if direct else fo.nnf(prop.formula)
    need(fo.is_safety(f), "neither the formula nor its opposite is a safety formula")
    e = Event(cert, prop, f, words)
    e.direct = direct
    nodes, after = e.walk()
    doomed = {n for n in nodes if n[0] == fo.FALSE}
    grown = True
    while grown:
        more = {n for n in nodes - doomed if all(m in doomed for m in after[n])}
        doomed |= more
        grown = bool(more)
    need(all((n[2] in e.bad) == (n in doomed) for n in nodes), "a state and the formula disagree on the event")
    need(e.first not in e.bad and doomed, "the first state is in B, or none is")
    cert.steps[name] = e


def horizon(prop, runs):
    both = [n for n in (prop.attributes.get("horizon"), runs.max_new) if n is not None]
    return min(map(int, both)) if both else None


def best(row, value, least):
    """The largest (least: smallest) Σ p v over the row {key: (lo, hi)}; value(key) in units of 2^-40."""
    left = ONE - sum(lo for lo, _ in row.values())
    values = {key: value(key) for key in row}
    total = sum(lo * values[key] for key, (lo, _) in row.items())
    for key in sorted(row, key=lambda k: values[k], reverse=not least):
        more = min(left, row[key][1] - row[key][0])
        total += more * values[key]
        left -= more
    return total // ONE if least else -(-total // ONE)


def satisfied(prop, p):
    return {"<=": p <= prop.bound, "<": p < prop.bound, ">=": p >= prop.bound, ">": p > prop.bound}[prop.compare]


def chances(decoder, logits):
    """{token: (lo, hi)} of those that may be emitted, in units of 2^-40 (KEEP-CHANCE)."""
    need(not decoder["after"] or decoder["allow"] is None, "a decoder that may keep no token")
    gone = surely_dropped(decoder, logits)
    possible = [t for t in range(len(logits)) if t not in gone]
    sure = [t for t in possible if surely_kept(decoder, logits, t)]
    if decoder["kind"] == "greedy":
        return {t: (ONE, ONE) if t in sure else (0, ONE) for t in possible}
    tau = iv.of(decoder["temperature"] or 1)
    scaled = {t: iv.div(logits[t], tau) for t in possible}
    top = max(v[1] for v in scaled.values())
    w = {t: fn.exp(iv.sub(v, (top, top))) for t, v in scaled.items()}
    low_sure, high = sum(w[t][0] for t in sure), sum(w[t][1] for t in possible)
    out = {}
    for t in possible:
        lo = w[t][0] * ONE // (w[t][0] + high - w[t][1]) if t in sure else 0
        rest = low_sure - (w[t][0] if t in sure else 0)
        out[t] = (lo, ONE if rest + w[t][1] == 0 else -(-w[t][1] * ONE // (w[t][1] + rest)))
    return out


class Pairs:
    """The chain over (window, state): rows made when they are asked for."""

    def __init__(self, cert, e, runs):
        self.cert, self.e, self.runs, self.settled, self.rows = cert, e, runs, e.settled(), {}

    def row(self, pair):
        if pair in self.rows:
            return self.rows[pair]
        if len(self.rows) > 5000:
            raise NotRead("too many pairs")
        (u, q), row = pair, {}
        net = self.cert.network
        for t, (lo, hi) in chances(self.runs.decoder, net.logits(u)).items():
            view = (*u, t)[-net.window :]
            states = {self.merged(view, self.e.delta[q][letter]) for letter in possible_letters(self.cert, self.e, view)}
            for key in states:
                old = row.get(key, (0, 0))
                row[key] = (old[0] + (lo if len(states) == 1 else 0), min(old[1] + hi, ONE))
        need(sum(lo for lo, _ in row.values()) <= ONE <= sum(hi for _, hi in row.values()), "no distribution")
        self.rows[pair] = row
        return row

    def merged(self, view, q):
        return 1 if q in self.e.bad else 0 if q in self.settled else (view, q)


def value_of(key, values):
    return ONE if key == 1 else 0 if key == 0 else values(key)


def pair(cert, name, premises, words):
    net = ready_model(cert, ("exact",))
    e = cert.premise(premises, Event)
    q, k = words.nat(e.states), words.nat(ONE + 1)
    tokens = []
    while words:
        tokens.append(words.nat(net.vocab))
    need(1 <= len(tokens) <= net.window, "1 to w tokens")
    values = cert.steps.setdefault(("values", premises[0]), {})
    need((tuple(tokens), q) not in values, "a pair comes twice")
    values[tuple(tokens), q] = k
    cert.steps[name] = None


def after_steps(chain, start, n, least):
    """u_n of the pairs `start`."""
    layers, seen = [set(start)], set(start)
    for _ in range(n):
        layers.append({key for p in layers[-1] for key in chain.row(p) if type(key) is tuple})
        seen |= layers[-1]
        need(sum(map(len, layers)) < 200000, "too many steps for this reader")
    u = dict.fromkeys(layers[n], 0)
    for layer in reversed(layers[:n]):
        u = {p: best(chain.row(p), lambda key: value_of(key, u.__getitem__), least) for p in layer}
    return u


def chance(cert, name, premises, words):
    net = ready_model(cert, ("exact",))
    prop, e = property_of(cert, name), cert.premise(premises, Event)
    need(e.prop is prop and net.plain(), "the event of another property, or no plain model")
    cert.reads(prop)
    runs = Runs(cert)
    n, chain = horizon(prop, runs), None
    chain = Pairs(cert, e, runs)
    verdict, steps = words.take(), words.take()
    need(verdict in ("holds", "violated"), "holds or violated")
    above = (prop.claim == "Pmax") == e.direct
    if verdict == "violated":
        above = not above
        words.expect("P")
        prompt = []
        while words:
            prompt.append(words.nat(net.vocab))
        need(prompt and runs.has_prompt(prompt), "no such prompt")
        starts = [(net.view(prompt), e.first)]
    else:
        words.end()
        starts = [(u, e.first) for u in runs.prompt_windows()]
    if e.first in chain.settled:
        bounds = dict.fromkeys(starts, 0)
    elif steps == "values":
        need(above, "a bound from below is that of a number of steps")
        values = cert.steps.get(("values", premises[0]), {})

        def value(key):
            return values.get(key, ONE)

        for p, k in values.items():
            if p[1] in e.bad or p[1] in chain.settled:
                continue
            need(best(chain.row(p), lambda key: value_of(key, value), False) <= k, "the value of a pair is below what nature can reach")
        bounds = {p: value(p) for p in starts}
    else:
        from .lexis import nat

        count = nat(steps)
        need(count == n if above else n is None or count <= n, "the number of steps is not the horizon")
        bounds = after_steps(chain, starts, count, not above)
    for p in starts:
        r = Fraction(bounds[p], ONE)
        need(satisfied(prop, r if e.direct else 1 - r) == (verdict == "holds"), "a prompt's bound does not show the claim")
    return "PROVED"


def leaf(cert, name, premises, words):
    net = ready_model(cert, ("refined",))
    cert.premise(premises, Event)
    box = read_box(words, net.window, net.vocab)
    words.end()
    cert.steps.setdefault(("leaves", premises[0]), []).append(box)
    cert.steps[name] = None


def leaf_row(most, box, vocab):
    """{token: (0, k)} of a leaf."""
    row = {}
    for t in range(vocab):
        k = min((m.k for m in most if m.token == t and box.within(m.box)), default=ONE)
        if k:
            row[t] = (0, k)
    need(sum(k for _, k in row.values()) >= ONE, "no distribution")
    return row


def chance_boxes(cert, name, premises, words):
    net = ready_model(cert, ("refined",))
    words.end()
    prop, e = property_of(cert, name), cert.premise(premises, Event)
    need(e.prop is prop and net.plain(), "the event of another property, or no plain model")
    cert.reads(prop)
    runs, leaves = Runs(cert), cert.steps.get(("leaves", premises[0]), [])
    n, w, v = horizon(prop, runs), net.window, net.vocab
    need(n is not None, "no horizon")
    need(cover(Box(1, w, [(1 << v) - 1] * w), leaves), "a view lies in no LEAF")
    above, settled = (prop.claim == "Pmax") == e.direct, e.settled()
    rows = [leaf_row([s for s in cert.steps.values() if isinstance(s, Most)], p, v) for p in leaves]
    back = [r.before(w, v) for r in leaves]
    links = [[[i for i, r in enumerate(leaves) if r.masks[0] >> t & 1 and back[i] is not None and back[i].meets(p)] for t in range(v)] for p in leaves]
    letters = [token_letters(cert, e, t) for t in range(v)]
    states = [q for q in range(e.states) if q not in e.bad and q not in settled]
    if len(leaves) * v * len(states) * n * max(1, max((len(x) for l in links for x in l), default=1)) > 10**8:
        raise NotRead("too many leaves")
    pick = max if above else min
    u = {(i, q): 0 for i in range(len(leaves)) for q in states}

    def value(i, q, t):
        found = []
        for letter in letters[t]:
            q2 = e.delta[q][letter]
            if q2 in e.bad:
                found.append(ONE)
            elif q2 in settled:
                found.append(0)
            else:
                found += [u[j, q2] for j in links[i][t]]
        return pick(found, default=0 if above else ONE)

    for _ in range(n):
        u = {(i, q): best(rows[i], lambda t, i=i, q=q: value(i, q, t), not above) for i in range(len(leaves)) for q in states}
    prompts = prompt_box(runs)
    for i, p in enumerate(leaves):
        if p.meets(prompts):
            r = Fraction(u[i, e.first] if e.first in states else 0, ONE)
            need(satisfied(prop, r if e.direct else 1 - r), "a prompt's bound does not show the claim")
    return "PROVED"


RULES = {"EVENT": event, "PAIR": pair, "CHANCE": chance, "LEAF": leaf, "CHANCE-BOXES": chance_boxes}
