"""What a new or hostile user writes: spec_traps.py ASSAY DIR. Every case through `spec explain` and `check --automaton`: the exit
code and words that are due, no crash, and no HOLDS where nothing was shown."""
import re
import subprocess
import sys

assay, work = sys.argv[1:3]
H = 'spec "x" version 1;\nap A = tok = id 0;\nap B = tok = id 1;\n'
S = 'spec "x" version 1;\nuse sae S = "s" sha256 ' + "0" * 64 + ";\nap A = feat(S/%s;\nprop P: all G !A;"
C = 'spec "x" version 1;\nclass c = %s;\nap A = tok in c;\nprop P: all G !A;'
DEEP = "".join("let f%d(x) = f%d(x) & X f%d(x);\n" % (i, i - 1, i - 1) for i in range(1, 30))
MANY = "".join("ap a%d = tok = id %d;\n" % (i, i) for i in range(65))

# refused by both commands, at this place, with these words
REFUSED = {
    "empty file": ("", "1:1", "expected 'spec'"),
    "comment only": ("# nothing\n", "2:1", "expected 'spec'"),
    "binary": ('spec "x" version 1;\n\x00\x01', "2:1", "found '\\x00'"),
    "no version": ('spec "x";', "1:9", "expected 'version'"),
    "unknown ap": (H + "prop P: all G !Aa;", "4:16", "did you mean 'A'?"),
    "unknown class": ('spec "x" version 1;\nap A = tok in nope;', "2:15", "name of a class"),
    "unknown sae": ('spec "x" version 1;\nap A = feat(S/3) > 0;', "2:13", "name of a 'use sae'"),
    "unknown readout": ('spec "x" version 1;\nap A = read(S) > 0;', "2:13", "name of a 'use readout'"),
    "ap twice": (H + "ap A = tok = id 2;", "4:4", "declared above"),
    "prop twice": (H + "prop P: all A;\nprop P: all B;", "5:6", "declared above"),
    "no semicolon": (H + "prop P: all G A\nprop Q: all B;", "5:1", "end the property above with ';'"),
    "no semicolon, attribute": (H + 'prop P: all G A doc "d"\nap C = tok = id 2;', "5:1", "end the property above with ';'"),
    "open bracket": (H + "prop P: all G (A & (B;", "4:22", "expected ')'"),
    "open string": ('spec "x version 1;\n', "1:19", "to end the string"),
    "reversed bounds": (H + "prop P: all F[5:2] A;", "4:15", "ascending positions"),
    "bounds of 20 digits": (H + "prop P: all F[0:99999999999999999999] A;", "4:17", "below 2^31"),
    "bounds over the limit": (H + "prop P: all F[0:20001] A;", "4:15", "up to 20000"),
    "negative bound": (H + "prop P: all F[-1:2] A;", "4:15", "found '-1'"),
    "huge within": (H + "prop P: all responds(A, B, within 1000000000);", "4:35", "0 to 20000"),
    "at_most 65": (H + "prop P: all at_most 65(A);", "4:21", "0 to 64"),
    "run 0": (H + "prop P: all run(A, 0);", "4:20", "1 to 64"),
    "cooldown 0": (H + "prop P: all cooldown(A, B, 0);", "4:28", "1 to 20000"),
    "Pmax over 1": (H + "prop P: Pmax <= 1.5 [F A];", "4:17", "between 0 and 1"),
    "Pmax below 0": (H + "prop P: Pmax <= -0.1 [F A];", "4:17", "between 0 and 1"),
    "Pmax without brackets": (H + "prop P: Pmax <= 0.1 F A;", "4:21", "expected '['"),
    "horizon of all": (H + "prop P: all G A horizon 5;", "4:17", "F[0:63]"),
    "300 brackets": (H + "prop P: all " + "(" * 300 + "A" + ")" * 300 + ";", "4:", "200 nested levels"),
    "5000 negations": (H + "prop P: all " + "!" * 5000 + "A;", "4:", "200 nested levels"),
    "a let of itself": (H + "let f(x) = f(x);", "4:12", "declared above"),
    "too many arguments": (H + "let f(x) = x;\nprop P: all f(A, B);", "5:13", "1 argument"),
    "exponential lets": (H + "let f0(x) = x & X x;\n" + DEEP + "prop P: all f29(A);", ":14", "100000 nodes"),
    "from the future": (H + "prop P: all G A from F B;", "4:22", "after 'from'"),
    "past over future": (H + "prop P: all Y F A;", "4:13", "inwards"),
    "far past": (H + "prop P: all G O[33:40] A;", "4:16", "at most 32"),
    "a keyword for a name": ('spec "x" version 1;\nap until = tok = id 0;', "2:4", "word of the language"),
    "an operator for a name": ('spec "x" version 1;\nap X = tok = id 0;', "2:4", "word of the language"),
    "negative band": (S % "3) > 0 band -1", "3:", "band of at least 0"),
    "nan threshold": (S % "3) > nan", "3:20", "decimal number"),
    "400 digits": (S % ("3) > 1" + "0" * 400), "3:20", "15 digits"),
    "feature of 20 digits": (S % "99999999999999999999) > 0", "3:15", "below 2^31"),
    "65 aps": ('spec "x" version 1;\n' + MANY + "prop P: all a0;", "66:4", "at most 64 aps"),
    "a level outside its bounds": (H + "level n = 0 min 5 max 9 else n;", "4:11", "from min to max"),
    "a level of 38 digits": (H + "level n = " + "9" * 38 + " else n;", "4:11", "15 digits"),
    "no such day": (H + 'prop P: all A waive "x" until 2026-99-99;', "4:31", "YYYY-MM-DD"),
    "doc twice": (H + 'prop P: all A doc "a" doc "b";', "4:23", "each attribute once"),
    "expect maybe": (H + "prop P: all A expect maybe;", "4:22", "'holds', 'violated' or 'unknown'"),
    "not ASCII": (H + "prop P: all G !\u00c4;", "4:16", "found '\\xc3'"),
    "no claim": (H + "prop P: G A;", "4:9", "expected 'all', 'some', 'Pmax' or 'Pmin'"),
    "&&": (H + "prop P: all G(A && B);", "4:18", "write '&' once"),
    "[]": (H + "prop P: all [] A;", "4:13", "write 'G'"),
    "N": (H + "prop P: all N A;", "4:13", "write 'X'"),
    "since": (H + "prop P: all A S B;", "4:15", "the past has 'Y', 'O' and 'H' only"),
    "junk at the end": (H + "prop P: all A; garbage", "4:16", "expected 'use'"),
    "an id of 11 digits": (C % "ids {99999999999}", "2:16", "below 2^31"),
    "no ids": (C % "ids {}", "2:16", "expected a token id"),
    "class with ^": ('spec "x" version 1;\nclass c = ids {1};\nclass d = c ^ c;', "3:13", "found '^'"),
}
# decided, or not, as it must be: the machine's runs are p p p … with A and B as they like, or "A & B" first
MACHINES = {
    "free": "HOA: v1\nStates: 1\nStart: 0\nAP: 2 \"A\" \"B\"\nAcceptance: 0 t\n--BODY--\nState: 0\n[t] 0\n--END--\n",
    "never A": "HOA: v1\nStates: 1\nStart: 0\nAP: 2 \"A\" \"B\"\nAcceptance: 0 t\n--BODY--\nState: 0\n[!0] 0\n--END--\n",
    "dead end": "HOA: v1\nStates: 2\nStart: 0\nAP: 2 \"A\" \"B\"\nAcceptance: 0 t\n--BODY--\nState: 0\n[0] 1\n[!0] 0\nState: 1\n--END--\n",
    "no run": "HOA: v1\nStates: 2\nStart: 0\nAP: 2 \"A\" \"B\"\nAcceptance: 0 t\n--BODY--\nState: 0\n[0] 1\nState: 1\n--END--\n",
    "no accepted run": "HOA: v1\nStates: 1\nStart: 0\nAP: 2 \"A\" \"B\"\nAcceptance: 1 Inf(0)\n--BODY--\nState: 0\n[t] 0\n--END--\n",
    "no finite run": "HOA: v1\nStates: 1\nStart: 0\nAP: 2 \"A\" \"B\"\nFinite-words: t\nAcceptance: 1 Inf(0)\n--BODY--\nState: 0\n[t] 0\n--END--\n",
    "false labels": "HOA: v1\nStates: 1\nStart: 0\nAP: 2 \"A\" \"B\"\nAcceptance: 0 t\n--BODY--\nState: 0\n[0 & !0] 0\n--END--\n",
    "no start": "HOA: v1\nStates: 1\nAP: 2 \"A\" \"B\"\nAcceptance: 0 t\n--BODY--\nState: 0\n[t] 0\n--END--\n",
}
# (machine, claim): (exit code, words on stdout or stderr)
DECIDED = {
    ("free", "all A | !A"): (3, "valid by itself"),
    ("free", "all G !A assume false"): (3, "valid by itself"),
    ("free", "all G !A assume A & !A"): (3, "valid by itself"),
    ("free", "all G !A assume (G A) & F !A"): (3, "valid by itself"),
    ("free", "all F A -> F A"): (3, "valid by itself"),
    ("free", "all A & !A"): (1, "VIOLATED"),
    ("free", "some A & !A"): (3, "no run can satisfy it"),
    ("free", "some (G A) & F !A"): (3, "no run can satisfy it"),
    ("free", "all G F A"): (1, "for ever"),
    ("free", "some G F A"): (0, "HOLDS"),
    ("free", "all G(A -> F[0:20000] B)"): (3, "too complex"),
    ("free", "Pmax <= 0.5 [F A]"): (3, "no probabilities"),
    ("free", "all G !A & G !B"): (1, "VIOLATED"),
    ("never A", "all G(A -> X B)"): (0, "VACUOUS: it holds even with B never true"),
    ("never A", "all G !B assume F A"): (0, "VACUOUS: it holds even with B always true"),
    ("never A", "all G !A"): (0, "HOLDS"),
    ("never A", "all G F A"): (1, "for ever"),
    ("dead end", "all G !A"): (0, "HOLDS"),  # no endless run shows A
    ("dead end", "some F A"): (1, "VIOLATED"),
    ("no run", "all G !A"): (2, "has no run"),
    ("no run", "all F A"): (2, "has no run"),
    ("no accepted run", "all G !A"): (2, "has no run"),
    ("no finite run", "all G !A"): (2, "has no run"),
    ("false labels", "all G !A"): (2, "has no run"),
    ("no start", "some F A"): (2, "has no run"),
    ("free", "all G !Hot"): (1, "n = 1125899906842623"),  # see LEVEL
    ("never A", "all G !Hot"): (0, "HOLDS"),
}
LEVEL = "level n = 0 when A: 2*n + 1 else n;\nap Hot = n >= 999999999999999;\n"


