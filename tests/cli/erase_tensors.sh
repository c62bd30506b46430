#!/usr/bin/env bash
# `assay erase fit`, `apply` and `certify` end to end on activations in files: the eraser, the float32 outputs re-computed
# by another program, the certificate re-checked, JSON, and every kind of refusal with its exit code.
set -euo pipefail
if ! command -v python3 >/dev/null; then
  echo "SKIPPED: python3 is needed to write the activations"
  exit 77
fi
for program in assay assay-check; do
  if [ ! -x "$ASSAY_BIN/$program" ]; then
    echo "SKIPPED: $ASSAY_BIN/$program is not built"
    exit 77
  fi
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tables() { python3 "$ASSAY_SOURCE/tests/cli/erase_tables.py" "$@"; }
tables make "$dir"
assay=("$ASSAY_BIN/assay" --quiet erase)

expect() { # CODE COMMAND…
  local want=$1 got=0
  shift
  "$@" >"$dir/stdout" 2>"$dir/stderr" || got=$?
  if [ "$got" -ne "$want" ]; then
    echo "expected exit $want, got $got: $*"
    cat "$dir/stdout" "$dir/stderr"
    exit 1
  fi
}
says() { grep -q "$1" "$dir/stdout" "$dir/stderr" || { echo "not said: $1"; cat "$dir/stdout" "$dir/stderr"; exit 1; }; }
check() { # CODE CERT_DIR ERASER FILE…
  local want=$1 cert=$2 eraser=$3
  shift 3
  local data=()
  for file in "$@"; do data+=(--data "$file"); done
  expect "$want" "$ASSAY_BIN/assay-check" "$cert/erasure.cert" --eraser "$eraser" --request "$cert/erasure.request" "${data[@]}"
}

for command in fit apply certify extent moments; do
  expect 0 "${assay[@]}" "$command" --help
  says activations
done

# One label beside the rows.
fit=("${assay[@]}" fit --activations "$dir/fit.safetensors")
expect 0 "${fit[@]}" --out "$dir/e"
says 'rank 1 of 6 dimensions at ln.out, from 1500 rows'
expect 0 "${fit[@]}" --out "$dir/e2"
diff -r "$dir/e" "$dir/e2"
expect 0 "${assay[@]}" apply --eraser "$dir/e" --activations "$dir/new.safetensors" --out "$dir/y.safetensors"
tables recompute "$dir/e" "$dir/new.safetensors" "$dir/y.safetensors"
expect 0 "${assay[@]}" certify --eraser "$dir/e" --activations "$dir/new.safetensors" --out "$dir/c"
says 'other-rows: no affine predictor'
check 0 "$dir/c" "$dir/e" "$dir/new.safetensors"
says '^ACCEPT other-rows OBSERVED no affine predictor of z'
check 1 "$dir/c" "$dir/e" "$dir/fit.safetensors"
expect 0 "${assay[@]}" certify --eraser "$dir/e" --activations "$dir/fit.safetensors" --out "$dir/cf"
says 'these are rows the eraser was FITTED on'
check 0 "$dir/cf" "$dir/e" "$dir/fit.safetensors"
says 'rows of the fit'
# A smaller bound, consistently in request and certificate: only the arithmetic can tell.
tables forge "$dir/c" "$dir/forged"
check 1 "$dir/forged" "$dir/e" "$dir/new.safetensors"
says 'not shown positive definite'

# Three classes, one-hot in a file of their own; the fit in two parts gives the same bytes.
hot=(--activations "$dir/hot_x.safetensors" --labels "$dir/hot_z.safetensors")
expect 0 "${assay[@]}" fit "${hot[@]}" --out "$dir/h"
says 'rank 2 of 6'
expect 0 "${assay[@]}" fit --activations "$dir/hot_x1.safetensors" --activations "$dir/hot_x2.safetensors" \
  --labels "$dir/hot_z1.safetensors" --labels "$dir/hot_z2.safetensors" --out "$dir/h2"
