"""NEVER, STATE, REFINED: boxes of views that every run stays in."""
from .boxes import Box, bits, cover, read_box, tokens_of
from .cases import ready_model
from .lexis import need
from .rules_automaton import Dfa, safety_of
from .rules_exact import Runs
from .rules_lemma import Atom, Out


def never(cert, name, premises, words):
    net = ready_model(cert, ("refined",))
    need(net.plain() and not premises, "NEVER has no premises")
    box = read_box(words, net.window, net.vocab)
    words.end()
    cert.steps.setdefault("never", []).append(box)
    cert.steps[name] = None


def state(cert, name, premises, words):
    net = ready_model(cert, ("refined",))
    d = cert.premise(premises, Dfa)
    need(net.plain(), "no plain model")
    q = words.nat(d.states)
    need(q not in d.bad, "a state in B")
    box = read_box(words, net.window, net.vocab)
    words.end()
    cert.steps.setdefault(("states", premises[0]), {}).setdefault(q, []).append(box)
    cert.steps[name] = None


def prompt_box(runs):
    net = runs.network
    every = (1 << net.vocab) - 1
    if runs.any is not None:
        n = min(runs.any, net.window)
        return Box(1, n, [every] * n)
    sets = runs.sets[-net.window :]
    return Box(len(sets), len(sets), [bits(s) for s in reversed(sets)])


def token_letters(cert, d, t):
    """The letters of t: its tok atoms as they are, every other atom either way."""
    base, free = 0, []
    for i, ap in enumerate(d.aps):
        a = cert.spec.aps[ap]
        if a[0] == "tok":
            base |= (t in a[1]) << i
        else:
            free.append(1 << i)
    out = [base]
    for bit in free:
        out += [x | bit for x in out]
    return out


def preimages(boxes, window, vocab):
    """(current tokens of R, R⁻) for every box R."""
    return [(r.masks[0], r.before(window, vocab)) for r in boxes]


def of_token(pairs, t):
    return [box for current, box in pairs if box is not None and current >> t & 1]


def refined(cert, name, premises, words):
    net = ready_model(cert, ("refined",))
    words.end()
    _, d = safety_of(cert, name, premises)
    need(net.plain(), "no plain model")
    runs = Runs(cert)
    w, v = net.window, net.vocab
    steps = list(cert.steps.values())
    outs = {}
    for s in steps:
        if isinstance(s, Out):
            outs.setdefault(s.token, []).append(s.box)
    atoms = [(cert.spec.order[s.ap], s.truth, s.box.masks[0], s.box.before(w, v)) for s in steps if isinstance(s, Atom)]
    nevers, settled = cert.steps.get("never", []), d.settled()
    f = cert.steps.get(("states", premises[0]), {})
    p = prompt_box(runs)
    need(not any(n.meets(p) for n in nevers), "a prompt in a NEVER box")
    need(d.first in settled or cover(p, f.get(d.first, [])), "a prompt outside the boxes of the first state")
    for n in nevers:
        before = n.before(w, v)
        for t in tokens_of(n.masks[0]):
            need(cover(before, outs.get(t, []) + nevers), "a NEVER box may be reached")
    back = {q: preimages(boxes, w, v) for q, boxes in f.items()}
    for q, boxes in f.items():
        if q in settled:
            continue
        for t in range(v):
            if runs.decoder["allow"] is not None and t not in runs.decoder["allow"]:
                continue
            for letter in token_letters(cert, d, t):
                q2 = d.delta[q][letter]
                if q2 in settled:
                    continue
                against = [
                    box for ap, truth, current, box in atoms if box is not None and current >> t & 1 and ap in d.aps and truth != bool(letter >> d.aps.index(ap) & 1)
                ]
                found = outs.get(t, []) + nevers + of_token(back.get(q2, []), t) + against
                for box in boxes:
                    need(cover(box, found), f"after state {q} and token {t} state {q2} may be reached outside its boxes")
    return "PROVED"


RULES = {"NEVER": never, "STATE": state, "REFINED": refined}
