"""WINDOWS, EXACT: the set of pairs (window, monitor state) that every run stays in; the decoders."""
from . import functions as fn
from . import interval as iv
from .lexis import NotRead, Words, frac, lines_of, nat, need, token_set
from .rules_automaton import Dfa, atom, letters_between, refuted, safety_of


class Runs:
    """The runs file: decoder (with its allow-list), prompts, max-new."""

    def __init__(self, cert):
        net = self.network = cert.network.load()
        lines = lines_of(cert.runs, 16 << 20)
        need(len(lines) == 5 and lines[0] == "assay-runs 1" and lines[4] == "end", "no runs file")
        w = Words(lines[1].split(" "))
        w.expect("decoder")
        self.decoder = read_decoder(w)
        self.allow, self.after = None, False
        if w:
            w.expect("allow")
            when = w.take()
            need(when in ("before", "after"), "allow before or after")
            self.after = when == "after"
            self.allow = token_set(w.take(), net.vocab)
            self.decoder |= {"allow": self.allow, "after": self.after}
        w.end()
        w = Words(lines[2].split(" "))
        w.expect("prompts")
        self.any = self.sets = None
        if w.peek() == "any":
            w.take()
            self.any = w.nat()
            need(self.any >= 1, "prompts of no token")
        else:
            w.expect("sets")
            self.sets = []
            while w:
                self.sets.append(token_set(w.take(), net.vocab))
            need(self.sets, "prompts of no token")
        w.end()
        w = Words(lines[3].split(" "))
        w.expect("max-new")
        self.max_new = None if w.peek() == "any" else nat(w.peek())
        need(len(w.words) == 2, "max-new has one word")

    def has_prompt(self, tokens):
        if self.any is not None:
            return 1 <= len(tokens) <= self.any
        return len(tokens) == len(self.sets) and all(t in s for t, s in zip(tokens, self.sets))

    def prompt_windows(self):
        w, net = self.network.window, self.network
        if self.sets is not None:
            yield from product(self.sets[-w:])
            return
        if net.vocab ** min(self.any, w) > 100000:
            raise NotRead("too many prompts")
        for n in range(1, min(self.any, w) + 1):
            yield from product([range(net.vocab)] * n)


def product(sets):
    out = [()]
    for s in sets:
        out = [x + (t,) for x in out for t in sorted(s)]
        if len(out) > 100000:
            raise NotRead("too many windows")
    return out


def read_decoder(w):
    kind = w.take()
    need(kind in ("greedy", "plain", "top-k", "min-p", "top-p"), f"no decoder {kind}")
    d = {"kind": kind, "temperature": None, "order": "after", "allow": None, "after": False}
    if kind == "top-k":
        d["k"] = w.nat()
        need(d["k"] >= 1, "top-k 0")
    if kind in ("min-p", "top-p"):
        d["p"] = w.frac()
        need(0 < d["p"] <= 1, "no probability")
    if kind in ("min-p", "top-p") or w.peek() == "temperature":
        w.expect("temperature")
        d["temperature"] = w.frac()
        need(d["temperature"] > 0, "no temperature")
        if kind in ("min-p", "top-p"):
            w.expect("order")
            d["order"] = w.take()
            need(d["order"] in ("before", "after"), "order before or after")
    return d


def as_decoder(d):
    return {"kind": d[0], "p": d[1], "temperature": d[2], "order": d[3], "allow": None, "after": False} if isinstance(d, tuple) else d


def cut_of(d):
    """What l_t - max l is compared with: 0 (greedy), ln ρ, or T ln ρ."""
    if d["kind"] == "greedy":
        return iv.ZERO
    cut = fn.ln(d["p"])
    return iv.mul(cut, iv.of(d["temperature"])) if d["order"] == "before" and d["temperature"] else cut


def read_by(d, logits):
    """The tokens whose logits the decoder reads."""
    return [t for t in range(len(logits)) if d["allow"] is None or d["after"] or t in d["allow"]]


def weights(d, logits, tokens):
    """e^l, or e^(l/T) of `order before`, all divided by one positive number."""
    scaled = {t: iv.div(logits[t], iv.of(d["temperature"])) if d["order"] == "before" and d["temperature"] else logits[t] for t in tokens}
    top = max(v[1] for v in scaled.values())
    return {t: fn.exp(iv.sub(v, (top, top))) for t, v in scaled.items()}


