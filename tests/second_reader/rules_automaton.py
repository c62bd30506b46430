"""DFA, INV, WITNESS: the monitor of a property, the fitted automaton, a replayed run."""
from fractions import Fraction

from . import formula as fo
from . import interval as iv
from .files import strict_json
from .lexis import NotRead, need


class Dfa:
    """A bad-prefix automaton of `all φ`: states, first, bad, delta[state][letter]; a letter is a number, bit i of it the i-th own ap."""

    def __init__(self, cert, prop, formula, words):
        self.prop, self.formula = prop, formula
        self.aps = prop.aps
        self.letters = 1 << len(self.aps)
        need(len(self.aps) <= 12, "too many aps")
        self.states = words.nat(4000001)
        need(self.states > 0, "no state")
        self.first = words.nat(self.states)
        words.expect("B")
        self.bad = set()
        while words.peek() != "T":
            self.bad.add(words.nat(self.states))
        words.expect("T")
        self.delta = [[words.nat(self.states) for _ in range(self.letters)] for _ in range(self.states)]
        words.end()

    def letter(self, bits):
        return frozenset(a for i, a in enumerate(self.aps) if bits >> i & 1)

    def settled(self):
        """The states from which no word leads to B."""
        reach = set(self.bad)
        grown = True
        while grown:
            more = {q for q in range(self.states) if q not in reach and any(t in reach for t in self.delta[q])}
            reach |= more
            grown = bool(more)
        return set(range(self.states)) - reach

    def walk(self, limit=100000):
        """Every (residual formula, memory, state) that a word leads to; with what follows each by letter."""
        memory = fo.Memory(self.formula)
        start = (self.formula, memory.first(), self.first)
        nodes, queue, after = {start}, [start], {}
        while queue:
            node = queue.pop()
            residual, kept, q = node
            after[node] = []
            for bits in range(self.letters):
                letter = self.letter(bits)
                nxt = (fo.progress(residual, memory.truth(kept, letter)), memory.after(kept, letter), self.delta[q][bits])
                after[node].append(nxt)
                if nxt not in nodes:
                    nodes.add(nxt)
                    if len(nodes) > limit:
                        raise NotRead("too many residual formulas")
                    queue.append(nxt)
        return nodes, after


def property_of(cert, name):
    need(name in cert.spec.props, f"no property {name}")
    return cert.spec.props[name]


def refuted(cert, prop):
    """φ of `all φ`, or ¬φ of `some φ` (kind exact alone): what is shown of every run."""
    need(prop.claim == "all" or (prop.claim == "some" and cert.kind == "exact"), "a claim that this kind does not speak of")
    return fo.nnf(prop.formula, prop.claim == "all")


def dfa(cert, name, premises, words):
    need(cert.kind in ("automaton", "exact", "refined", "level") and len(premises) == 1, "DFA of one property")
    prop = property_of(cert, premises[0])
    d = Dfa(cert, prop, refuted(cert, prop), words)
    nodes, _ = d.walk()
    false = [node for node in nodes if node[0] == fo.FALSE]
    need(all(q in d.bad for _, _, q in false), "a state is reached by a bad prefix but not in B")
    need(false, "no run can violate the property")
    cert.steps[name] = d


def safety_of(cert, name, premises):
    """(dID, PROP) as in INV: the DFA of the property that is concluded, which is a safety formula."""
    prop = property_of(cert, name)
    d = cert.premise(premises, Dfa)
    need(d.prop is prop, "the DFA of another property")
    need(fo.is_safety(d.formula), "no safety formula")
    cert.reads(prop)
    return prop, d


class Fitted:
    def __init__(self, cert):
        j = strict_json(cert.automaton, floats=False)
        need(isinstance(j, dict) and j.get("assay-automaton") == 1, "no automaton")
        need(j["aps"] == cert.spec.order, "the automaton's aps are not the spec's")
        self.states = [(s["must"], s["may"]) for s in j["states"]]
        need(all(type(a) is int and type(b) is int and 0 <= a and a & ~b == 0 and b < 1 << len(j["aps"]) for a, b in self.states), "must is not within may")
        initial, edges = [s for s, _ in j["initial"]], [(a, b) for a, b, _ in j["edges"]]
        for rows, key in ((j["initial"], initial), (j["edges"], edges)):
            need(key == sorted(set(key)), "not sorted, or one stands twice")
        n = len(self.states)
        need(all(0 <= s < n for s in initial) and all(0 <= a < n and 0 <= b < n for a, b in edges), "no such state")
        self.initial, self.edges = initial, {}
        for a, b in edges:
            self.edges.setdefault(a, []).append(b)
        self.prompts, self.max_new = j["prompts"], j["maxNew"]
        need(type(self.max_new) is int and self.max_new >= 0, "maxNew")
        dec = j["decoder"]
        rho, temperature = Fraction(dec["minP"]), Fraction(dec["temperature"])
        need(0 < rho <= 1 and temperature > 0 and dec["order"] in ("before", "after"), "no decoder")
        self.decoder = ("min-p", rho, temperature, dec["order"])


