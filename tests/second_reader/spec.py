"""The resolved spec (docs/spec-language.md): the statement of kinds automaton, exact, refined and level."""
import re
from fractions import Fraction

from . import formula as fo
from .files import digest
from .lexis import NotRead, need

TOKEN = re.compile(
    r'\s+|#[^\n]*|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<dec>-?[0-9]+(?:\.[0-9]+)?)|(?P<id>[A-Za-z_][A-Za-z0-9_]*)|'
    r"(?P<op><->|->|>=|<=|[-;={}(),/<>!&|\[\]:+*$.])"
)
PATTERNS = ("absent", "exists", "always", "responds", "precedes", "run", "cooldown")
WIDER = ("at_most", "first", "last", "R", "M")
ATTRIBUTES = ("doc", "severity", "owner", "expect", "waive", "horizon", "conf")


def tokens_of(text):
    at, out = 0, []
    while at < len(text):
        m = TOKEN.match(text, at)
        need(m, f"no word of the language: {text[at : at + 20]!r}")
        at = m.end()
        if m.lastgroup:
            word = m.group()
            if m.lastgroup == "dec" and word.startswith("-") and out and out[-1][0] in ("dec", "id"):
                out += [("op", "-"), ("dec", word[1:])]  # a difference, not a sign
            else:
                out.append((m.lastgroup, word))
    return out


class Property:
    def __init__(self, name, claim, f, aps, attributes, compare=None, bound=None):
        self.name, self.claim, self.formula, self.aps, self.attributes = name, claim, f, aps, attributes
        self.compare, self.bound = compare, bound