cmp "$dir/h/eraser.safetensors" "$dir/h2/eraser.safetensors"
expect 0 "$ASSAY_BIN/assay" --quiet --json erase certify --eraser "$dir/h" "${hot[@]}" --out "$dir/ch"
python3 - "$dir/stdout" "$dir/ch/claims.json" <<'PY'
import json, sys
got, claims = (json.load(open(p)) for p in sys.argv[1:])
assert got["exitCode"] == 0 and got["level"] == "OBSERVED", got
assert got["claims"] == claims["claims"] and got["notClaimed"] == claims["notClaimed"]
claim = claims["claims"][0]
assert claim["rowsOfTheFit"] and claim["labels"] == 3 and sum(claim["positive"]) == claim["n"], claim
assert 0 < claim["maxR2"] < 2 * claim["noiseFloor"], claim
assert any("AUC" in line for line in claims["notClaimed"])
PY
check 0 "$dir/ch" "$dir/h" "$dir/hot_x.safetensors" "$dir/hot_z.safetensors"
says 'any combination of the labels z'
check 1 "$dir/ch" "$dir/h" "$dir/hot_x.safetensors"
# Parts summed apart and merged: the bytes of one pass, rows file and all.
for part in 1 2; do
  expect 0 "${assay[@]}" extent --activations "$dir/hot_x$part.safetensors" --labels "$dir/hot_z$part.safetensors" --out "$dir/part$part.extent"
done
for part in 1 2; do
  expect 0 "${assay[@]}" moments --activations "$dir/hot_x$part.safetensors" --labels "$dir/hot_z$part.safetensors" \
    --extent "$dir/part1.extent" --extent "$dir/part2.extent" --out "$dir/part$part.moments"
done
expect 0 "${assay[@]}" merge --moments "$dir/part1.moments" --moments "$dir/part2.moments" --out "$dir/all.moments"
says 'moments of 1200 rows of 6 columns'
expect 0 "${assay[@]}" fit --moments "$dir/all.moments" --out "$dir/hm"
diff -r "$dir/h2" "$dir/hm"
expect 0 "${assay[@]}" fit --moments "$dir/part1.moments" --moments "$dir/part2.moments" --out "$dir/hm2"
diff -r "$dir/h2" "$dir/hm2"
expect 0 "${assay[@]}" extent --extent "$dir/part1.extent" --extent "$dir/part2.extent" --out "$dir/both.extent"
expect 0 "${assay[@]}" moments "${hot[@]}" --extent "$dir/both.extent" --out "$dir/whole.moments"
expect 0 "${assay[@]}" fit --moments "$dir/whole.moments" --out "$dir/hm3"
diff -r "$dir/h" "$dir/hm3"
expect 9 "${assay[@]}" merge --moments "$dir/part1.moments" --moments "$dir/part1.moments" --out "$dir/none"
says 'the same rows again'
expect 9 "${assay[@]}" moments "${hot[@]}" --extent "$dir/part2.extent" --out "$dir/none"
says 'within the stated extent'
expect 0 "${assay[@]}" moments --activations "$dir/hot_x2.safetensors" --labels "$dir/hot_z2.safetensors" --extent "$dir/part2.extent" --out "$dir/other.moments"
expect 9 "${assay[@]}" merge --moments "$dir/part1.moments" --moments "$dir/other.moments" --out "$dir/none"
says 'one of all rows, given to every part'
expect 9 "${assay[@]}" fit --moments "$dir/hot_x.safetensors" --out "$dir/none"
expect 9 "${assay[@]}" moments --activations "$dir/wide.safetensors" --extent "$dir/both.extent" --out "$dir/none"
expect 2 "${assay[@]}" fit --moments "$dir/all.moments" --activations "$dir/hot_x.safetensors" --out "$dir/none"
expect 2 "${assay[@]}" fit --moments "$dir/all.moments" --method splince --keep "$dir/keep.safetensors" --out "$dir/none"
expect 2 "${assay[@]}" extent --out "$dir/none"