def surely_dropped(decoder, logits):
    """The tokens that the decoder surely does not emit after these logits."""
    d = as_decoder(decoder)
    seen = read_by(d, logits)
    out = set(range(len(logits))) - set(seen)
    if d["allow"] is not None:
        out |= set(range(len(logits))) - set(d["allow"])
    if d["kind"] in ("greedy", "min-p") and seen:
        cut = cut_of(d)
        best = max(logits[t][0] for t in seen)
        out |= {t for t in seen if logits[t][1] - best < cut[0]}
    if d["kind"] == "top-k":
        out |= {t for t in seen if sum(logits[y][0] > logits[t][1] for y in seen) >= d["k"]}
    if d["kind"] == "top-p" and seen:
        w, p = weights(d, logits, seen), iv.of(d["p"])
        for t in seen:
            above = [y for y in seen if logits[y][0] > logits[t][1]]
            more = sum(w[y][0] for y in above)
            less = sum(w[y][1] for y in seen if y not in set(above))
            if iv.mul((more, more), iv.sub(iv.UNIT, p))[0] >= iv.mul(p, (less, less))[1]:
                out.add(t)
    return out


def surely_kept(decoder, logits, t):
    d = as_decoder(decoder)
    if d["allow"] is not None and t not in d["allow"]:
        return False
    others = [y for y in read_by(d, logits) if y != t]
    if all(logits[t][0] > logits[y][1] for y in others):
        return True  # surely the only largest
    if d["kind"] == "plain":
        return True
    if d["kind"] in ("greedy", "min-p"):
        cut = cut_of(d)[1]
        return all(logits[t][0] - logits[y][1] > cut for y in others)
    as_great = [y for y in others if logits[y][1] >= logits[t][0]]
    if d["kind"] == "top-k":
        return len(as_great) < d["k"]
    above = {y for y in others if logits[y][1] > logits[t][0]}
    w, p = weights(d, logits, [t, *others]), iv.of(d["p"])
    more = sum(w[y][1] for y in above)
    less = sum(w[y][0] for y in w if y not in above)
    return iv.mul((more, more), iv.sub(iv.UNIT, p))[1] < iv.mul(p, (less, less))[0]


class Pairs:
    """What WINDOWS lines add to a DFA or BUCHI step: (window, state) -> number (a step or a rank)."""

    def __init__(self):
        self.number = {}


def windows(cert, name, premises, words):
    from .rules_live import Buchi

    need(cert.kind == "exact", "WINDOWS outside kind exact")
    machine = cert.premise(premises, (Dfa, Buchi))
    net = cert.network.load()
    need(net.plain(), "no plain model")
    number, q = words.nat(), words.nat()
    sets = []
    while words:
        sets.append(token_set(words.take(), net.vocab))
    need(1 <= len(sets) <= net.window, "1 to w sets")
    pairs = cert.steps.setdefault(("pairs", premises[0]), Pairs())
    for u in product(sets):
        need((u, q) not in pairs.number, "a pair comes twice")
        pairs.number[u, q] = number
    cert.steps[name] = pairs


def possible_letters(cert, d, view):
    """The letters of the property at the last token of a view, undecided atoms either way."""
    must = may = 0
    for i, ap in enumerate(cert.spec.order):
        if ap in d.aps:
            truth = atom(cert, cert.spec.aps[ap], list(view))
            must |= (truth is True) << i
            may |= (truth is not False) << i
    return letters_between(d, cert.spec.order, must, may)


def run_may_end(runs):
    return runs.max_new is not None or runs.after


def bounded_f(f):
    from . import formula as fo

    return any(g[0] == "F" and g[2] is not None for g in fo.parts(f))


def exact(cert, name, premises, words):
    need(cert.kind == "exact", "EXACT outside its kind")
    words.end()
    prop, d = safety_of(cert, name, premises)
    runs = Runs(cert)
    need(cert.network.plain(), "no plain model")
    need(not (prop.claim == "some" and run_may_end(runs) and bounded_f(refuted(cert, prop))), "a short run may satisfy both")
    settled = d.settled()
    pairs = cert.steps.get(("pairs", premises[0]), Pairs()).number
    need(all(q < d.states and q not in d.bad for _, q in pairs), "a pair in B, or with a state that is none")
    if d.first not in settled:
        for u in runs.prompt_windows():
            need(pairs.get((u, d.first)) == 0, "a prompt is not in the set")
    w = cert.network.window
    for (u, q), step in pairs.items():
        if runs.max_new is not None and step >= runs.max_new:
            continue
        gone = surely_dropped(runs.decoder, cert.network.logits(u))
        for t in range(cert.network.vocab):
            if t in gone:
                continue
            nxt = (*u, t)[-w:]
            for letter in possible_letters(cert, d, nxt):
                q2 = d.delta[q][letter]
                if q2 in settled:
                    continue
                found = pairs.get((nxt, q2))
                need(found is not None and (runs.max_new is None or found <= step + 1), "a pair is reached but not in the set")
    return "PROVED"


RULES = {"WINDOWS": windows, "EXACT": exact}
