"""VALUES, RANKS, REACH-MOST, REACH-LEAST: interval Markov chains in DRN files."""
import re
from fractions import Fraction

from .lexis import need

ONE = 1 << 40
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?\Z|[0-9]+/[0-9]+\Z")


def number(word):
    need(len(word) <= 400 and NUMBER.match(word), f"no number: {word}")
    m = re.search(r"[eE]([+-]?[0-9]+)", word)
    need(not m or abs(int(m[1])) <= 400, f"no number: {word}")
    above, slash, below = word.partition("/")
    need(not slash or int(below) > 0, f"no number: {word}")
    value = Fraction(word)
    need(0 <= value <= 1, f"no probability: {word}")
    return value


class Chain:
    """rows[s] = [(target, lo, hi)], labels[s]; lo, hi in units of 2^-40, rounded outward."""

    def __init__(self, data):
        lines = [l for l in data.decode("ascii").split("\n") if not l.strip().startswith("//")]
        self.rows, self.labels, self.states = [], [], None
        body, self.at = False, 0
        kind = None
        while self.at < len(lines):
            line = lines[self.at].strip()
            self.at += 1
            if not line:
                continue
            if body:
                self.row(line)
            elif line.startswith("@type:"):
                need(line.split(":")[1].strip() == "DTMC", "no DTMC")
                kind = "DTMC"
            elif line.startswith("@value_type:"):
                need(line.split(":")[1].strip() in ("double", "rational", "double-interval", "rational-interval"), "no value type")
            elif line in ("@parameters", "@reward_models"):
                need(self.at < len(lines) and not lines[self.at].strip(), "parameters or rewards")
            elif line == "@nr_states":
                self.states = int(lines[self.at])
                self.at += 1
            elif line == "@nr_choices":
                need(int(lines[self.at]) == self.states, "more than one action")
                self.at += 1
            elif line == "@model":
                body = True
            else:
                need(False, f"no line of a DRN file: {line}")
        need(kind and self.states == len(self.rows), "the number of states, or no type")
        for row in self.rows:
            need(len({t for t, _, _ in row}) == len(row) and all(t < self.states for t, _, _ in row), "two edges to one state, or no such state")
            need(sum(lo for _, lo, _ in row) <= ONE <= sum(hi for _, _, hi in row), "no distribution")

    def row(self, line):
        words = line.split()
        if words[0] == "state":
            need(words[1] == str(len(self.rows)), "states out of order")
            need(not any(w.startswith("[") for w in words), "rewards")
            self.labels.append(set(words[2:]))
            self.rows.append([])
            self.actions = 0
        elif words[0] == "action":
            self.actions += 1
            need(self.actions == 1 and self.rows, "more than one action")
        else:
            target, colon, value = line.partition(":")
            need(colon and target.strip().isdigit(), f"no edge: {line}")
            value = value.strip()
            ends = [w.strip() for w in value[1:-1].split(",")] if value.startswith("[") and value.endswith("]") else [value, value]
            need(len(ends) == 2, "no interval")
            lo, hi = map(number, ends)
            need(lo <= hi, "an empty interval")
            self.rows[-1].append((int(target), lo.numerator * ONE // lo.denominator, -(-hi.numerator * ONE // hi.denominator)))

    def best(self, s, v, least=False):
        """The largest (smallest) Σ p v over the row's distributions, rounded up (down), in units of 2^-40."""
        row = self.rows[s]
        left = ONE - sum(lo for _, lo, _ in row)
        total = sum(lo * v[t] for t, lo, _ in row)
        for t, lo, hi in sorted(row, key=lambda e: v[e[0]], reverse=not least):
            more = min(left, hi - lo)
            total += more * v[t]
            left -= more
        return total // ONE if least else -(-total // ONE)


def vector(line):
    def rule(cert, name, premises, words):
        need(cert.kind == "chain" and not premises and words, f"{line} has numbers and no premises")
        out = []
        while words:
            if line == "RANKS" and words.peek() == "-":
                words.take()
                out.append(None)
            else:
                out.append(words.nat() if line == "RANKS" else words.nat(ONE + 1))
        cert.steps[name] = (line, out)

    return rule


def joined(cert, premises, line):
    out, used = [], [p for p in premises if cert.steps.get(p, (None,))[0] == line]
    for p in used:
        out += cert.steps[p][1]
    return used, out


def reach(cert, name, premises, words, form):
    need(cert.kind == "chain", "another kind")
    words.end()
    claim = cert.request.claims.get(name)
    need(claim and claim.kind == form, "no such claim")
    chain = Chain(cert.chain)
    marked = [claim.label in labels for labels in chain.labels]
    starts = [s for s, labels in enumerate(chain.labels) if "init" in labels]
    need(starts and any(marked), "no state init, or none with the label")
    return claim, chain, marked, starts


def within(chain, marked, steps, least):
    need(steps * sum(map(len, chain.rows)) <= 10**7, "too many steps for this reader")
    v = [ONE if m else 0 for m in marked]
    for _ in range(steps):
        v = [ONE if m else chain.best(s, v, least) for s, m in enumerate(marked)]
    return v


def reach_most(cert, name, premises, words):
    claim, chain, marked, starts = reach(cert, name, premises, words, "reach-at-most")
    if claim.within is not None:
        need(not premises, "no premises with a number of steps")
        u = within(chain, marked, claim.within, False)
    else:
        used, u = joined(cert, premises, "VALUES")
        need(used == premises and len(u) == chain.states, "the lines of the vector")
        for s, m in enumerate(marked):
            need(u[s] == ONE if m else chain.best(s, u) <= u[s], f"the value of state {s}")
    need(all(Fraction(u[s], ONE) <= claim.bound for s in starts), "the bound is not shown")
    return "PROVED"


def reach_least(cert, name, premises, words):
    claim, chain, marked, starts = reach(cert, name, premises, words, "reach-at-least")
    if claim.within is not None:
        need(not premises, "no premises with a number of steps")
        v = within(chain, marked, claim.within, True)
    else:
        values, v = joined(cert, premises, "VALUES")
        ranked, ranks = joined(cert, premises, "RANKS")
        need(values + ranked == premises and len(v) == len(ranks) == chain.states, "the lines of the vectors")
        for s, m in enumerate(marked):
            if m:
                need(v[s] <= ONE, "a value above 1")
                continue
            need(v[s] <= chain.best(s, v, True), f"the value of state {s}")
            need(v[s] == 0 or ranks[s] is not None, f"state {s} has a value and no rank")
            if ranks[s] is not None:
                inside = lambda t: marked[t] or (ranks[t] is not None and ranks[t] < ranks[s])
                need(
                    any(lo > 0 for t, lo, _ in chain.rows[s] if inside(t)) or sum(hi for t, _, hi in chain.rows[s] if not inside(t)) < ONE,
                    f"nature can keep state {s} from every lower rank",
                )
    need(all(Fraction(v[s], ONE) >= claim.bound for s in starts), "the bound is not shown")
    return "PROVED"


RULES = {"VALUES": vector("VALUES"), "RANKS": vector("RANKS"), "REACH-MOST": reach_most, "REACH-LEAST": reach_least}