# The rows of a fit in another number format, another order and another file are rows of the fit still.
tables again "$dir/fit.safetensors" "$dir/again.safetensors"
expect 0 "${assay[@]}" certify --eraser "$dir/e" --activations "$dir/again.safetensors" --out "$dir/cagain"
says 'these are rows the eraser was FITTED on'
check 0 "$dir/cagain" "$dir/e" "$dir/again.safetensors"
says 'rows of the fit'
expect 3 "${assay[@]}" certify --eraser "$dir/e" --activations "$dir/again.safetensors" --alpha 1/100 --ledger "$dir/none" --ledger-total 1/2 --independent-rows --out "$dir/none"
says 'the eraser was fitted on these rows'

# What a predictor gains: every loss that fits the labels, each with its own line of the certificate.
python3 - "$dir/c/claims.json" "$dir/ch/claims.json" <<'PY'
import json, sys
one, three = ({c["claim"]: c for c in json.load(open(p))["claims"]} for p in sys.argv[1:])
assert {"gain-log-norm", "gain-log-spread", "gain-log-ridge", "gain-hinge-norm", "gain-square-free"} <= set(one), one.keys()
assert {"gain-softmax-norm", "gain-softmax-spread"} <= set(three) and "gain-log-norm" not in three
assert all(c["level"] == ("PROVED" if c["rule"] == "OPERATOR" else "OBSERVED") for c in [*one.values(), *three.values()])
PY

# The population: an alpha, a ledger that is charged first, and rows that are used once.
population=("${assay[@]}" certify --eraser "$dir/e" --activations "$dir/drawn.safetensors" --alpha 1/100 --ledger "$dir/ledger")
expect 2 "${population[@]}" --independent-rows --out "$dir/none" # a new ledger needs a total
expect 3 "${population[@]}" --ledger-total 1/60 --out "$dir/none"
says 'nothing says what was drawn independently'
expect 0 "${population[@]}" --ledger-total 1/60 --independent-rows --symbols 3 --probes "$dir/probes.safetensors" --out "$dir/cp"
says 'covariance-linear <= '
says 'covariance-quadratic <= '
check 0 "$dir/cp" "$dir/e" "$dir/drawn.safetensors" "$dir/probes.safetensors"
says '^ACCEPT covariance-linear STATISTICAL '
says '^ACCEPT mmd STATISTICAL p (1 - p) times the maximum mean discrepancy .* at most '
says '^ACCEPT interface-0 STATISTICAL '
says '^ACCEPT probe-1-0 STATISTICAL '
says '^ACCEPT ledger STATISTICAL '
says 'rules ADVANTAGE CHANGE INTERFACE LEDGER MMD OPERATOR PROBE'
expect 3 "${population[@]}" --independent-rows --out "$dir/none"
says 'calibration rows are used once'
other=("${assay[@]}" certify --eraser "$dir/e" --activations "$dir/new.safetensors" --ledger "$dir/ledger" --independent-rows)
expect 3 "${other[@]}" --alpha 1/100 --out "$dir/none"
says overdrawn
expect 2 "${other[@]}" --alpha 1/200 --label-noise 1/2 --out "$dir/none"
expect 0 "${other[@]}" --alpha 1/200 --label-noise 1/10 --out "$dir/cq"
check 0 "$dir/cq" "$dir/e" "$dir/new.safetensors"
says '^ACCEPT covariance-linear STATISTICAL .*of the true label, of which label 0 is a copy flipped with one probability of at most 1/10'
expect 2 "${assay[@]}" certify --eraser "$dir/e" --activations "$dir/new.safetensors" --label-noise 1/10 --out "$dir/none"
expect 3 "${assay[@]}" certify --eraser "$dir/e" --activations "$dir/fit.safetensors" --alpha 1/1000 --ledger "$dir/ledger" --independent-rows --out "$dir/none"
says 'the eraser was fitted on these rows'
expect 2 "${other[@]}" --out "$dir/none"
expect 2 "${other[@]}" --alpha 3/2 --out "$dir/none"
expect 9 "${assay[@]}" certify --eraser "$dir/e" --activations "$dir/documents.safetensors" --alpha 1/1000 --ledger "$dir/ledger" --symbols 2 --out "$dir/none"
says 'a tensor of integers from 0 to 1'
expect 3 "${assay[@]}" certify --eraser "$dir/e" --activations "$dir/documents.safetensors" --alpha 1/1000 --ledger "$dir/ledger" --independent-rows --out "$dir/none"
says 'rows of one document are not independent'
expect 0 "${assay[@]}" certify --eraser "$dir/e" --activations "$dir/documents.safetensors" --alpha 1/1000 --ledger "$dir/ledger" --out "$dir/cd"
check 0 "$dir/cd" "$dir/e" "$dir/documents.safetensors"
says '120 documents, independent and alike'

