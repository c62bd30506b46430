"""The tableau of a formula over endless words (docs/theorems.md, Endless runs): what it accepts are the words that satisfy it."""
from itertools import product

from . import formula as fo
from .lexis import NotRead


def is_promise(f):
    return f[0] == "U" or (f[0] == "F" and f[2] is None)


def choices(f):
    """The disjuncts of a formula without promises unfolded: sets of formulas."""
    if f == fo.TRUE:
        return {frozenset()}
    if f == fo.FALSE:
        return set()
    if f[0] == "|":
        return set().union(*(choices(g) for g in f[1]))
    if f[0] == "&":
        return joined([choices(g) for g in f[1]])
    return {frozenset([f])}


def joined(lists):
    out = {frozenset()}
    for one in lists:
        out = {a | b for a in out for b in one}
        if len(out) > 4096:
            raise NotRead("too many disjuncts")
    return out


class Tableau:
    """States are (formulas, owed promises); accepting where nothing is owed. Letters are sets of aps."""

    def __init__(self, formula, letters, limit=400):
        if any(g[0] == "past" for g in fo.parts(formula)):
            raise NotRead("a tableau of past operators")
        self.letters = letters
        self.first = [(part, frozenset()) for part in choices(formula)]
        self.after, queue = {}, list(self.first)
        while queue:
            state = queue.pop()
            if state in self.after:
                continue
            if len(self.after) > limit:
                raise NotRead("too large a tableau")
            self.after[state] = [self.step(state, letter) for letter in letters]
            for found in self.after[state]:
                queue.extend(found)

    @staticmethod
    def step(state, letter):
        formulas, owed = state
        ordered = sorted(formulas, key=repr)
        lists = [sorted(choices(fo.progress(f, lambda g: g[1] in letter)), key=repr) for f in ordered]
        out = set()
        for taken in product(*lists):
            rest = frozenset().union(*taken) if taken else frozenset()
            if owed:
                due = frozenset(g for f, part in zip(ordered, taken) if f in owed for g in part if is_promise(g))
            else:
                due = frozenset(g for g in rest if is_promise(g))
            out.add((rest, due))
        return out

    def accepting(self, state):
        return not state[1]

    def accepts_something(self):
        edges = {s: set().union(*found) if found else set() for s, found in self.after.items()}
        return accepting_loop(self.first, lambda s: edges[s], self.accepting)

    def accepts(self, prefix, loop):
        """The letters of prefix, then those of loop for ever."""
        word, back = [*prefix, *loop], len(prefix)
        at = {letter: i for i, letter in enumerate(self.letters)}

        def after(node):
            i, state = node
            j = i + 1 if i + 1 < len(word) else back
            return [(j, t) for t in self.after[state][at[word[i]]]]

        return accepting_loop([(0, s) for s in self.first], after, lambda node: self.accepting(node[1]))


def accepting_loop(first, after, accepting):
    """Whether an accepting node that is reached from a first one is reached again from itself."""
    seen, queue = set(first), list(first)
    while queue:
        for t in after(queue.pop()):
            if t not in seen:
                seen.add(t)
                queue.append(t)
    for node in (n for n in seen if accepting(n)):
        reached, queue = set(), [node]
        while queue:
            for t in after(queue.pop()):
                if t == node:
                    return True
                if t not in reached:
                    reached.add(t)
                    queue.append(t)
    return False