def letters_between(d, order, must, may):
    """The letters of the property with must ⊆ letter ⊆ may, both over all aps of the file."""
    base, free = 0, []
    for i, ap in enumerate(d.aps):
        bit = 1 << order.index(ap)
        if must & bit:
            base |= 1 << i
        elif may & bit:
            free.append(1 << i)
    out = [base]
    for bit in free:
        out += [x | bit for x in out]
    return out


def inv(cert, name, premises, words):
    need(cert.kind == "automaton", "INV outside kind automaton")
    _, d = safety_of(cert, name, premises)
    fitted = Fitted(cert)
    pairs = []
    while words:
        s, comma, q = words.take().partition(",")
        need(comma and s.isdigit() and q.isdigit() and (s, q) == (str(int(s)), str(int(q))), "no pair")
        pairs.append((int(s), int(q)))
    need(pairs == sorted(set(pairs)), "pairs are not sorted")
    need(all(s < len(fitted.states) and q < d.states for s, q in pairs), "no such state")
    found = set(pairs)

    def closed(q, s):
        for letter in letters_between(d, cert.spec.order, *fitted.states[s]):
            need((s, d.delta[q][letter]) in found, "a pair is reached but not in the set")

    for s in fitted.initial:
        closed(d.first, s)
    for s, q in pairs:
        need(q not in d.bad, "a pair in B")
        for t in fitted.edges.get(s, []):
            closed(q, t)
    return "OBSERVED"


# -- runs of the model
def region(compare, bound, band, value):
    """True, False or None (unknown) of `value cmp bound band b`, value an interval."""
    up = compare in (">", ">=")
    strict = compare in (">", "<")
    lo, hi = iv.value(value[0]), iv.value(value[1])
    if not up:
        lo, hi, bound = -hi, -lo, -bound
    if lo >= bound + band and (band > 0 or not strict or lo > bound):
        return True
    if hi <= bound - band and (band > 0 or strict or hi < bound):
        return False
    return None


def atom(cert, a, tokens):
    """The truth of an atom at the last of the tokens; None is unknown."""
    if a[0] == "tok":
        return tokens[-1] in a[1]
    if a[0] == "feat":
        pre = cert.sae.before(a[2], cert.network.hooks(tokens))
        return region(*a[3:], cert.sae.thresholded(a[2], pre))
    if a[0] == "read":
        hook, weights, bias = cert.readouts[a[1]]
        hooks = cert.network.hooks(tokens)
        need(hook in hooks and len(weights) == len(hooks[hook]), "a readout of another hook")
        return region(*a[2:], iv.add(iv.dot(hooks[hook], [iv.of(w) for w in weights]), iv.of(bias)))
    raise NotRead("an atom that is about no model")


def witness_run(cert, prop, decoder, prompt, run):
    """The letters of the tokens of a run: each surely in the decoder's support, every atom decided off its threshold."""
    from .rules_exact import surely_kept

    cert.reads(prop)
    tokens, letters = list(prompt), []
    for t in run:
        need(0 <= t < cert.network.out, "no such token")
        need(surely_kept(decoder, cert.network.logits(tokens), t), "a token is not shown to be in the decoder's support")
        tokens.append(t)
        truth = {a: atom(cert, cert.spec.aps[a], tokens) for a in prop.aps}
        need(None not in truth.values(), "an atom is not decided")
        letters.append(frozenset(a for a, v in truth.items() if v))
    return letters


def residual_after(f, letters):
    memory = fo.Memory(f)
    kept = memory.first()
    for letter in letters:
        f, kept = fo.progress(f, memory.truth(kept, letter)), memory.after(kept, letter)
    return f


def witness(cert, name, premises, words):
    need(cert.kind in ("automaton", "exact", "refined") and not premises, "WITNESS has no premises")
    prop = property_of(cert, name)
    f = refuted(cert, prop)
    cert.network.load()
    words.expect("P")
    prompt = []
    while words.peek() != "N":
        prompt.append(words.nat(cert.network.vocab))
    words.expect("N")
    run = []
    while words:
        run.append(words.nat(cert.network.vocab))
    if cert.kind == "automaton":
        fitted = Fitted(cert)
        need(prompt in fitted.prompts and len(run) <= fitted.max_new, "no such prompt, or too long a run")
        decoder = fitted.decoder
    else:
        from .rules_exact import Runs

        runs = Runs(cert)
        need(runs.has_prompt(prompt) and (runs.max_new is None or len(run) <= runs.max_new), "no such prompt, or too long a run")
        decoder = runs.decoder
    letters = witness_run(cert, prop, decoder, prompt, run)
    need(residual_after(f, letters) == fo.FALSE, "the run does not violate the property")
    return "PROVED"


RULES = {"DFA": dfa, "INV": inv, "WITNESS": witness}
