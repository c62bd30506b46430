"""Random machines and properties for other people's model checkers. A formula is a nested tuple, printed in Assay's
spelling and in SPIN's; a machine is HOA, every run of it accepted."""
import random


def draw_formula(r, depth, wide):
    """wide: with X, bounds and past."""
    if depth == 0 or r.random() < 0.15:
        return r.choice("pqr")
    op = r.choice(["!", "&", "|", "->", "U", "W", "F", "G"] + (["X", "FB", "GB", "Y", "O", "H"] if wide else ["F", "G"]))
    if op in ("Y", "O", "H"):
        return (op, draw_past(r, depth - 1))
    child = lambda: draw_formula(r, depth - 1, wide)
    if op in ("FB", "GB"):
        lo = r.randrange(3)
        return (op[0], lo, lo + r.randrange(3), child())
    if op in ("F", "G"):
        return (op, 0, None, child())
    return (op, child()) if op in ("!", "X") else (op, child(), child())


def draw_past(r, depth):
    if depth <= 0 or r.random() < 0.3:
        return r.choice("pqr")
    op = r.choice(["!", "&", "Y", "O", "H"])
    return (op, draw_past(r, depth - 1), draw_past(r, depth - 1)) if op == "&" else (op, draw_past(r, depth - 1))


def assay_text(f):
    if isinstance(f, str):
        return f
    if f[0] in "FG":
        bounds = "" if f[2] is None else "[%d:%d]" % f[1:3]
        return f[0] + bounds + "(" + assay_text(f[3]) + ")"
    if len(f) == 2:
        return f[0] + "(" + assay_text(f[1]) + ")"
    return "((%s) %s (%s))" % (assay_text(f[1]), f[0], assay_text(f[2]))


def spin_text(f):
    """Endless words; V is R. Debian's SPIN is built without X, so there are no bounds either."""
    if isinstance(f, str):
        return f
    op = f[0]
    if op in "FG":
        return ("<> (" if op == "F" else "[] (") + spin_text(f[3]) + ")"
    if op == "W":
        a, b = spin_text(f[1]), spin_text(f[2])
        return "((%s) V ((%s) || (%s)))" % (b, a, b)
    if op == "!":
        return "! (" + spin_text(f[1]) + ")"
    return "((%s) %s (%s))" % (spin_text(f[1]), {"&": "&&", "|": "||"}.get(op, op), spin_text(f[2]))


def draw_machine(r):
    """(start states, edges (from, label, to)); a label gives some of the three aps a value."""
    states = r.randrange(2, 7)
    edges = []
    for s in range(states):
        for _ in range(r.randrange(1, 4)):
            label = {ap: r.random() < 0.5 for ap in range(3) if r.random() < 0.75}
            edges.append((s, label, r.randrange(states)))
    return sorted({0, r.randrange(states)}), edges, states


def hoa_text(machine):
    start, edges, states = machine
    out = "HOA: v1\nStates: %d\n%sAP: 3 \"p\" \"q\" \"r\"\nAcceptance: 0 t\n--BODY--\n" % (
        states, "".join("Start: %d\n" % s for s in start))
    for s in range(states):
        out += "State: %d\n" % s
        for f, label, t in edges:
            if f == s:
                text = " & ".join(("" if v else "!") + str(ap) for ap, v in sorted(label.items())) or "t"
                out += "[%s] %d\n" % (text, t)
    return out + "--END--\n"


def spec_text(claims):
    """claims: (name, "all" or "some", formula)."""
    out = 'spec "peer" version 1;\nap p = tok = id 0;\nap q = tok = id 1;\nap r = tok = id 2;\n'
    return out + "".join("prop %s: %s %s;\n" % (n, c, assay_text(f)) for n, c, f in claims)


def promela_text(machine, claims):
    """One transition a letter; before the first one p, q and r mean nothing, so each claim begins where `on` does. Of a claim
    `some` SPIN is asked about the opposite."""
    start, edges, _ = machine
    out = "bool p, q, r, on; byte s = 255;\nactive proctype machine() {\n  do\n"
    for b in start:
        for f, label, t in edges:
            if f == b:
                out += step("s == 255", label, t)
    for f, label, t in edges:
        out += step("s == %d" % f, label, t)
    out += "  od\n}\n"
    for name, claim, formula in claims:
        g = spin_text(formula)
        out += "ltl %s { (!on) U (on && (%s)) }\n" % (name, g if claim == "all" else "! (" + g + ")")
    return out


def step(guard, label, target):
    out = ""
    for valuation in range(8):
        values = {ap: bool(valuation >> ap & 1) for ap in range(3)}
        if all(values[ap] == v for ap, v in label.items()):
            sets = "on = 1; " + " ".join("%s = %d;" % ("pqr"[ap], v) for ap, v in values.items())
            out += "  :: d_step { %s -> %s s = %d }\n" % (guard, sets, target)
    return out


def generator(seed):
    return random.Random(seed)