def ask(name, text, *command):
    with open(work + "/t.spec", "w", encoding="utf-8") as out:
        out.write(text)
    done = subprocess.run([assay, "--quiet", *command], capture_output=True, text=True, timeout=120)
    if done.returncode not in (0, 1, 2, 3):
        raise SystemExit("FAILED: %s: exit %d\n%s" % (name, done.returncode, done.stderr))
    return done.returncode, done.stdout + done.stderr


def machine(name):
    path = work + "/m.hoa"
    with open(path, "w") as out:
        out.write(MACHINES[name])
    return path


spec = work + "/t.spec"
for name, (text, place, words) in REFUSED.items():
    for command in (("spec", "explain", spec), ("check", "--automaton", machine("free"), "--spec", spec),
                    ("monitor", spec, "--prop", "P", "--table", work + "/t.json")):
        code, said = ask(name, text, *command)
        if code != 2 or "t.spec:" not in said or not re.search(re.escape(place), said) or words not in said:
            raise SystemExit("FAILED: %s: %s: exit %d, expected a refusal at %s with %r:\n%s" % (name, command[0], code, place, words, said))
for (on, claim), (want, words) in DECIDED.items():
    code, said = ask(claim, H + (LEVEL if "Hot" in claim else "") + "prop P: %s;\n" % claim,
                     "check", "--automaton", machine(on), "--spec", spec)
    if code != want or words not in said:
        raise SystemExit("FAILED: %s on %r: exit %d, expected %d with %r:\n%s" % (claim, on, code, want, words, said))
print("spec traps: %d texts refused by three commands, %d claims decided or left open" % (len(REFUSED), len(DECIDED)))