# The cost in predictions, and every input of a region.
costs=("${assay[@]}" certify --eraser "$dir/e" --activations "$dir/new.safetensors" --unembedding "$dir/unembedding.safetensors")
expect 2 "${costs[@]}" --region "$dir/region.safetensors" --out "$dir/none"
expect 9 "${costs[@]}" --readouts "$dir/region.safetensors" --region "$dir/region.safetensors" --out "$dir/none"
expect 0 "${costs[@]}" --readouts "$dir/probes.safetensors" --region "$dir/region.safetensors" --out "$dir/cw"
check 0 "$dir/cw" "$dir/e" "$dir/new.safetensors" "$dir/unembedding.safetensors" "$dir/probes.safetensors" "$dir/region.safetensors"
says '^ACCEPT operator PROVED '
says '^ACCEPT worst-1 PROVED .*LayerNorm image'
says '^ACCEPT divergence OBSERVED '

for method in orth mean; do
  expect 0 "${fit[@]}" --method "$method" --out "$dir/$method"
  expect 0 "${assay[@]}" certify --eraser "$dir/$method" --activations "$dir/new.safetensors" --out "$dir/c$method"
  check 0 "$dir/c$method" "$dir/$method" "$dir/new.safetensors"
done
expect 0 "${fit[@]}" --method splince --keep "$dir/keep.safetensors" --out "$dir/splince"

# In the other order the same rows give the same bytes.
expect 0 "${assay[@]}" fit --activations "$dir/hot_x2.safetensors" --activations "$dir/hot_x1.safetensors" \
  --labels "$dir/hot_z2.safetensors" --labels "$dir/hot_z1.safetensors" --out "$dir/h3"
cmp "$dir/h/eraser.safetensors" "$dir/h3/eraser.safetensors"

# One coordinate fewer.
expect 0 "${assay[@]}" apply --eraser "$dir/e" --activations "$dir/new.safetensors" --bottleneck --out "$dir/narrow.safetensors"
tables merged "$dir/y.safetensors" "$dir/narrow.safetensors"

# Erasers that read labels.
for method in oracle quadratic; do
  expect 0 "${fit[@]}" --method "$method" --out "$dir/$method"
  says 'it reads the label'
  expect 0 "${assay[@]}" apply --eraser "$dir/$method" --activations "$dir/new.safetensors" --out "$dir/y$method.safetensors"
  expect 2 "${assay[@]}" certify --eraser "$dir/$method" --activations "$dir/new.safetensors" --out "$dir/none"
  expect 2 "${assay[@]}" apply --eraser "$dir/$method" --activations "$dir/new.safetensors" --bottleneck --out "$dir/none"
done

