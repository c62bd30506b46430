#!/usr/bin/env bash
# assay bound --site: models of any depth, read at a normalised site.
set -euo pipefail
. "$ASSAY_SOURCE/tests/support/cli.sh"

python3 "$ASSAY_SOURCE/tests/cli/site_models.py" "$dir"

# Without --site a deeper model is refused, and the message names what there is instead.
expect 9 "$assay" bound --model "$dir/LN" --logit "#1" --suffix-ids 1
says n_layers
says "assay bound --site"

for norm in LN LNPre RMS RMSPre; do
  expect 0 "$assay" --json bound --model "$dir/$norm" --site ln_final --logit "#3" --minus "#7" --quiet
  cp "$dir/out" "$dir/bound.json"
  expect 0 "$assay" --json bound --model "$dir/$norm" --site ln_final --never-argmax --quiet
  cp "$dir/out" "$dir/never.json"
  # Another program recomputes both from the file: real inputs inside, every mixture below.
  python3 - "$dir/$norm" "$dir/bound.json" "$dir/never.json" "$norm" << 'PY'
import json, math, random, struct, sys
from fractions import Fraction
raw = open(sys.argv[1] + "/model.safetensors", "rb").read()
n = struct.unpack("<Q", raw[:8])[0]
head, data = json.loads(raw[8:8 + n]), raw[8 + n:]
def read(name):
    lo, hi = head[name]["data_offsets"]
    return struct.unpack("<%df" % ((hi - lo) // 4), data[lo:hi])
d, V, norm = 8, 20, sys.argv[4]
w = read("ln_final.w") if "ln_final.w" in head else (1.0,) * d
b = read("ln_final.b") if "ln_final.b" in head else (0.0,) * d
W, bU = read("unembed.W_U"), read("unembed.b_U")
rng = random.Random(1)
def logits(y):
    mean = sum(y) / d if norm.startswith("LN") else 0
    y = [x - mean for x in y]
    scale = math.sqrt(sum(x * x for x in y) / d + 1e-5)
    x = [a / scale * w[i] + b[i] for i, a in enumerate(y)]
    return [bU[t] + sum(x[i] * W[i * V + t] for i in range(d)) for t in range(V)]
o, never = json.load(open(sys.argv[2])), json.load(open(sys.argv[3]))
assert o["level"] == "PROVED" and o["semantics"] == "REAL" and o["n_layers"] == 4, o
assert "embed.W_E" in o["ignored"] and "unembed.W_U" not in o["ignored"], o
proved = {e["token"] for e in never["never_argmax"]}
assert 19 in proved and never["proved"] + never["not_shown"] == never["searched"] == V, never
inputs = [[rng.gauss(0, 1) for _ in range(d)] for _ in range(3000)]
inputs += [[s * 1e4 * w[i] * (W[i * V + 3] - W[i * V + 7]) for i in range(d)] for s in (1, -1)]
inputs += [[1e4 * w[i] * W[i * V + t] for i in range(d)] for t in range(V)]
most, least = -math.inf, math.inf
for y in inputs:
    l = logits(y)
    most, least = max(most, l[3] - l[7]), min(least, l[3] - l[7])
    assert max(range(V), key=lambda t: l[t]) not in proved
assert o["lo"] <= least and most <= o["hi"], (o, least, most)
assert o["hi"] - most < 1e-6 and least - o["lo"] < 1e-6, (o, least, most)
# Exactly: gap < 0 and gap^2 >= d |h|^2 for each mixture.
for e in never["never_argmax"]:
    assert e["margin"] > 0 and sum(p for _, p in e["mixture"]) == never["parts"] == 2**40
    assert all(t != e["token"] and p > 0 for t, p in e["mixture"])
    mix = [(t, Fraction(p, 2**40)) for t, p in e["mixture"]]
    g = [Fraction(W[i * V + e["token"]]) - sum(p * Fraction(W[i * V + t]) for t, p in mix) for i in range(d)]
    gap = Fraction(bU[e["token"]]) - sum(p * Fraction(bU[t]) for t, p in mix) + sum(x * Fraction(y) for x, y in zip(g, b))
    h = [x * Fraction(y) for x, y in zip(g, w)]
    mean = sum(h) / d if norm.startswith("LN") else 0
    left = -gap - Fraction(e["margin"])
    assert left >= 0 and left ** 2 >= d * sum((x - mean) ** 2 for x in h), e
PY
done

# Certificates of all three forms, and rejected beside another model or when a claim is tightened.
check=$ASSAY_BIN/assay-check
certified() { # model arguments… : writes $dir/cert and checks it
  local model=$1
  shift
  expect 0 "$assay" --json bound --model "$dir/$model" --certificate "$dir/cert" --quiet "$@"
  cp "$dir/out" "$dir/bound.json"
  expect 0 "$check" "$dir/cert" --model "$dir/$model" --request "$dir/cert.request" --readout "R1=$dir/flat.json"
}
for norm in LN LNPre RMS RMSPre; do
  certified $norm --site ln_final --logit "#3" --minus "#7"
  grep -q "ACCEPT bound PROVED logit-difference 3 7 lies in .* for every input, read from ln_final" "$dir/out" || fail "the bound of $norm"
  sed 's/ hi 0x1/ hi 0x0/' "$dir/cert.request" > "$dir/tight.request"
  sed "s/^statement .*/statement $(sha256sum < "$dir/tight.request" | cut -d' ' -f1)/" "$dir/cert" > "$dir/tight"
  expect 1 "$check" "$dir/tight" --model "$dir/$norm" --request "$dir/tight.request"
  grep -q "the bound is not shown" "$dir/out" || fail "the tightened bound"
  certified $norm --site ln_final --never-argmax
  grep -q "ACCEPT never_19 PROVED token 19 has the largest logit for no input" "$dir/out" || fail "never argmax of $norm"
  other=$([ $norm = LN ] && echo RMS || echo LN)
  expect 1 "$check" "$dir/cert" --model "$dir/$other" --request "$dir/cert.request"
done
certified LN --site ln_final --probe "$dir/flat.json"
grep -q "ACCEPT nullified PROVED readout R1 is one number to within" "$dir/out" || fail "nullified"
expect 1 "$check" "$dir/cert" --model "$dir/LN" --request "$dir/cert.request" --readout "R1=$dir/block.json"

# Every context of a whole two-layer model, by another forward pass: nothing leaves what is accepted.
for norm in LN LNPre RMS RMSPre; do
  certified whole-$norm --site ln_final --never-argmax
  cp "$dir/bound.json" "$dir/never.json"
  certified whole-$norm --site ln_final --logit "#0" --minus "#2"
  python3 - "$dir/whole-$norm" "$dir/bound.json" "$dir/never.json" "$norm" << 'PY'
import itertools, json, math, struct, sys
raw = open(sys.argv[1] + "/model.safetensors", "rb").read()
n = struct.unpack("<Q", raw[:8])[0]
head, data = json.loads(raw[8:8 + n]), raw[8 + n:]
norm, d, e = sys.argv[4], 8, 4
def read(name):
    lo, hi = head[name]["data_offsets"]
    return struct.unpack("<%df" % ((hi - lo) // 4), data[lo:hi])
W = {name: read(name) for name in head if name != "__metadata__"}
times = lambda x, name, width: [sum(x[i] * W[name][i * width + j] for i in range(len(x))) for j in range(width)]
def ln(y, name):
    mean = sum(y) / d if norm.startswith("LN") else 0
    y = [v - mean for v in y]
    s = math.sqrt(sum(v * v for v in y) / d + 1e-5)
    w, b = W.get(name + ".w", (1,) * d), W.get(name + ".b", (0,) * d)
    return [v / s * w[i] + b[i] for i, v in enumerate(y)]
def logits(context):
    r = [[W["embed.W_E"][t * d + i] + W["pos_embed.W_pos"][p * d + i] for i in range(d)] for p, t in enumerate(context)]
    for block in ("blocks.0.", "blocks.1."):
        x = [ln(v, block + "ln1") for v in r]
        q, k, v = ([times(u, block + "attn.W_" + c, e) for u in x] for c in "QKV")
        for p in range(len(r)):
            a = [math.exp(sum(q[p][i] * k[j][i] for i in range(e)) / math.sqrt(e)) for j in range(p + 1)]
            z = [sum(a[j] * v[j][i] for j in range(p + 1)) / sum(a) for i in range(e)]
            r[p] = [s + t for s, t in zip(r[p], times(z, block + "attn.W_O", d))]
        for p in range(len(r)):
            h = [max(t, 0) for t in times(ln(r[p], block + "ln2"), block + "mlp.W_in", 4)]
            r[p] = [s + t for s, t in zip(r[p], times(h, block + "mlp.W_out", d))]
    return [s + t for s, t in zip(times(ln(r[-1], "ln_final"), "unembed.W_U", 5), W["unembed.b_U"])]
bound, never = (json.load(open(name)) for name in sys.argv[2:4])
out = {e["token"] for e in never["never_argmax"]}
assert out == {4}, never
for length in range(1, 5):
    for context in itertools.product(range(5), repeat=length):
        l = logits(context)
        assert bound["lo"] <= l[0] - l[2] <= bound["hi"], (context, l, bound)
        assert l[4] < max(l[:4]), (context, l)
PY
done

# One token; the table; a nullified readout; a site inside a block.
expect 0 "$assay" bound --model "$dir/LN" --site ln_final --never-argmax --logit "#19" --quiet
grep -q "1 of 1 tokens are argmax for no input: PROVED" "$dir/out" || fail "token 19"
expect 0 "$assay" --json bound --model "$dir/LN" --site ln_final --probe "$dir/flat.json" --quiet
grep -q '"nullified": *true' "$dir/out" || fail "the flat readout is not nullified"
expect 0 "$assay" bound --model "$dir/LN" --site blocks.2.ln2 --probe "$dir/block.json" --quiet
grep -q "PROVED" "$dir/out" && grep -q "not within" "$dir/out" || fail "a site inside a block"
expect 0 "$assay" bound --model "$dir/unread-nan" --site ln_final --logit "#1" --quiet

# Bad input is refused by file, key, expected, found.
expect 9 "$assay" bound --model "$dir/LN" --site ln_final --logit "#20"
says "token id below 20"
expect 9 "$assay" bound --model "$dir/LN" --site blocks.4.ln1 --probe "$dir/block.json"
says "site: expected ln_final"
expect 9 "$assay" bound --model "$dir/LN" --site blocks.2.ln2 --logit "#1"
says "ln_final, which the logits read"
expect 9 "$assay" bound --model "$dir/LN" --site ln_final --probe "$dir/elsewhere.json"
says "hook: expected ln_final"
expect 9 "$assay" bound --model "$dir/none" --site ln_final --logit "#1"
says "normalization_type: expected"
expect 9 "$assay" bound --model "$dir/shape" --site ln_final --logit "#1"
says "unembed.W_U: expected shape \[8,20\], found \[20,8\]"
expect 9 "$assay" bound --model "$dir/nan" --site ln_final --logit "#1"
says "ln_final.w element 0: expected a finite number, found NaN"
expect 9 "$assay" bound --model "$dir/missing" --site ln_final --logit "#1"
says "ln_final.b: expected a float tensor \[8\], found none"
expect 9 "$assay" bound --model "$dir/surplus" --site ln_final --logit "#1"
says "ln_final.w: expected no such tensor"
expect 9 "$assay" bound --model "$dir/cap" --site ln_final --logit "#1"
says output_logits_soft_cap
expect 9 "$assay" bound --model "$dir/shards" --site ln_final --logit "#1"
says "merge them first"
expect 2 "$assay" bound --model "$dir/LN" --site ln_final
expect 9 "$assay" bound --model "$dir/LN" --site ln_final --logit "#1" --minus "#1"
says "minus: expected another token"
expect 2 "$assay" bound --model "$dir/LN" --site ln_final --logit "#1" --minus any
expect 2 "$assay" bound --model "$dir/LN" --site ln_final --logit "#1" --suffix-ids 1
expect 2 "$assay" bound --model "$dir/LN" --site ln_final --never-argmax --probe "$dir/flat.json"
expect 2 "$assay" bound --model "$dir/LN" --site ln_final --logit "#1" --nodes 5
expect 2 "$assay" bound --model "$dir/LN" --site ln_final --logit "#0000000001"
expect 2 "$assay" bound --model "$dir/LN" --never-argmax
expect 9 "$assay" bound --model "$dir/LN" --site "" --logit "#1"
says "site: expected ln_final"
echo "bound --site: ok"
