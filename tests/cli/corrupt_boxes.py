"""Corrupts the certificate c of tests/cli/check_chance_boxes.sh in the current folder. A false claim must be rejected
under every corruption; a true one when a box, a fact or a premise is missing or another's."""
import hashlib
import json
import random
import re
import shutil
import subprocess
from pathlib import Path

sha = lambda text: hashlib.sha256(text.encode()).hexdigest()
cert, runs, spec = (Path("c" + end).read_text() for end in ("", ".runs", ".spec"))
folder = Path("corrupt")
last = ""


def accepts(lines, spec=spec, runs=runs):
    """With consistent digests and count, so that the rules decide and not the header."""
    global last
    text = "\n".join(lines) + "\n"
    text = re.sub("(?m)^runs .*", "runs " + sha(runs), re.sub("(?m)^statement .*", "statement " + sha(spec), text))
    lines = text.splitlines()
    first = next(i for i, l in enumerate(lines) if l.startswith("statement ")) + 1
    lines[-1] = "end %d" % (len(lines) - 1 - first)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in (("c", "\n".join(lines) + "\n"), ("runs", runs), ("spec", spec)):
        (folder / name).write_text(content)
    result = subprocess.run(["assay-check", "c", "--model", "../model", "--spec", "spec", "--runs", "runs"],
                            cwd=folder, capture_output=True, text=True)
    assert result.returncode in (0, 1), result.stderr
    last = result.stdout.strip().splitlines()[-1]
    return result.returncode == 0


lines = cert.splitlines()
rule = lambda l: (l.split() + ["", ""])[1]
body = [i for i, l in enumerate(lines) if rule(l) in ("EVENT", "MOST", "LEAF", "CHANCE-BOXES", "LEMMA")]
assert {rule(lines[i]) for i in body} == {"EVENT", "MOST", "LEAF", "CHANCE-BOXES", "LEMMA"}
assert accepts(lines), "control: " + last
done = 0


def reject(what, changed, **files):
    global done
    assert not accepts(changed, **files), what + " was accepted: " + last
    done += 1


def put(i, word, at):
    words = lines[i].split()
    words[at] = word
    return lines[:i] + [" ".join(words)] + lines[i + 1:]


# A claim that the sampled rate contradicts: below its interval's lower end. Only the numbers of the claim change.
rate = next(x for x in json.load(open("c.json"))["properties"] if x["name"] == "rare")["probability"]["sampled"]
false_spec = spec.replace("Pmax <= 0.25", "Pmax <= %.6f" % (float(rate["lo"]) / 2), 1)
assert false_spec != spec
reject("a false claim", lines, spec=false_spec)
draw = random.Random(1)
for i in body:
    words = lines[i].split()
    for at in range(1, len(words)):
        if draw.random() > 90 / sum(len(lines[j].split()) for j in body):
            continue
        word = words[at]
        for other in ([str(int(word) + 1), "0", "any", "*"] if word.isdigit() else ["0", "*", "any", "1"]):
            if other != word:
                reject("line %d, word %d: %s for %s" % (i, at, other, word), put(i, other, at), spec=false_spec)

# Every box is needed, and every premise.
leaves = [i for i in body if rule(lines[i]) == "LEAF"]
for i in leaves[::max(1, len(leaves) // 12)]:
    reject("no " + lines[i], lines[:i] + lines[i + 1:])
    reject("a leaf of no event", put(i, "dfa.9", 2))
    reject("a token that is none", put(i, "9", len(lines[i].split()) - 1))
for prop in ("rare", "silent", "twice"):
    i = next(j for j in body if lines[j].startswith(prop + " CHANCE-BOXES"))
    reject("a word more", put(i, lines[i].split()[-1] + " 1", -1))
    reject("another rule", put(i, "CHANCE", 1))
    reject("another's event", put(i, "dfa.1" if prop == "rare" else "dfa.0", 2))
    reject("no event", [l for j, l in enumerate(lines) if not (rule(l) == "EVENT" and l.split()[0] == lines[i].split()[2])])
reject("no MOST", [l for l in lines if rule(l) != "MOST"])
i = next(j for j in body if rule(lines[j]) == "MOST")
reject("a MOST of nothing", put(i, "t.9", 3))
reject("a MOST of two", put(i, lines[i].split()[3] + " " + lines[i].split()[3], 3))
for old, new in [("horizon 8", "horizon 800"), ("Pmax <= 0.25", "Pmin <= 0.25"), ("Pmax <= 0.25", "Pmax >= 0.25"), ("F Rare", "F A"), ("F Rare", "G Rare"),
                 (" horizon 8", "")]:
    assert old in spec, old
    reject("a spec with %r for %r" % (new, old), lines, spec=spec.replace(old, new, 1))
for old, new in [("plain", "plain temperature 3"), ("plain", "top-p 1/2"), ("plain", "plain allow before 0-3"), ("plain", "plain allow after 0-3")]:
    assert old in runs, old
    reject("runs with %r for %r" % (new, old), lines, runs=runs.replace(old, new, 1))
reject("a horizon twice", lines, spec=spec.replace("horizon 8", "horizon 800 horizon 8", 1))

# A token is no rival of itself: l_T - l_T <= 0 would show p(T) <= 1/2 of any token, and here 1 comes with 0.88 at some prompt.
head = [l for l in lines[:lines.index(next(l for l in lines if l.startswith("statement "))) + 1]]
short = ["dfa.0 EVENT one : 2 0 B 1 T 0 1 1 1", "l LEMMA : logit-difference 1 %d lengths 1 any sets 1 * rest *", "c ROOT : l", "f ENUM c l hi :", "m MOST : f",
         "b LEAF dfa.0 : lengths 1 any sets 1 * rest *", "one CHANCE-BOXES dfa.0 :", "end"]
one = 'spec "t" version 1;\n' + next(l for l in spec.splitlines() if l.startswith("use ")) + "\nap One = tok = id 1;\nprop one: Pmax <= %s [F One]\n  horizon 1;\n"
with_rival = lambda y: head + [l % y if "%d" in l else l for l in short]
assert accepts(with_rival(0), spec=one % "1"), "control: " + last
reject("a token as its own rival", with_rival(1), spec=one % "0.6")
assert "other tokens" in last, last
print("%d corruptions rejected" % done)
assert done >= 150, done