class Spec:
    """classes, aps (name -> atom, in the order of the file), uses, levels, properties."""

    def __init__(self, data):
        need(len(data) <= 16 << 20, "a statement too large")
        self.digest = digest(data)
        self.t, self.at = tokens_of(data.decode("utf-8")), 0
        self.seen, self.uses, self.classes, self.aps, self.lets, self.props, self.levels = set(), [], {}, {}, {}, {}, {}
        self.keyword("spec")
        self.kind("string")
        self.keyword("version")
        self.kind("dec")
        self.op(";")
        while self.at < len(self.t):
            word = self.kind("id")
            need(word in ("use", "class", "level", "move", "ap", "let", "prop"), f"no declaration: {word}")
            getattr(self, "read_" + word)()
        self.order = list(self.aps)

    # -- words
    def peek(self):
        return self.t[self.at] if self.at < len(self.t) else ("end", "")

    def kind(self, kind):
        need(self.peek()[0] == kind, f"expected {kind}, found {self.peek()[1]}")
        self.at += 1
        return self.t[self.at - 1][1]

    def op(self, word):
        need(self.peek() == ("op", word), f"expected {word}, found {self.peek()[1]}")
        self.at += 1

    def has(self, word):
        if self.peek()[1] == word and self.peek()[0] in ("op", "id"):
            self.at += 1
            return True
        return False

    def keyword(self, word):
        need(self.peek() == ("id", word), f"expected {word}, found {self.peek()[1]}")
        self.at += 1

    def whole(self):
        word = self.kind("dec")
        need(re.fullmatch("[0-9]+", word), f"no whole number: {word}")
        return int(word)

    def dec(self):
        return Fraction(self.kind("dec"))

    # -- declarations
    def read_use(self):
        kind, name = self.kind("id"), self.kind("id")
        self.op("=")
        self.kind("string")
        self.keyword("sha256")
        sha = ""
        while self.peek()[0] in ("dec", "id"):  # a digest may begin with a figure
            sha += self.kind(self.peek()[0])
        self.op(";")
        self.uses.append((kind, name, sha))

    def read_class(self):
        name = self.kind("id")
        self.op("=")
        self.keyword("ids")
        self.op("{")
        ids = [self.whole()]
        while self.has(","):
            ids.append(self.whole())
        self.op("}")
        self.op(";")
        need(name not in self.classes, "a class stands twice")
        self.classes[name] = frozenset(ids)

    def read_ap(self):
        name = self.kind("id")
        self.op("=")
        need(name not in self.aps, "an ap stands twice")
        self.aps[name] = self.atom()
        self.op(";")

    def compare(self):
        word = self.kind("op")
        need(word in (">=", ">", "<=", "<"), f"no comparison: {word}")
        return word

    def atom(self):
        if self.has("tok"):
            if self.has("in"):
                name = self.kind("id")
                need(name in self.classes, f"no class {name}")
                return ("tok", self.classes[name])
            self.op("=")
            self.keyword("id")
            return ("tok", frozenset([self.whole()]))
        if self.peek()[1] == "feat" and self.t[self.at + 1][1] == "(":
            self.at += 2
            name = self.kind("id")
            self.op("/")
            feature = self.whole()
            self.op(")")
            return ("feat", name, feature, *self.region())
        if self.peek()[1] == "read" and self.t[self.at + 1][1] == "(":
            self.at += 2
            name = self.kind("id")
            self.op(")")
            return ("read", name, *self.region())
        if self.peek()[1] in ("role", "pos"):
            raise NotRead("an atom `role` or `pos`")
        form = self.form()
        return ("level", form, self.compare(), self.dec())

    def region(self):
        return (self.compare(), self.dec(), self.dec() if self.has("band") else Fraction(0))

    # -- levels: a form is (constant, {level: factor})
    def form(self):
        constant, factors = Fraction(0), {}
        sign = -1 if self.has("-") else 1
        while True:
            if self.peek()[0] == "dec":
                n = sign * self.dec()
                if self.has("*"):
                    name = self.kind("id")
                    need(name not in factors, "a level stands twice in a form")
                    factors[name] = n
                else:
                    constant += n
            else:
                name = self.kind("id")
                need(name not in factors, "a level stands twice in a form")
                factors[name] = Fraction(sign) * (self.dec() if self.has("*") else 1)
            if self.has("+"):
                sign = 1
            elif self.has("-"):
                sign = -1
            else:
                break
        need(set(factors) <= set(self.levels), "a level that is not declared")
        return constant, {k: v for k, v in factors.items() if v}

    def cases(self):
        out = []
        while self.has("when"):
            guard = self.ltl()
            self.op(":")
            out.append((guard, self.form()))
        self.keyword("else")
        out.append((fo.TRUE, self.form()))
        return out

    def read_level(self):
        name = self.kind("id")
        self.op("=")
        need(name not in self.levels, "a level stands twice")
        level = self.levels[name] = {"first": self.dec(), "min": None, "max": None, "cases": None}
        for end in ("min", "max"):
            if self.has(end):
                level[end] = self.dec()
        if not self.has(";"):
            level["cases"] = self.cases()
            self.op(";")

    def read_move(self):
        name = self.kind("id")
        need(name in self.levels and self.levels[name]["cases"] is None, "a move of no level, or a second one")
        self.levels[name]["cases"] = self.cases()
        self.op(";")

    # -- formulas
    def read_let(self):
        name, parameters = self.kind("id"), []
        if self.has("("):
            parameters.append(self.kind("id"))
            while self.has(","):
                parameters.append(self.kind("id"))
            self.op(")")
        self.op("=")
        start = self.at
        while self.peek() != ("op", ";"):
            need(self.at < len(self.t), "a let without an end")
            self.at += 1
        self.lets[name] = (parameters, self.t[start : self.at])
        self.op(";")

    def read_prop(self):
        name = self.kind("id")
        self.op(":")
        claim, compare, bound = self.kind("id"), None, None
        self.seen = set()
        need(claim in ("all", "some", "Pmax", "Pmin"), f"no claim: {claim}")
        if claim in ("Pmax", "Pmin"):
            compare, bound = self.compare(), self.dec()
            self.op("[")
            f = self.ltl()
            self.op("]")
        else:
            f = self.ltl()
        attributes = {}
        while not self.has(";"):
            word = self.kind("id")
            if word in ("from", "assume"):
                raise NotRead(f"a claim with `{word}`")
            need(word in ATTRIBUTES, f"no attribute: {word}")
            attributes[word] = self.kind(self.peek()[0])
            if word == "waive":
                self.keyword("until")
                while self.peek()[0] in ("dec", "op") and self.peek()[1] != ";":
                    self.at += 1
        need(name not in self.props, "a property stands twice")
        self.props[name] = Property(name, claim, f, [a for a in self.aps if a in self.seen], attributes, compare, bound)

    def ltl(self, scope=None):
        return self.equal(scope or {})

    def equal(self, s):
        f = self.implied(s)
        while self.has("<->"):
            g = self.implied(s)
            f = fo.disj(fo.conj(f, g), fo.conj(negated(f), negated(g)))
        return f

    def implied(self, s):
        f = self.either(s)
        return fo.disj(negated(f), self.implied(s)) if self.has("->") else f

    def either(self, s):
        f = [self.both(s)]
        while self.has("|"):
            f.append(self.both(s))
        return fo.disj(*f)

    def both(self, s):
        f = [self.binary(s)]
        while self.has("&"):
            f.append(self.binary(s))
        return fo.conj(*f)

    def binary(self, s):
        f = self.unary(s)
        word = self.peek()[1]
        if self.peek()[0] == "id" and word in ("R", "M"):
            raise NotRead(f"the operator {word}")
        if self.peek()[0] == "id" and word in ("U", "W"):
            self.at += 1
            return (word, f, self.binary(s))
        return f

    def bounds(self):
        if not self.has("["):
            return 0, None
        a = self.whole()
        self.op(":")
        b = None if self.has("$") else self.whole()
        self.op("]")
        need(b is None or a <= b, "bounds that fall")
        return a, b

    def unary(self, s):
        if self.has("!"):
            return negated(self.unary(s))
        kind, word = self.peek()
        if kind == "id" and word in s:
            return self.primary(s)
        if kind == "id" and word == "X":
            self.at += 1
            if self.peek()[1] == "[" and self.t[self.at + 1][1] == "!":
                self.at += 2
                self.op("]")
                return ("X!", self.unary(s))
            return ("X", self.unary(s))
        if kind == "id" and word == "Y":
            self.at += 1
            return fo.previous(self.unary(s))
        if kind == "id" and word in ("F", "G", "O", "H"):
            self.at += 1
            a, b = self.bounds()
            f = self.unary(s)
            return (word, a, b, f) if word in "FG" else fo.once(word, f, a, b)
        return self.primary(s)

    def primary(self, s):
        if self.has("("):
            f = self.equal(s)
            self.op(")")
            return f
        word = self.kind("id")
        if word in ("true", "false"):
            return fo.TRUE if word == "true" else fo.FALSE
        if word in s:
            return s[word]
        if word in self.aps:
            self.seen.add(word)
            return ("ap", word)
        if word in PATTERNS and self.peek()[1] == "(":
            return self.pattern(word, s)
        if word in WIDER:
            raise NotRead(f"the word {word}")
        need(word in self.lets, f"no ap or let: {word}")
        names, body = self.lets[word]
        given = []
        if names:
            self.op("(")
            given.append(self.equal(s))
            while self.has(","):
                given.append(self.equal(s))
            self.op(")")
        need(len(given) == len(names), f"{word} takes {len(names)} formulas")
        kept = self.t, self.at
        self.t, self.at = body, 0
        f = self.equal(dict(zip(names, given)))
        need(self.at == len(body), "words after a let's formula")
        self.t, self.at = kept
        return f

    def pattern(self, word, s):
        self.op("(")
        p = self.equal(s)
        if word in ("absent", "exists", "always"):
            f = {"absent": ("G", 0, None, negated(p)), "exists": ("F", 0, None, p), "always": ("G", 0, None, p)}[word]
        else:
            self.op(",")
            if word == "run":
                k = self.whole()
                need(1 <= k <= 64, "a run of no length")
                f = p
                for _ in range(k - 1):
                    f = fo.conj(p, ("X!", f))
            elif word == "responds":
                q = self.equal(s)
                within = None
                if self.has(","):
                    self.keyword("within")
                    within = self.whole()
                f = ("G", 0, None, fo.disj(negated(p), ("F", 0, within, q)))
            elif word == "precedes":
                f = ("W", negated(self.equal(s)), p)  # precedes(s, p) = !p W s
            else:
                b = self.equal(s)
                self.op(",")
                k = self.whole()
                need(k >= 1, "a cooldown of no length")
                f = ("G", 0, None, fo.disj(negated(p), ("X", ("G", 0, k - 1, negated(b)))))
        self.op(")")
        if self.peek()[1] in ("before", "after", "between"):
            raise NotRead("a pattern with a scope")
        return f


def negated(f):
    """!f, pushed down so far that connectives stay flat."""
    if f[0] in "&|":
        return fo.junction({"&": "|", "|": "&"}[f[0]], [negated(g) for g in f[1]])
    return fo.nots(f)

