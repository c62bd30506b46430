"""CELL, POINT, STEP, LEVEL-INV: levels, numbers that letters move, over a machine."""
import re
from fractions import Fraction

from . import formula as fo
from .lexis import need
from .machine import Machine
from .rules_automaton import Dfa, property_of

NUM = re.compile(r"-?[0-9]{1,2000}(/[0-9]{1,2000})?\Z")


def num(word):
    need(NUM.match(word), f"no number: {word[:40]}")
    _, slash, below = word.partition("/")
    need(not slash or int(below) > 0, "a division by 0")
    return Fraction(word)


class Row:
    """Σ factors[level]·level <= bound, or <."""

    def __init__(self, strict, bound, factors):
        self.strict, self.bound, self.factors = strict, bound, {k: v for k, v in factors.items() if v}

    def holds(self, values):
        left = sum(v * values[k] for k, v in self.factors.items())
        return left < self.bound or (left == self.bound and not self.strict)

    def negation(self):
        return Row(not self.strict, -self.bound, {k: -v for k, v in self.factors.items()})

    def after(self, forms):
        """The row of the values that the forms give, over the values before."""
        bound, factors = self.bound, {}
        for k, v in self.factors.items():
            constant, parts = forms[k]
            bound -= v * constant
            for level, f in parts.items():
                factors[level] = factors.get(level, 0) + v * f
        return Row(self.strict, bound, factors)


def comparison(form, compare, number):
    """form cmp number, as a row."""
    constant, factors = form
    if compare in ("<", "<="):
        return Row(compare == "<", number - constant, factors)
    return Row(compare == ">", constant - number, {k: -v for k, v in factors.items()})


class Problem:
    """A property's machine, levels, aps; the moves."""

    def __init__(self, cert, prop, dfa):
        self.cert, self.spec, self.dfa = cert, cert.spec, dfa
        self.machine = Machine(cert.machine)
        spec = self.spec
        compares = {a: atom for a, atom in spec.aps.items() if atom[0] == "level"}
        found, queue = set(), [k for a in prop.aps if a in compares for k in compares[a][1][1]]
        guards = set()
        while queue:
            level = queue.pop()
            if level in found:
                continue
            found.add(level)
            need(spec.levels[level]["cases"], f"level {level} has no moves")
            for guard, (_, factors) in spec.levels[level]["cases"]:
                queue += list(factors)
                for g in fo.parts(guard):
                    if g[0] == "ap":
                        guards.add(g[1])
                        if g[1] in compares:
                            queue += list(compares[g[1]][1][1])
        need(found, "a property that compares no level")
        self.levels = [k for k in spec.levels if k in found]  # in the order of declaration
        self.index = {k: i for i, k in enumerate(spec.levels)}
        self.compares = compares
        self.others = [a for a in spec.order if (a in prop.aps or a in guards) and a not in compares]
        need(all(a in self.machine.aps for a in self.others), "an ap that the machine does not give")
        self.prop = prop

    def level_names(self):
        return list(self.spec.levels)

    def letters_of(self, s, e):
        """The letters of the property's and its levels' other aps that an edge's label allows."""
        label, _ = self.machine.edges[s][e]
        allowed = {frozenset(letter & set(self.others)) for letter in self.machine.letters() if label(letter)}
        for bits in range(1 << len(self.others)):
            letter = frozenset(a for i, a in enumerate(self.others) if bits >> i & 1)
            if letter in allowed:
                yield letter

    def decisions(self, letter, q):
        """The tree of a move as a generator: yields rows to be decided, is sent their truth, returns (forms, q')."""
        truth, forms = {a: a in letter for a in self.others}, {}
        for level in self.levels:
            form = None
            for guard, update in self.spec.levels[level]["cases"]:
                read = {g[1] for g in fo.parts(guard) if g[0] == "ap"}
                for a in (a for a in self.spec.order if a in read and a not in truth):
                    truth[a] = yield from self.decide(comparison(*self.compares[a][1:]))
                if fo.holds_now(guard, lambda g: truth[g[1]]):
                    form = update
                    break
            for end, compare in (("min", "<"), ("max", ">")):
                limit = self.spec.levels[level][end]
                if limit is not None and (yield from self.decide(comparison(form, compare, limit))):
                    form = (limit, {})
                    break
            forms[level] = form
        bits = 0
        for i, a in enumerate(self.dfa.aps):
            if a in self.compares:
                here = yield from self.decide(comparison(*self.compares[a][1:]).after(forms))
            else:
                here = truth[a]
            bits |= here << i
        return forms, self.dfa.delta[q][bits]

    @staticmethod
    def decide(row):
        if not row.factors:
            return row.holds({})
        return (yield row)

    def concrete(self, letter, q, values):
        walk = self.decisions(letter, q)
        try:
            row = next(walk)
            while True:
                row = walk.send(row.holds(values))
        except StopIteration as end:
            forms, q2 = end.value
        return {k: c + sum(f * values[l] for l, f in parts.items()) for k, (c, parts) in forms.items()}, q2


class Cell:
    def __init__(self, dfa_name, s, q, rows, number):
        self.dfa_name, self.s, self.q, self.rows, self.number, self.done = dfa_name, s, q, rows, number, set()

    def holds(self, values):
        return all(r.holds(values) for r in self.rows)


class Invariant:
    """The problem of a DFA with its cells and points."""

    def __init__(self, cert, dfa):
        self.problem, self.cells, self.points = Problem(cert, dfa.prop, dfa), [], set()


def invariant(cert, name):
    key = ("level", name)
    if key not in cert.steps:
        cert.steps[key] = Invariant(cert, cert.of(name, Dfa))
    return cert.steps[key]


