#!/usr/bin/env bash
# The most that a probe says of any context, before and behind an eraser: no replayed context outside, the certificate accepted by assay-check alone, and every smaller number refused.
set -euo pipefail
. "$ASSAY_SOURCE/tests/support/cli.sh"
checker=$ASSAY_BIN/assay-check
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir" 8 120
expect 0 "$assay" --quiet erase --model "$dir/model" --text "$dir/text" --max-tokens 1500 --concept digit --out "$dir/e"
worst() { "$assay" --quiet --json erase worst --model "$dir/model" "$@"; }
expect 0 worst --probe "before=$dir/e/probe.json" --probe "behind=$dir/e/probe_erased.json" --nodes 4 --out "$dir/w"
cp "$dir/out" "$dir/worst"
check=("$checker" "$dir/w/worst.cert" --model "$dir/model" --request "$dir/w/worst.cert.request" --readout "before=$dir/e/probe.json" --readout "behind=$dir/e/probe_erased.json")
expect 0 "${check[@]}"
printf '[11,2,3,14,5]\n[7]\n[1,1,1,1,1,1,1,1,1]\n[40,39,38,2,3]\n' >"$dir/tokens"
expect 0 "$assay" --quiet run --model "$dir/model" --tokens "$dir/tokens" --out "$dir/x" --hook blocks.0.hook_resid_mid
python3 - "$dir" <<'P'
import json, math, struct, sys
d = sys.argv[1]
got = {r["probe"]: r for r in json.load(open(d + "/worst"))["readings"]}
raw = open(d + "/x", "rb").read(); n = struct.unpack("<Q", raw[:8])[0]; head = json.loads(raw[8:8 + n])
name = [k for k in head if "resid_mid" in k]
num = lambda v: float.fromhex(v) if isinstance(v, str) else v
for probe, file in (("before", "probe"), ("behind", "probe_erased")):
    r, p = got[probe], json.load(open(d + "/e/%s.json" % file)); w = [num(v) for v in p["weights"]]
    assert r["level"] == "PROVED" and r["lo"] <= r["attainedLo"] <= r["attainedHi"] <= r["hi"], r
    for k in name:
        a, b = head[k]["data_offsets"]; f = "f" if head[k]["dtype"] == "F32" else "d"; size = 4 if f == "f" else 8
        x = struct.unpack("<%d%s" % ((b - a) // size, f), raw[8 + n + a:8 + n + b])
        for i in range(0, len(x), len(w)):
            if any(x[i:i + len(w)]):
                v = sum(p * q for p, q in zip(w, x[i:i + len(w)])) + num(p["bias"])
                assert r["lo"] - 1e-6 <= v <= r["hi"] + 1e-6, (probe, v, r)
assert got["behind"]["hi"] - got["behind"]["lo"] < got["before"]["hi"] - got["before"]["lo"]
P
# A claim of less than what is shown: the request's numbers are the claim.
cp -r "$dir/w" "$dir/bad"
python3 - "$dir/bad" <<'P'
import hashlib, re, sys
d = sys.argv[1]
t = open(d + "/worst.cert.request").read(); lines = t.split("\n")
for i, l in enumerate(lines):
    m = re.search(r"(at-most|hi|to) (-?0x\S+)", l)
    if m:
        v = float.fromhex(m[2]); lines[i] = l.replace(m[2], (v - 1 - abs(v) / 2).hex()); break
else:
    m = None
    for i, l in enumerate(lines):
        w = l.split(" ")
        if l.startswith("bound "):
            v = float.fromhex(w[-1]); w[-1] = (v - 1 - abs(v) / 2).hex(); lines[i] = " ".join(w); break
new = "\n".join(lines); assert new != t
open(d + "/worst.cert.request", "w").write(new)
c = open(d + "/worst.cert").read().replace(hashlib.sha256(t.encode()).hexdigest(), hashlib.sha256(new.encode()).hexdigest())
open(d + "/worst.cert", "w").write(c)
P
expect 1 "$checker" "$dir/bad/worst.cert" --model "$dir/model" --request "$dir/bad/worst.cert.request" --readout "before=$dir/e/probe.json" --readout "behind=$dir/e/probe_erased.json"
expect 1 "$checker" "$dir/w/worst.cert" --model "$dir/model" --request "$dir/w/worst.cert.request" --readout "before=$dir/e/probe_erased.json" --readout "behind=$dir/e/probe.json"
expect 2 worst --probe "$dir/e/probe.json" --out "$dir/none"
[ ! -e "$dir/none" ] || fail "a refused command wrote something"
