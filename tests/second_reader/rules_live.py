"""BUCHI, LIVE, LASSO: endless runs."""
from . import formula as fo
from .lexis import NotRead, need
from .rules_automaton import property_of, refuted, witness_run
from .rules_exact import Pairs, Runs, possible_letters, surely_dropped
from .tableau import Tableau


class Buchi:
    def __init__(self, cert, prop, words):
        self.prop, self.aps = prop, prop.aps
        self.letters = 1 << len(self.aps)
        need(len(self.aps) <= 12, "too many aps")
        self.states = words.nat(4001)
        need(self.states > 0, "no state")
        words.expect("I")
        self.first = self.set(words.take())
        words.expect("A")
        self.accepting = self.set(words.take())
        words.expect("T")
        self.delta = [[self.set(words.take()) for _ in range(self.letters)] for _ in range(self.states)]
        words.end()

    def set(self, word):
        from .lexis import token_set

        return frozenset() if word == "-" else token_set(word, self.states)

    def letter_sets(self):
        return [frozenset(a for i, a in enumerate(self.aps) if bits >> i & 1) for bits in range(self.letters)]


def simulates(b, t):
    """Whether the automaton b simulates the tableau t: the greatest relation, by taking away what fails."""
    related = {(x, y) for x in t.after for y in range(b.states) if y in b.accepting or not t.accepting(x)}
    grown = True
    while grown:
        failed = {
            (x, y)
            for x, y in related
            if not all(any((x2, y2) in related for y2 in b.delta[y][letter]) for letter, found in enumerate(t.after[x]) for x2 in found)
        }
        related -= failed
        grown = bool(failed)
    return all(any((x, y) in related for y in b.first) for x in t.first)


def buchi(cert, name, premises, words):
    need(cert.kind == "exact" and len(premises) == 1, "BUCHI of one property")
    prop = property_of(cert, premises[0])
    b = Buchi(cert, prop, words)
    t = Tableau(fo.nnf(refuted(cert, prop), False), b.letter_sets())
    need(t.accepts_something(), "nothing can violate the property")
    need(simulates(b, t), "the automaton misses runs that violate the property")
    cert.steps[name] = b


def endless(cert):
    runs = Runs(cert)
    need(runs.max_new is None and not runs.after, "runs that end")
    need(cert.network.plain(), "no plain model")
    return runs


def live(cert, name, premises, words):
    words.end()
    need(cert.kind == "exact", "LIVE outside kind exact")
    prop = property_of(cert, name)
    b = cert.premise(premises, Buchi)
    need(b.prop is prop, "the automaton of another property")
    cert.reads(prop)
    runs = endless(cert)
    pairs = cert.steps.get(("pairs", premises[0]), Pairs()).number
    need(all(q < b.states for _, q in pairs), "a pair with a state that is none")
    for u in runs.prompt_windows():
        need(all((u, q) in pairs for q in b.first), "a prompt is not in the set")
    w = cert.network.window
    for (u, q), rank in pairs.items():
        gone = surely_dropped(runs.decoder, cert.network.logits(u))
        for t in (t for t in range(cert.network.vocab) if t not in gone):
            nxt = (*u, t)[-w:]
            for letter in possible_letters(cert, b, nxt):
                for q2 in b.delta[q][letter]:
                    found = pairs.get((nxt, q2))
                    need(found is not None and (found < rank or (found == rank and q not in b.accepting)), "a pair is reached but not in the set, or its rank is too high")
    return "PROVED"


def lasso(cert, name, premises, words):
    need(cert.kind == "exact" and not premises, "LASSO has no premises")
    prop = property_of(cert, name)
    runs, f = endless(cert), refuted(cert, prop)
    parts = {}
    for key, until in (("P", "N"), ("N", "L"), ("L", None)):
        words.expect(key)
        parts[key] = []
        while words.peek() != until and words:
            parts[key].append(words.nat(cert.network.vocab))
    need(parts["L"] and runs.has_prompt(parts["P"]), "no loop, or no such prompt")
    letters = witness_run(cert, prop, runs.decoder, parts["P"], parts["N"] + parts["L"])
    w, once = cert.network.window, parts["P"] + parts["N"]
    need(once[-w:] == (once + parts["L"])[-w:], "the loop does not close")
    n = len(parts["N"])
    sets = [frozenset(a for i, a in enumerate(prop.aps) if bits >> i & 1) for bits in range(1 << len(prop.aps))]
    if len(letters) > 5000:
        raise NotRead("too long a loop")
    need(Tableau(fo.nnf(f, False), sets).accepts(letters[:n], letters[n:]), "the run does not violate the property")
    return "PROVED"


RULES = {"BUCHI": buchi, "LIVE": live, "LASSO": lasso}