def read_row(problem, words):
    op = words.take()
    need(op in ("<", "<="), "no row")
    bound, factors, names = num(words.take()), {}, problem.level_names()
    for _ in range(words.nat(1025)):
        level = words.nat(len(names))
        need(names[level] in problem.levels and names[level] not in factors, "a level that the property does not have, or twice")
        factors[names[level]] = num(words.take())
        need(factors[names[level]] != 0, "a factor 0")
    return Row(op == "<", bound, factors)


def place(inv, words):
    s, q = words.nat(inv.problem.machine.states), words.nat(inv.problem.dfa.states)
    need(q not in inv.problem.dfa.bad, "a bad state of the DFA")
    return s, q


def cell(cert, name, premises, words):
    need(cert.kind == "level" and len(premises) == 1, "CELL of one DFA")
    inv = invariant(cert, premises[0])
    s, q = place(inv, words)
    rows = [read_row(inv.problem, words) for _ in range(words.nat(100000))]
    words.end()
    cert.steps[name] = Cell(premises[0], s, q, rows, len(inv.cells))
    inv.cells.append(cert.steps[name])


def point(cert, name, premises, words):
    need(cert.kind == "level" and len(premises) == 1, "POINT of one DFA")
    inv = invariant(cert, premises[0])
    s, q = place(inv, words)
    inv.points.add((s, q, tuple(num(words.take()) for _ in inv.problem.levels)))
    words.end()
    cert.steps[name] = None


def farkas(rows, goal, words):
    """MULT: multiples of rows that add up to the goal."""
    left, bound, strict, used = {}, Fraction(0), False, 0
    for _ in range(words.nat(100000)):
        i, by = words.nat(len(rows)), num(words.take())
        need(by > 0, "a multiple that is not above 0")
        used += 1
        for k, v in rows[i].factors.items():
            left[k] = left.get(k, 0) + by * v
        bound += by * rows[i].bound
        strict = strict or rows[i].strict
    need({k: v for k, v in left.items() if v} == goal.factors, "the multiples do not add up to the row")
    need(bound < goal.bound or (bound == goal.bound and (not goal.strict or strict)), "the multiples do not show the row")


def tree(inv, start, rows, walk, row, target, words):
    """One tree: `walk` is at a split (row) or at its end (row None, target (forms, q'))."""
    word = words.peek()
    if word == "e":
        words.take()
        farkas(rows, Row(True, Fraction(0), {}), words)
        return
    if row is not None:
        words.expect("?")
        for truth in (True, False):
            tree_from(inv, start, [*rows, row if truth else row.negation()], [*walk, truth], words)
        return
    leaf(inv, rows, *target, words, 0)


def tree_from(inv, start, rows, answers, words):
    """Walks the decisions anew with the answers so far."""
    letter, q, s2 = start
    walk, row, target = inv.problem.decisions(letter, q), None, None
    try:
        row = next(walk)
        for truth in answers:
            row = walk.send(truth)
    except StopIteration as end:
        row, target = None, (*end.value, s2)
    tree(inv, start, rows, answers, row, target, words)


def leaf(inv, rows, forms, q2, s2, words, depth):
    word = words.take()
    if word == "e":
        farkas(rows, Row(True, Fraction(0), {}), words)
    elif word == "s":
        need(depth < 64, "too many splits below each other")
        row = read_row(inv.problem, words)
        leaf(inv, [*rows, row], forms, q2, s2, words, depth + 1)
        leaf(inv, [*rows, row.negation()], forms, q2, s2, words, depth + 1)
    else:
        need(word == "c", "no leaf")
        n = words.nat()
        need(n < len(inv.cells), "no such cell")
        found = inv.cells[n]
        need((found.s, found.q) == (s2, q2), "the cell stands elsewhere")
        for row in found.rows:
            farkas(rows, row.after(forms), words)


def step(cert, name, premises, words):
    c = cert.premise(premises, Cell)
    inv = invariant(cert, c.dfa_name)
    e = words.nat(len(inv.problem.machine.edges[c.s]))
    for letter in inv.problem.letters_of(c.s, e):
        tree_from(inv, (letter, c.q, inv.problem.machine.edges[c.s][e][1]), list(c.rows), [], words)
    words.end()
    c.done.add(e)
    cert.steps[name] = None


def level_inv(cert, name, premises, words):
    need(cert.kind == "level", "LEVEL-INV outside its kind")
    words.end()
    prop = property_of(cert, name)
    d = cert.premise(premises, Dfa)
    need(d.prop is prop and fo.is_safety(d.formula), "the DFA of another property, or no safety formula")
    inv = invariant(cert, premises[0])
    p = inv.problem
    m = p.machine

    def inside(s, q, values):
        return (s, q, tuple(values[k] for k in p.levels)) in inv.points or any((c.s, c.q) == (s, q) and c.holds(values) for c in inv.cells)

    first = {k: cert.spec.levels[k]["first"] for k in p.levels}
    for s in m.starts:
        need(inside(s, d.first, first), "the first values are not in the set")
    for c in inv.cells:
        need(all(e in c.done for e in range(len(m.edges[c.s])) if m.goes_on(c.s, e)), "a cell without a STEP")
    for s, q, point_values in inv.points:
        values = dict(zip(p.levels, point_values))
        for e in range(len(m.edges[s])):
            if m.goes_on(s, e):
                for letter in p.letters_of(s, e):
                    after, q2 = p.concrete(letter, q, values)
                    need(inside(m.edges[s][e][1], q2, after), "values are reached but not in the set")
    return "PROVED"


RULES = {"CELL": cell, "POINT": point, "STEP": step, "LEVEL-INV": level_inv}
