"""Compares Assay's LTLf automata with MONA's: python3 mona.py ASSAY DIR. Own parser of nothing: formulas are
nested tuples, printed once in Assay's spelling and once in MONA's weak second-order logic of strings."""
import itertools
import re
import subprocess
import sys

assay, work = sys.argv[1:3]

def F(f, a=0, b=None): return ("F", a, b, f)
def G(f, a=0, b=None): return ("G", a, b, f)
def imp(a, b): return ("->", a, b)
def no(a): return ("!", a)

FORMULAS = [
    G(no("p")), ("F", 0, None, "p"), G(imp("p", F("q"))), ("W", no("q"), "p"), ("U", "p", "q"),
    G(imp("p", ("W", no("q"), "r"))), ("X", "p"), ("X!", "p"), G(imp("p", ("X!", "q"))), G(imp("p", ("X", "q"))),
    G(imp("p", F("q", 0, 4))), G(imp("p", F("q", 0, 8))), G(imp("p", F("q", 2, 5))), G(imp("p", ("X", G(no("q"), 0, 5)))),
    F("p", 3, 6), G("p", 3, 6), F(G("p")), G(F("p")), ("R", "p", "q"), ("M", "p", "q"),
    G(imp("p", ("Y", "q"))), G(imp("p", ("O", "q"))), G(imp("p", ("H", no("q")))), G(imp(("Y", "p"), ("H", "q"))),
    F(("&", "p", ("Y", ("O", "q")))), G(imp(("&", "q", no("r")), ("W", no("p"), "r"))),
    imp(F("r"), ("U", no("p"), "r")), G(imp(("&", ("&", "q", no("r")), F("r")), ("U", no("p"), "r"))),
    G(imp(("&", "p", ("&", ("X!", "p"), ("X!", ("X!", "p")))), F("q"))), G(("|", "p", F(("&", "q", ("X", "r")), 1, 3))),
    no(("U", F("p", 0, 2), G("q", 1, 3))), ("|", ("X", ("X", no("p"))), F(("&", "q", ("!", ("X", "r"))))),
]


def spot(f):
    if isinstance(f, str):
        return f
    if f[0] == "!":
        return "!(" + spot(f[1]) + ")"
    if f[0] in "FG":
        bounds = "" if (f[1], f[2]) == (0, None) else "[%d:%s]" % (f[1], "$" if f[2] is None else f[2])
        return f[0] + bounds + " (" + spot(f[3]) + ")"
    if f[0] in ("X", "X!", "Y", "O", "H"):
        return {"X!": "X[!]"}.get(f[0], f[0]) + " (" + spot(f[1]) + ")"
    return "((" + spot(f[1]) + ") " + f[0] + " (" + spot(f[2]) + "))"


names = itertools.count()


def mona(f, x):
    """True at position x of a string; the string's last position is max($)."""
    y = "v%d" % next(names)
    z = "v%d" % next(names)
    if isinstance(f, str):
        return "(%s in %s)" % (x, f.upper())
    op = f[0]
    if op == "!":
        return "(~%s)" % mona(f[1], x)
    if op == "&":
        return "(%s & %s)" % (mona(f[1], x), mona(f[2], x))
    if op == "|":
        return "(%s | %s)" % (mona(f[1], x), mona(f[2], x))
    if op == "->":
        return "(%s => %s)" % (mona(f[1], x), mona(f[2], x))
    if op == "X!":
        return "(%s < max($) & (ex1 %s: %s = %s + 1 & %s))" % (x, y, y, x, mona(f[1], y))
    if op == "X":
        return "(%s = max($) | (ex1 %s: %s = %s + 1 & %s))" % (x, y, y, x, mona(f[1], y))
    if op == "Y":
        return "(%s > 1 & (ex1 %s: %s = %s + 1 & %s))" % (x, y, x, y, mona(f[1], y))
    if op == "O":
        return "(ex1 %s: 1 <= %s & %s <= %s & %s)" % (y, y, y, x, mona(f[1], y))
    if op == "H":
        return "(all1 %s: (1 <= %s & %s <= %s) => %s)" % (y, y, y, x, mona(f[1], y))
    if op == "U":
        return "(ex1 %s: %s <= %s & %s & (all1 %s: (%s <= %s & %s < %s) => %s))" % (
            y, x, y, mona(f[2], y), z, x, z, z, y, mona(f[1], z))
    if op == "W":
        return "(%s | (all1 %s: %s <= %s => %s))" % (mona(("U", f[1], f[2]), x), y, x, y, mona(f[1], y))
    if op == "R":
        return mona(("W", f[2], ("&", f[1], f[2])), x)
    if op == "M":
        return mona(("U", f[2], ("&", f[1], f[2])), x)
    lo, hi, g = f[1:]
    step = "X!" if op == "F" else "X"
    if lo > 0:
        return mona((step, (op, lo - 1, None if hi is None else hi - 1, g)), x)
    if hi is None:
        quantifier = "ex1 %s: %s <= %s & %s" if op == "F" else "all1 %s: %s <= %s => %s"
        return "(" + quantifier % (y, x, y, mona(g, y)) + ")"
    if hi == 0:
        return mona(g, x)
    return mona(("|" if op == "F" else "&", g, (step, (op, 0, hi - 1, g))), x)


