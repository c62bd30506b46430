#!/usr/bin/env bash
# assay prove -> assay-check, on a tiny random model: accepted as written, rejected once altered.
set -euo pipefail
command -v python3 > /dev/null || { echo "SKIPPED: python3 is not installed; assay prove was NOT tested end to end"; exit 77; }
assay=$ASSAY_BIN/assay
check=$ASSAY_BIN/assay-check
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
expect() { # expected-code command…
  local want=$1 got=0
  shift
  "$@" > "$dir/out" 2> "$dir/err" || got=$?
  [ "$got" = "$want" ] || { cat "$dir/out" "$dir/err" >&2; fail "exit $got, expected $want: $*"; }
}

python3 - "$dir" << 'PY'
import json, math, os, random, struct, sys
random.seed(7)
V, d, H, dh, f, w, m = 7, 8, 2, 4, 12, 5, 4
def tensor(shape, size):
    return shape, [random.gauss(0, size) for _ in range(math.prod(shape))]
def write(path, tensors):
    header, data = {}, b""
    for name in sorted(tensors):
        shape, values = tensors[name]
        raw = struct.pack("<%df" % len(values), *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)
root = sys.argv[1]
os.makedirs(root + "/model")
json.dump({"n_layers": 1, "d_model": d, "n_ctx": 32, "d_head": dh, "n_heads": H, "d_mlp": f, "d_vocab": V,
           "d_vocab_out": V, "act_fn": "relu", "normalization_type": None, "attn_only": False,
           "positional_embedding_type": "relative_bias", "attention_window": w, "relative_bias": True},
          open(root + "/model/config.json", "w"))
json.dump({"type": "char", "vocab": ["a", "b", "c", "<", "/", ">", "?"], "unknown": 6},
          open(root + "/model/tokenizer.json", "w"))
b = "blocks.0."
bU = tensor([V], 0.3)
bU[1][5] = -40.0
write(root + "/model/model.safetensors", {
    "embed.W_E": tensor([V, d], 0.7), b + "attn.W_Q": tensor([H, d, dh], 0.5), b + "attn.W_K": tensor([H, d, dh], 0.5),
    b + "attn.W_V": tensor([H, d, dh], 0.5), b + "attn.W_O": tensor([H, dh, d], 0.5), b + "attn.b_Q": tensor([H, dh], 0.2),
    b + "attn.b_K": tensor([H, dh], 0.2), b + "attn.b_V": tensor([H, dh], 0.2), b + "attn.b_O": tensor([d], 0.2),
    b + "attn.rel_bias": tensor([H, w], 0.6), b + "mlp.W_in": tensor([d, f], 0.4), b + "mlp.b_in": tensor([f], 0.2),
    b + "mlp.W_out": tensor([f, d], 0.4), b + "mlp.b_out": tensor([d], 0.2), "unembed.W_U": tensor([d, V], 0.4),
    "unembed.b_U": bU})
for name, hook, width, out in (("sae", "mlp.hook_post", f, None), ("transcoder", "hook_resid_mid", d, "hook_mlp_out")):
    os.makedirs(root + "/" + name)
    cfg = {"architecture": "jumprelu" if out is None else "jumprelu_transcoder", "d_in": width, "d_sae": m, "dtype": "float32",
           "apply_b_dec_to_input": out is None,
           "metadata": {"sae_lens_version": "6.0.0", "hook_name": b + hook}}
    if out is not None:
        cfg["d_out"] = d
        cfg["metadata"]["hook_name_out"] = b + out
    json.dump(cfg, open(root + "/" + name + "/cfg.json", "w"))
    b_enc = tensor([m], 0.3)
    b_enc[1][0], b_enc[1][1] = -30.0, 30.0
    write(root + "/" + name + "/sae_weights.safetensors", {
        "W_enc": tensor([width, m], 0.5), "b_enc": b_enc, "W_dec": tensor([m, d if out else width], 0.5),
        "b_dec": tensor([d if out else width], 0.2), "threshold": ([m], [0.125] * m)})
text = "".join(random.choice(["a<b>", "</a>", "c", "ab/", "b>", "<c>"]) for _ in range(4000))
os.makedirs(root + "/text")
for i in range(12):
    open(root + "/text/%d.txt" % i, "w").write(text[i * 900:(i + 1) * 900])
PY

request() { printf 'assay-request 1\n'; printf '%s\n' "$@"; printf 'end\n'; }
decoder='decoder min-p 1/10 temperature 3/2 order before'

