"""A certificate: its header, its steps one after the other, what they conclude."""
from . import cases, rules_automaton, rules_case, rules_chain, rules_chance, rules_erasure, rules_exact, rules_fold, rules_lemma, rules_level, rules_live, rules_norm, rules_refined, rules_site, statement
from .files import digest, read, readout
from .lexis import NotRead, Words, ident, lines_of, nat, need, sha
from .network import Dictionary, Network
from .spec import Spec

SEMANTICS = {"bounds": "REAL", "site": "REAL", "automaton": "REAL", "exact": "REAL", "refined": "REAL", "chain": "REAL", "level": "REAL", "erasure": "DEPLOYED"}
ORDER = ("model", "sae", "readout", "eraser", "automaton", "runs", "chain", "machine", "statement")
#: the lines that a kind has besides `statement`: those that must be there, and those that may
LINES = {
    "bounds": ({"model"}, {"sae", "readout"}),
    "site": ({"model"}, {"sae", "readout"}),
    "automaton": ({"model", "automaton"}, {"sae", "readout"}),
    "exact": ({"model", "runs"}, {"sae", "readout"}),
    "refined": ({"model", "runs"}, {"sae", "readout"}),
    "erasure": ({"eraser"}, {"model", "sae"}),
    "chain": ({"chain"}, set()),
    "level": ({"machine"}, set()),
}
OF_SPEC = ("automaton", "exact", "refined", "level")
RULES = {}
for _module in (rules_automaton, rules_exact, rules_live, rules_chain, rules_level, rules_erasure, rules_site, cases, rules_fold, rules_case, rules_lemma, rules_refined, rules_chance, rules_norm):
    RULES |= _module.RULES
#: rules of the page that this reader does not have
UNREAD = set(
    "SUFFIX NEURONS NEURON-RANGE FEATURE-OFF FEATURE-OFF-MLP TOKEN-OUT LINEAR CASE-NEURONS CASE-RANGE FOLD HULL BOX BOX-RANGE SPREAD NORM-NEURONS NORM-RANGE NORM-LINEAR NORM-FOLD "
    "SPHERE FINAL PART-NUM FINAL-SPREAD FLOAT32 EVENT PAIR CHANCE LEMMA OUT ATOM MOST LEAF CHANCE-BOXES NEVER STATE REFINED ADVANTAGE TWO-HALVES LEAKAGE INTERFACE PROBE CHANGE OPERATOR "
    "DIVERGENCE WORST NEVER-FIRES ROOT PART ENUM JOIN RIVAL BOUND MUST-OFF MUST-ON".split()
) - set(RULES)


class Readouts:
    """The readout files of the header, opened and compared when a rule reads one."""

    def __init__(self, cert):
        self.cert = cert

    def __contains__(self, name):
        return name in self.cert.listed

    def __getitem__(self, name):
        need(name in self, f"no readout {name} in the header")
        given = dict(r.split("=", 1) for r in self.cert.options.get("readout", []))
        need(name in given, f"readout {name} is missing")
        data = read(given[name])
        need(digest(data) == self.cert.listed[name], "another readout")
        return readout(data)


