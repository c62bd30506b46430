#!/usr/bin/env bash
# NuSMV checks every machine and property that Assay writes in SMV, and says what Assay says.
set -euo pipefail
skip() { echo "SKIPPED: $1; NuSMV was NOT compared with Assay"; exit 77; }
command -v "${ASSAY_NUSMV:-NuSMV}" >/dev/null || skip "NuSMV is not installed (or name a program that takes its files by ASSAY_NUSMV)"
command -v python3 >/dev/null || skip "python3 is not installed"
[ -x "$ASSAY_BIN/assay" ] || skip "$ASSAY_BIN/assay is not built"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export PYTHONDONTWRITEBYTECODE=1
python3 "$ASSAY_SOURCE/tests/peer/model_checkers.py" "$ASSAY_BIN/assay" "$dir" nusmv ${MACHINES:-}
# The exact machine of a model under safety and liveness properties.
cd "$dir"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" .
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
SPEC
echo '{"tokens":[[3,4],[12,13,14],[20]]}' >p.json
"$ASSAY_BIN/assay" --quiet --json check --model model --sae T=sae --spec t.spec --prompts p.json --decoder min-p:0.9 --export out >t.json || true
for name in quiet digits letters comes seen off; do
  timeout 300 "${ASSAY_NUSMV:-NuSMV}" "out/$name.smv" >"$name.said" 2>&1 || { cat "$name.said"; echo "FAILED: NuSMV on the exact machine under $name"; exit 1; }
done
python3 - <<'PY'
import json, re
for p in json.load(open("t.json"))["properties"]:
    said = re.findall(r"-- (?:specification|invariant) .* is (true|false)", open(p["name"] + ".said").read())
    wanted = open("out/%s.smv" % p["name"]).read().count("SPEC ")
    want = (p["verdict"] == "holds") == (p["claim"] == "all")  # of `some`, what is written is the opposite
    if p["verdict"] == "unknown" or len(said) != wanted or set(said) != {str(want).lower()}:
        raise SystemExit("FAILED: %s: Assay says %s, NuSMV %s" % (p["name"], p["verdict"], said))
print("nusmv: the exact machine of a model, 6 properties, the same verdicts")
PY