# Parts by document, and what probes read of the third one.
expect 0 "${assay[@]}" split --activations "$dir/many.safetensors" --out "$dir/parts"
says 'attack  .* documents'
expect 0 "${assay[@]}" fit --activations "$dir/parts/fit.safetensors" --out "$dir/ep"
expect 0 "$ASSAY_BIN/assay" --quiet --json erase attack --eraser "$dir/ep" --activations "$dir/parts/attack.safetensors" --out "$dir/a"
python3 - "$dir/stdout" "$dir/a/attack.json" "$dir/a/attack.svg" <<'PY'
import json, sys, xml.dom.minidom
got, written = (json.load(open(p)) for p in sys.argv[1:3])
assert got["level"] == "OBSERVED" and got["attacks"] == written["attacks"] and not written["rowsOfTheFit"], got
assert len(written["attacks"]) == 10 and written["notClaimed"] and written["testDocuments"] > 3
for a in written["attacks"]:
    for r in (a["before"], a["after"]):
        assert 0 <= r["auc95"][0] <= r["auc95"][1] <= 1, a
logistic = written["attacks"][0]
assert logistic["before"]["auc"] > 0.8 and logistic["after"]["auc"] < 0.75, logistic
xml.dom.minidom.parse(sys.argv[3])
PY
expect 0 "${assay[@]}" attack --eraser "$dir/ep" --activations "$dir/parts/fit.safetensors" --max-rows 300 --out "$dir/af"
says 'FITTED on'
expect 3 "${assay[@]}" attack --eraser "$dir/ep" --activations "$dir/one.safetensors" --out "$dir/none"
expect 9 "${assay[@]}" attack --eraser "$dir/ep" --activations "$dir/wide.safetensors" --out "$dir/none"
expect 2 "${assay[@]}" attack --eraser "$dir/ep" --activations "$dir/new.safetensors" --label 1 --out "$dir/none"
expect 9 "${assay[@]}" split --activations "$dir/fit.safetensors" --out "$dir/none"
says document

# Refusals: a reason, the documented code, and nothing written.
expect 9 "${assay[@]}" fit --activations "$dir/hot_x.safetensors" --labels "$dir/numbers.safetensors" --out "$dir/none"
says one-hot
expect 9 "${assay[@]}" fit --activations "$dir/hot_x.safetensors" --labels "$dir/short.safetensors" --out "$dir/none"
expect 9 "${assay[@]}" fit --activations "$dir/nan.safetensors" --out "$dir/none"
expect 9 "${assay[@]}" fit --activations "$dir/cut.safetensors" --out "$dir/none"
expect 9 "${assay[@]}" fit --activations "$dir/hot_x.safetensors" --out "$dir/none"
expect 9 "${fit[@]}" --hook other.out --out "$dir/none"
says "where\|as in the rest"
expect 3 "${assay[@]}" fit --activations "$dir/noise.safetensors" --out "$dir/none"
says 'no linear concept to erase'
expect 3 "${assay[@]}" fit --activations "$dir/one.safetensors" --out "$dir/none"
expect 2 "${fit[@]}" --method inlp --out "$dir/none"
expect 2 "${fit[@]}" --method splince --out "$dir/none"
expect 2 "${fit[@]}" --grid-bits 30 --out "$dir/none"
expect 2 "${fit[@]}" --labels a --labels b --out "$dir/none"
expect 2 "${assay[@]}" fit --out "$dir/none"
expect 9 "${assay[@]}" apply --eraser "$dir/e" --activations "$dir/elsewhere.safetensors" --out "$dir/none"
says ln.out
expect 9 "${assay[@]}" certify --eraser "$dir/e" --activations "$dir/elsewhere.safetensors" --out "$dir/none"
expect 9 "${assay[@]}" apply --eraser "$dir/e" --activations "$dir/wide.safetensors" --out "$dir/none"
expect 3 "${assay[@]}" certify --eraser "$dir/e" --activations "$dir/one.safetensors" --out "$dir/none"
expect 3 "${assay[@]}" apply --eraser "$dir/e" --activations "$dir/huge.safetensors" --out "$dir/none"
says 'leaves the grid'
expect 9 "${assay[@]}" apply --eraser "$dir" --activations "$dir/new.safetensors" --out "$dir/none"
[ ! -e "$dir/none" ] || { echo "a refusal left files"; exit 1; }
echo "erase tensors: end to end passed"
