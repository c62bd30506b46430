"""A machine in HOA v1, as much of it as kind `level` reads: explicit edge labels, every infinite path a run."""
import re

from .lexis import need

WORD = re.compile(r'\s+|/\*.*?\*/|(?P<string>"(?:[^"\\]|\\.)*")|(?P<header>[A-Za-z_][A-Za-z0-9_-]*:)|(?P<end>--[A-Z]+--)|(?P<int>[0-9]+)|(?P<id>[@A-Za-z_][A-Za-z0-9_-]*)|(?P<op>[!&|(){}\[\]])', re.S)


class Machine:
    """starts, aps, edges[s] = [(label, target)]; a label is a function of a letter (a set of ap names)."""

    def __init__(self, data):
        text, at, self.t = data.decode("utf-8"), 0, []
        while at < len(text):
            m = WORD.match(text, at)
            need(m, "no word of HOA")
            at = m.end()
            if m.lastgroup:
                self.t.append((m.lastgroup, m.group()))
        self.at, self.starts, self.aps, self.states = 0, [], None, None
        need(self.take() == ("header", "HOA:") and self.take() == ("id", "v1"), "no HOA v1")
        while self.peek() != ("end", "--BODY--"):
            self.header()
        self.take()
        need(self.states is not None and self.aps is not None and self.starts, "States, AP or Start is missing")
        self.edges, seen = [[] for _ in range(self.states)], set()
        while self.peek() != ("end", "--END--"):
            need(self.take() == ("header", "State:"), "no state")
            s = self.whole(self.states)
            need(s not in seen, "a state stands twice")
            seen.add(s)
            if self.peek()[0] == "string":
                self.take()
            self.acceptance()
            while self.peek() == ("op", "["):
                self.take()
                label = self.either()
                need(self.take() == ("op", "]"), "a label without an end")
                target = self.whole(self.states)
                need(self.peek() != ("op", "&"), "alternation")
                self.acceptance()
                self.edges[s].append((label, target))
        self.take()
        need(self.at == len(self.t), "more than one automaton")
        self.infinite = self.with_infinite_paths()

    def peek(self):
        return self.t[self.at] if self.at < len(self.t) else ("nothing", "")

    def take(self):
        need(self.at < len(self.t), "the machine ends too early")
        self.at += 1
        return self.t[self.at - 1]

    def whole(self, below=1 << 31):
        kind, word = self.take()
        need(kind == "int" and int(word) < below, f"no number: {word}")
        return int(word)

    def header(self):
        kind, word = self.take()
        need(kind == "header", f"no header: {word}")
        if word == "States:":
            self.states = self.whole()
        elif word == "Start:":
            self.starts.append(self.whole())
            need(self.peek() != ("op", "&"), "alternation")
        elif word == "AP:":
            self.aps = [self.take()[1][1:-1] for _ in range(self.whole())]
            need(len(set(self.aps)) == len(self.aps), "an ap stands twice")
        else:
            need(word == "Acceptance:" or word[0].islower(), f"a header that must be understood: {word}")
            while self.peek()[0] not in ("header", "end", "nothing"):
                self.take()

    def acceptance(self):
        if self.peek() == ("op", "{"):
            while self.take() != ("op", "}"):
                pass

    def either(self):
        parts = [self.both()]
        while self.peek() == ("op", "|"):
            self.take()
            parts.append(self.both())
        return lambda letter: any(p(letter) for p in parts)

    def both(self):
        parts = [self.one()]
        while self.peek() == ("op", "&"):
            self.take()
            parts.append(self.one())
        return lambda letter: all(p(letter) for p in parts)

    def one(self):
        kind, word = self.take()
        if (kind, word) == ("op", "!"):
            f = self.one()
            return lambda letter: not f(letter)
        if (kind, word) == ("op", "("):
            f = self.either()
            need(self.take() == ("op", ")"), "a bracket without an end")
            return f
        if kind == "int":
            need(int(word) < len(self.aps), "no such ap")
            name = self.aps[int(word)]
            return lambda letter: name in letter
        need(kind == "id" and word in ("t", "f"), "an alias, or no label")
        return lambda letter: word == "t"

    def letters(self):
        for bits in range(1 << len(self.aps)):
            yield frozenset(a for i, a in enumerate(self.aps) if bits >> i & 1)

    def with_infinite_paths(self):
        need(len(self.aps) <= 16, "too many aps for this reader")
        able = [[t for label, t in edges if any(map(label, self.letters()))] for edges in self.edges]
        left = set(range(self.states))
        while True:
            less = {s for s in left if any(t in left for t in able[s])}
            if less == left:
                return left
            left = less

    def goes_on(self, s, e):
        label, target = self.edges[s][e]
        return target in self.infinite and any(map(label, self.letters()))
