#!/usr/bin/env bash
# `assay check --export`: the exact machine under each property in HOA, DOT, SMV and AIGER, its interval chain in DRN and PRISM's
# explicit format. What is written, read back as a given machine or chain, gives the verdicts and bounds of the model.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$work"
cd "$work"
cat >t.spec <<'SPEC'
spec "t" version 1;
use model M = "model";
use sae T = "sae";
class digit = /[0-9]/;
class letter = /[a-z]/;
ap Digit = tok in digit;
ap Letter = tok in letter;
ap At = tok = "@";
ap On = feat(T/3) > 0;
prop quiet: all G(At -> X !At);
prop digits: all G(Digit -> X F[0:3] Digit);
prop letters: all G F Letter;
prop comes: all F Digit;
prop seen: some F (On & At);
prop off: all G(At -> !On);
prop ever: Pmax <= 0.001 [!Digit U At];
prop soon: Pmax <= 0.5 [F Digit] horizon 3;
SPEC
echo '{"tokens":[[3,4],[12,13,14],[20]]}' >p.json
check() { assay --quiet check --model model --sae T=sae --spec t.spec --prompts p.json --decoder min-p:0.75 "$@"; }
check --export out --json >t.json || [ $? = 1 ] || [ $? = 3 ] || fail "check"
assay --quiet spec resolve t.spec --model model --sae T=sae --out r.spec
python3 - <<'PY'
import json, os, re, subprocess
p = {x["name"]: x for x in json.load(open("t.json"))["properties"]}
for n in ("quiet", "digits", "letters", "comes", "seen", "off"):
    x = p[n]
    files = [f for f in x["exported"] if " " not in f]
    assert all(os.path.getsize("out/" + f) > 0 for f in files) and n + ".hoa" in files and n + ".smv" in files, x["exported"]
    assert (n + ".aig" in files) == (n not in ("letters", "comes")), x["exported"]
    given = subprocess.run(["assay", "--quiet", "--json", "check", "--automaton", "out/%s.hoa" % n, "--spec", "r.spec", "--prop", n,
                            "--export", "again"], capture_output=True, text=True)
    assert given.returncode in (0, 1), given.stderr
    g = json.loads(given.stdout)["properties"][0]
    assert x["verdict"] in ("holds", "violated") and x["edges"]["open"] == 0, x
    assert g["verdict"] == x["verdict"], (n, g, x["verdict"])
    for suffix in ("smv", "aig"):  # of the same machine, read back
        if n + "." + suffix in files:
            assert open("out/%s.%s" % (n, suffix), "rb").read() == open("again/%s.%s" % (n, suffix), "rb").read(), n
assert {p[n]["verdict"] for n in ("quiet", "digits", "letters", "comes", "seen", "off")} == {"holds", "violated"}
for n, within in (("ever", []), ("soon", ["--within", "3"])):
    assert p[n]["exported"] == [n + ".drn", n + ".tra", n + ".lab"], p[n]
    c = json.loads(subprocess.run(["assay", "--quiet", "--json", "chain", "out/%s.drn" % n, "--reach", "event", *within],
                                  capture_output=True, text=True, check=True).stdout)
    q = p[n]["probability"]
    assert c["most"] == q["most"], (n, c, q)
    assert n == "ever" or c["least"] == q["least"], (n, c, q)  # without a horizon the model's lower bound stops after some steps
    tra = open("out/%s.tra" % n).read().split("\n")
    assert int(tra[0].split()[0]) == c["states"] and re.match(r"\d+ \d+ \[", tra[1]), tra[:2]
PY
# runs that end are in no such format, and it is said
check --max-new 5 --export cut --prop quiet >cut.txt || true
grep -q "not written: the formats hold endless runs" cut.txt || fail "$(cat cut.txt)"
[ -z "$(ls cut)" ] || fail "something was written"
printf 'HOA: v1\nStates: 1\nStart: 0\nAP: 1 "Digit"\nAcceptance: 1 Inf(0)\n--BODY--\nState: 0 {0}\n[t] 0\n--END--\n' >b.hoa
assay --quiet check --automaton b.hoa --spec r.spec --prop comes --export cut >b.txt || [ $? = 1 ] || fail "Büchi machine"
grep -q "not written: the formats hold endless runs that are all accepted" b.txt || fail "$(cat b.txt)"
echo "export: all passed"