request "$decoder" 'feature-off off 0 suffix 0 3' 'token-out never 5 suffix 0 3' 'token-out again 5 suffix 4' > "$dir/good"
for sae in sae transcoder; do
  expect 0 "$assay" --json prove --model "$dir/model" --sae "$dir/$sae" --request "$dir/good" --out "$dir/cert.$sae" --text "$dir/text"
  grep -q '"status": "HOLDS"' "$dir/out" || fail "no HOLDS in the result"
  expect 0 "$check" "$dir/cert.$sae" --model "$dir/model" --sae "$dir/$sae" --request "$dir/good"
  [ "$(grep -c '^ACCEPT' "$dir/out")" = 3 ] || fail "three claims are accepted"
  expect 0 "$assay" prove --model "$dir/model" --sae "$dir/$sae" --request "$dir/good" --out "$dir/again" --text "$dir/text"
  cmp "$dir/cert.$sae" "$dir/again" || fail "the certificate's bytes differ on re-run"
done

# Corrupted proofs are rejected: each head's number lowered, a digest changed, a step dropped.
python3 - "$dir/cert.sae" "$dir" << 'PY'
import sys
lines = open(sys.argv[1]).read().split("\n")
def lower(word):
    return float.hex(float.fromhex(word) - 2**-20)
def emit(name, changed):
    open(sys.argv[2] + "/bad." + name, "w").write("\n".join(changed))
def edit(name, rule, position):
    at = [i for i, l in enumerate(lines) if " " + rule + " " in l][0]
    words = lines[at].split(" ")
    words[position] = lower(words[position])
    emit(name, lines[:at] + [" ".join(words)] + lines[at + 1:])
edit("range", "NEURON-RANGE", 5)
edit("feature", "FEATURE-OFF-MLP", -1)
edit("token", "TOKEN-OUT", -1)
at = [i for i, l in enumerate(lines) if l.startswith("statement ")][0]
flipped = lines[at][:-1] + ("0" if lines[at][-1] != "0" else "1")
emit("statement", lines[:at] + [flipped] + lines[at + 1:])
at = [i for i, l in enumerate(lines) if " NEURON-RANGE " in l][3]
emit("dropped", lines[:at] + lines[at + 1:])
PY
for bad in "$dir"/bad.*; do
  expect 1 "$check" "$bad" --model "$dir/model" --sae "$dir/sae" --request "$dir/good"
done

# Exit 0 beside a certificate means accepted, so --help and --version stand alone.
cp "$dir/bad.token" "$dir/--version"
for word in --help --version; do
  expect 0 "$check" "$word"
  expect 2 "$check" "$dir/bad.token" --model "$dir/model" --sae "$dir/sae" --request "$dir/good" "$word"
done
(cd "$dir" && expect 2 "$check" --version --model model --sae sae --request good)

# One claim that does not hold: exit 1, the context shown, a reduced request beside the certificate.
request "$decoder" 'feature-off off 0 suffix 0 3' 'feature-off on 1 suffix 0 3' > "$dir/mixed"
expect 1 "$assay" prove --model "$dir/model" --sae "$dir/sae" --request "$dir/mixed" --out "$dir/cert" --result "$dir/result"
grep -q VIOLATED "$dir/out" || fail "VIOLATED is not shown"
expect 1 "$check" "$dir/cert" --model "$dir/model" --sae "$dir/sae" --request "$dir/mixed"
expect 0 "$check" "$dir/cert" --model "$dir/model" --sae "$dir/sae" --request "$dir/cert.request"
python3 -c 'import json,sys; r=json.load(open(sys.argv[1])); assert [c["status"] for c in r["claims"]]==["HOLDS","VIOLATED"] and r["claims"][1]["context"]' "$dir/result"

# Proposals are provable and the same on re-run.
for out in one two; do
  expect 0 "$assay" prove --suggest 2 --known 2 --model "$dir/model" --sae "$dir/sae" --text "$dir/text" --min-p 1/20 --out "$dir/$out"
done
cmp "$dir/one" "$dir/two" || fail "proposals differ on re-run"
expect 0 "$assay" prove --model "$dir/model" --sae "$dir/sae" --request "$dir/one" --out "$dir/cert" --text "$dir/text"
expect 0 "$check" "$dir/cert" --model "$dir/model" --sae "$dir/sae" --request "$dir/one"

# Bad input has its code and writes nothing.
rm -f "$dir/cert"
request 'feature-off a 9 suffix 0' > "$dir/bad-request"
expect 9 "$assay" prove --model "$dir/model" --sae "$dir/sae" --request "$dir/bad-request" --out "$dir/cert"
request 'feature-off a 0 suffix 0' > "$dir/needs-sae"
expect 2 "$assay" prove --model "$dir/model" --request "$dir/needs-sae" --out "$dir/cert"
[ ! -e "$dir/cert" ] || fail "a certificate was written for bad input"
echo "prove: ok"