def run_mona(f):
    # Position 0 is a letter that means nothing, so that the string is never empty; the run begins at 1.
    path = work + "/f.mona"
    with open(path, "w") as out:
        out.write("m2l-str;\nvar2 P, Q, R;\nmax($) >= 1 & (ex1 s: s = 1 & %s);\n" % mona(f, "s"))
    text = subprocess.run(["mona", "-q", "-w", path], capture_output=True, text=True, check=True).stdout
    accepting = set(map(int, re.search(r"Accepting states: (.*)", text).group(1).split()))
    start = int(re.search(r"Initial state: (\d+)", text).group(1))
    order = re.search(r"free variables: (.*)", text).group(1).split()
    edges = {}
    for s, cube, t in re.findall(r"State (\d+): ([01X]*) -> state (\d+)", text):
        edges.setdefault(int(s), []).append((cube, int(t)))

    def step(s, letter):
        bits = "".join("1" if v.lower() in letter else "0" for v in order)
        for cube, t in edges[s]:
            if all(c in ("X", b) for c, b in zip(cube, bits)):
                return t
        raise SystemExit("MONA's automaton has no edge for " + bits)
    return step(step(start, set()), set()), step, accepting  # MONA begins with a letter of its own


def run_assay(f):
    spec, hoa = work + "/f.spec", work + "/f.hoa"
    with open(spec, "w") as out:
        out.write('spec "f" version 1; ap p = tok = id 0; ap q = tok = id 1; ap r = tok = id 2; prop P: all %s;\n' % spot(f))
    subprocess.run([assay, "--quiet", "spec", "explain", spec, "--hoa", hoa], stdout=subprocess.DEVNULL, check=True)
    aps, edges, accepting, at = [], {}, set(), None
    for line in open(hoa):
        if line.startswith("AP:"):
            aps = re.findall(r'"(\w+)"', line)
        elif line.startswith("State:"):
            at = int(line.split()[1])
            edges[at] = []
            if "{0}" in line:
                accepting.add(at)
        elif line.startswith("["):
            label, to = re.match(r"\[(.*)\] (\d+)", line).groups()
            edges[at].append((label, int(to)))

    def step(s, letter):
        for label, t in edges[s]:
            python = re.sub(r"\d+", lambda m: str(aps[int(m.group())] in letter), label.replace("t", "True"))
            if eval(python.replace("!", " not ").replace("&", " and ").replace("|", " or ")):
                return t
        raise SystemExit("our automaton is not complete")
    return 0, step, accepting, len(edges)


letters = [set(c) for n in range(4) for c in itertools.combinations("pqr", n)]
for f in FORMULAS:
    a, step_a, accept_a, states = run_assay(f)
    b, step_b, accept_b = run_mona(f)
    seen, todo = set(), [(a, b)]
    while todo:
        x, y = todo.pop()
        for letter in letters:
            pair = (step_a(x, letter), step_b(y, letter))
            if pair not in seen:
                seen.add(pair)
                todo.append(pair)
                if (pair[0] in accept_a) != (pair[1] in accept_b):
                    raise SystemExit("FAILED: %s: Assay and MONA differ" % spot(f))
    print("%-60s %3d states, %d pairs compared" % (spot(f)[:60], states, len(seen)))
print("mona: %d formulas, the same languages" % len(FORMULAS))
