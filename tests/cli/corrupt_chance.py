"""Corrupts the certificates c and uc of tests/cli/check_chance.sh in the current folder: each one must be rejected."""
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

sha = lambda text: hashlib.sha256(text.encode()).hexdigest()
folder = Path("corrupt")
done = 0


class Case:
    def __init__(self, name, more):
        self.cert, self.runs, self.spec = (Path(name + end).read_text() for end in ("", ".runs", ".spec"))
        self.more = more

    def accepted(self, cert=None, runs=None, spec=None):
        """The certificate with consistent digests, so that the rules decide and not the header."""
        cert, runs, spec = cert or self.cert, runs or self.runs, spec or self.spec
        cert = re.sub("(?m)^runs .*", "runs " + sha(runs), re.sub("(?m)^statement .*", "statement " + sha(spec), cert))
        lines = cert.splitlines()
        first = next(i for i, l in enumerate(lines) if l.startswith("statement ")) + 1
        lines[-1] = "end %d" % (len(lines) - 1 - first)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, text in (("c", "\n".join(lines) + "\n"), ("runs", runs), ("spec", spec)):
            (folder / name).write_text(text)
        result = subprocess.run(["assay-check", str(folder / "c"), "--model", "model", "--spec", str(folder / "spec"),
                                 "--runs", str(folder / "runs")] + self.more, capture_output=True, text=True)
        assert result.returncode in (0, 1), result.stderr
        self.last = result.stdout.strip().splitlines()[-1]
        return result.returncode == 0

    def reject(self, what, **files):
        global done
        assert not self.accepted(**files), what + " was accepted: " + self.last
        done += 1

    def edited(self, prefix, change):
        lines = self.cert.splitlines()
        at = next(i for i, l in enumerate(lines) if l.startswith(prefix))
        words = lines[at].split()
        change(words)
        lines[at] = " ".join(words)
        return "\n".join(lines) + "\n"

    def replaced(self, text, old, new):
        assert old in text, (old, text)
        return text.replace(old, new, 1)


def put(i, value):
    return lambda w: w.__setitem__(i, value)


c = Case("c", ["--sae", "sae"])
assert c.accepted(), "control: " + c.last
# with a horizon: the checker makes the steps itself
assert c.accepted(cert=c.edited("never CHANCE", put(5, "2"))), "fewer steps bound from below too: " + c.last
for what, cert in [
        ("fewer steps from above", c.edited("soon CHANCE", put(5, "2"))),
        ("more steps than the horizon", c.edited("never CHANCE", put(5, "4"))),
        ("values without any", c.edited("soon CHANCE", put(5, "values"))),
        ("values from below", c.edited("never CHANCE", put(5, "values"))),
        ("the other verdict", c.edited("soon CHANCE", put(4, "violated"))),
        ("holds for violated", c.edited("never CHANCE", lambda w: w.__setitem__(slice(4, None), ["holds", "3"]))),
        ("another prompt", c.edited("never CHANCE", put(-1, "21"))),
        ("no prompt", c.edited("never CHANCE", lambda w: w.__delitem__(slice(6, None)))),
        ("a word more", c.edited("soon CHANCE", lambda w: w.append("1"))),
        ("another property's event", c.edited("quiet CHANCE", put(2, "dfa.0"))),
        ("no event", "\n".join(l for l in c.cert.splitlines() if not l.startswith("dfa.0 ")) + "\n"),
        ("an event that is a DFA", c.edited("dfa.0", put(1, "DFA"))),
        ("an event of another property", c.edited("dfa.0", put(2, "quiet"))),
        ("an event without its bad state", c.edited("dfa.0", lambda w: w.__delitem__(7))),
        ("an event with another bad state", c.edited("dfa.0", put(7, "0"))),
        ("an event with another table", c.edited("dfa.0", put(-1, "0"))),
        ("an event with two bad states", c.edited("dfa.0", lambda w: w.insert(7, "0"))),
        ("EXACT for a probability", c.edited("soon CHANCE", lambda w: w.__setitem__(slice(1, None), ["EXACT", "dfa.0", ":"]))),
        ("kind automaton", c.cert.replace("kind exact", "kind automaton"))]:
    c.reject(what, cert=cert)
for old, new in [("temperature 3/2", "temperature 1/100"), ("min-p 2/5", "min-p 1"), ("max-new any", "max-new 1"), ("min-p 2/5 temperature 3/2 order after", "greedy")]:
    c.reject("runs with %r for %r" % (new, old), runs=c.replaced(c.runs, old, new))
for old, new in [("Pmax <= 0.9999", "Pmax <= 0.0001"), ("Pmax <= 0.9999", "Pmax >= 0.9999"), ("Pmax <= 0.9999", "Pmin <= 0.9999"), ("0.000001 ", "0.999999 "),
                 ("Pmin >= 0.001", "Pmin > 1"), ("Pmax <= 0.9999", "all"), ("horizon 3", "horizon 4"), ("F Digit", "G Digit"), ("[F Digit]", "[F Digit] from At"),
                 ("Pmax <= 0.9999 [F Digit]", "Pmax <= 0.9999 [F Digit] assume At")]:
    text = c.replaced(c.spec, old, new)
    c.reject("a spec with %r for %r" % (new, old), spec=text if new != "all" else text.replace("all [F Digit]", "all F Digit").replace("horizon 3", "", 1))

u = Case("uc", [])
assert u.accepted(), "control: " + u.last
one = 2 ** 40
pairs = [l for l in u.cert.splitlines() if l.split()[1:2] == ["PAIR"] and l.split()[5] != "0"]
assert len(pairs) >= 5, len(pairs)
for line in pairs[::max(1, len(pairs) // 12)]:
    name, value = line.split()[0], int(line.split()[5])
    prefix = name + " "
    u.reject("a value of 0 at " + name, cert=u.edited(prefix, put(5, "0")))
    u.reject("a value above 1", cert=u.edited(prefix, put(5, str(one + 1))))
    u.reject("a value twice", cert=u.cert.replace(line, line + "\n" + line.replace("v.", "w.", 1)))
    u.reject("a state that is none", cert=u.edited(prefix, put(4, "9")))
    u.reject("the bad state", cert=u.edited(prefix, put(4, "2")))
    u.reject("a longer window", cert=u.edited(prefix, lambda w: w.extend(["1"] * 9)))
    u.reject("a token that is none", cert=u.edited(prefix, put(-1, "45")))
u.reject("no values", cert="\n".join(l for l in u.cert.splitlines() if l.split()[1:2] != ["PAIR"]) + "\n")
u.reject("steps without a horizon", cert=u.edited("before CHANCE", put(5, "200")))
print("%d corruptions rejected" % done)
assert done >= 60, done