class Certificate:
    """What the rules read: kind, inputs, statement, and the earlier steps by id."""

    def __init__(self, path, options):
        self.lines = lines_of(read(path))
        self.options, self.steps, self.proved, self.open = options, {}, {}, None
        self.head()
        self.inputs()

    def line(self, at):
        need(at < len(self.lines), "the certificate ends too early")
        return self.lines[at].split(" ")

    def head(self):
        need(len(self.lines) <= 4000000 and self.lines[0] == "assay-cert 1", "no certificate")
        word, *rest = self.line(1)
        need(word == "kind" and len(rest) == 1 and rest[0] in SEMANTICS, "no kind")
        self.kind = rest[0]
        need(self.line(2) == ["semantics", SEMANTICS[self.kind]], "other semantics")
        self.header, self.listed, at, last = {}, {}, 3, -1
        must, may = LINES[self.kind]
        while "statement" not in self.header:
            word, *rest = self.line(at)
            need(word in ORDER and ORDER.index(word) >= last, f"line {at + 1}: no header line here")
            need(word == "statement" or word in must | may, f"a certificate of this kind has no line {word}")
            if word == "readout":
                need(len(rest) == 2 and ident(rest[0]) > max(self.listed, default=""), "readouts out of order")
                self.listed[rest[0]] = sha(rest[1])
            else:
                need(word not in self.header, f"{word} stands twice")
                need(len(rest) == (2 if word in ("model", "sae", "eraser") else 1), f"{word}: digests")
                self.header[word] = [sha(w) for w in rest]
            last = ORDER.index(word)
            at += 1
        need(must <= set(self.header), "a header line is missing")
        self.first = at

    def option(self, name):
        need(self.options.get(name), f"--{name} is missing")
        return self.options[name]

    def inputs(self):
        """The files, whose digests are those of the header."""
        h, self.network, self._sae, self.spec, self.request = self.header, None, None, None, None
        if "model" in h:
            self.network = Network(self.option("model"))
            need(self.network.digests == h["model"], "another model")
        self.readouts = Readouts(self)
        for name in ("automaton", "runs", "chain", "machine"):
            if name in h:
                data = read(self.option(name))
                need([digest(data)] == h[name], f"another {name}")
                setattr(self, name, data)
        if self.kind in OF_SPEC:
            data = read(self.option("spec"))
            need([digest(data)] == h["statement"], "another statement")
            self.spec = Spec(data)
            self.check_uses()
            self.claims = list(self.spec.props)
        else:
            data = read(self.option("request"))
            need([digest(data)] == h["statement"], "another statement")
            self.request = statement.Request(data)
            self.claims = list(self.request.claims)
        self.eraser = None
        if "eraser" in h:
            self.eraser = rules_erasure.Eraser(self)

    @property
    def sae(self):
        """Opened, and its digests compared, by the rules that read it; None without a header line."""
        if self._sae is None and "sae" in self.header:
            self._sae = Dictionary(self.option("sae"))
            need(self._sae.digests == self.header["sae"], "another sae")
        return self._sae

    def check_uses(self):
        """Every `use model` has the header's digest, as has what a concluded claim reads (needed below)."""
        for kind, _, want in self.spec.uses:
            if kind == "model" and self.network:
                need(want == self.network.digests[1], "the spec is about another model")

    def reads(self, prop):
        """What the feat and read atoms of a property name is in the header, under the digest that the spec gives."""
        uses = {name: (kind, want) for kind, name, want in self.spec.uses}
        for ap in prop.aps:
            atom = self.spec.aps[ap]
            if atom[0] == "feat":
                need("sae" in self.header and uses.get(atom[1]) == ("sae", self.header["sae"][1]), "the SAE of a claim is not the header's")
            if atom[0] == "read":
                need(uses.get(atom[1]) == ("readout", self.listed.get(atom[1])), "the readout of a claim is not the header's")

    # -- steps
    def run(self):
        at, seen = self.first, set()
        while self.line(at)[0] != "end" or len(self.line(at)) != 2 or ":" in self.line(at):
            words = self.line(at)
            need(":" in words, f"line {at + 1}: no step")
            colon = words.index(":")
            need(colon >= 2, f"line {at + 1}: no step")
            name, rule, premises = ident(words[0]), words[1], words[2:colon]
            need(name not in seen, f"line {at + 1}: the id {name} stands twice")
            seen.add(name)
            need(rule in RULES or rule in UNREAD, f"line {at + 1}: no rule {rule}")
            if rule in UNREAD:
                raise NotRead(f"rule {rule}")
            self.step(name, rule, premises, Words(words[colon + 1 :]), at)
            at += 1
        need(nat(self.line(at)[1]) == at - self.first, "the number of steps")
        need(at + 1 == len(self.lines), "lines after the end")
        need(self.open is None, "a block is not finished")
        need(self.proved, "nothing is concluded")
        left = [c for c in self.claims if c not in self.proved]
        need(not left or self.kind in OF_SPEC, "a claim is not concluded")
        return [(c, self.proved[c]) for c in self.claims if c in self.proved], left

    def step(self, name, rule, premises, words, at):
        need(self.open is None or rule == self.open.line, "a line of an open block is missing")
        concludes = RULES[rule](self, name, premises, words)
        if concludes is not None:
            need(name in self.claims and name not in self.proved, f"line {at + 1}: no claim {name}")
            self.proved[name] = concludes
        else:
            need(name not in self.claims, f"line {at + 1}: {name} is the id of a claim")

    def of(self, name, kind):
        """An earlier step of a kind (a class)."""
        need(isinstance(self.steps.get(name), kind), f"{name} is no earlier step of that kind")
        return self.steps[name]

    def premise(self, premises, kind):
        need(len(premises) == 1, "one premise")
        return self.of(premises[0], kind)


def read_certificate(path, options):
    """Accepted claims with their levels, and those of the statement that are not concluded. Raises Reject or NotRead."""
    return Certificate(path, options).run()
