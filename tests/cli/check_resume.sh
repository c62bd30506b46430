#!/usr/bin/env bash
# `assay check --state` and `--resume`: a run that was cut goes on and ends in the certificate of a run that was not.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir"
cd "$dir"
cat >t.spec <<'S'
spec "t" version 1;
use sae T = "sae";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
ap On = feat(T/3) > 0;
prop quiet: all G(At -> X !At);
prop seen: some F (On & At);
prop comes: all F Digit;
prop both: all G !(At & Digit & On);
S
echo '{"tokens":[[3,4],[12,13,14],[20]]}' >p.json
exact() { "$assay" --quiet --json check --model model --sae sae --spec t.spec --prompts p.json --z3-pairs 0 "$@"; }
same() { cmp "$1" "$2" || fail "$1 and $2 differ"; cmp "$1.runs" "$2.runs" && cmp "$1.spec" "$2.spec" || fail "the statements differ"; }
same_verdicts() {  # all but seconds and the certificate's path
  python3 - "$1" "$2" <<'PY' || fail "$1 and $2 say different things"
import json, sys
def read(name):
    out = json.load(open(name))
    for p in out["properties"]:
        del p["seconds"]
    return {k: v for k, v in out.items() if k not in ("certificate", "runs", "statement", "bytes")}
a, b = map(read, sys.argv[1:])
assert a == b, (a, b)
PY
}

# A budget that is used up leaves a state; with a larger one the run goes on from it.
exact --decoder min-p:0.75 --certificate full >full.json && fail "expected a violation among these" || true
[ ! -e full.state ] || fail "a run that ended left a state"
[ -s full ] || fail "no certificate"
expect 3 exact --mode exact --decoder min-p:0.75 --states 5000 --certificate cut
[ -s cut.state ] || fail "no state beside the certificate"
python3 -c 'import json; assert json.load(open("out"))["state"] == "cut.state"' || fail "the JSON does not name the state"
exact --decoder min-p:0.75 --resume cut.state --certificate resumed >resumed.json || true
same full resumed
same_verdicts full.json resumed.json
assay-check resumed --model model --sae sae --spec resumed.spec --runs resumed.runs >accepted || fail "$(cat accepted)"

# Ctrl-C leaves one too, with --state where it is asked for; what goes on from it takes those windows and keeps them.
endless=("$assay" --json check --model model --sae sae --spec t.spec --prompts p.json --decoder plain --threads 1 --prop both)
set -m
"${endless[@]}" --state mine --certificate broken >out 2>err &
child=$!
set +m
for _ in $(seq 600); do  # a second of its own time of some forty: it is in the midst of its windows
  kill -0 "$child" 2>/dev/null || fail "it ended by itself: $(cat out err)"
  [ "$(cut -d' ' -f14 "/proc/$child/stat")" -lt 100 ] || break
  sleep 0.1
done
kill -INT "$child"
code=0; wait "$child" || code=$?
[ "$code" = 3 ] || fail "interrupted: exit $code, not 3: $(cat out err)"
[ -s mine ] && grep -q 'go on with --resume mine' err || fail "no state after Ctrl-C: $(cat err)"
cp mine before
code=0; "${endless[@]}" --mode exact --states 3000 --resume mine >out 2>err || code=$?
[ "$code" = 3 ] && grep -qE '^[1-9][0-9]* windows taken from mine' err || fail "exit $code: $(cat err)"
python3 - <<'PY'
def count(name):
    head = open(name, "rb").read(2000)
    return int(head[head.index(b"windows ") + 8:].split(b"\n")[0])
assert count("mine") >= count("before") > 0
PY

# A state of another run, or one that was altered, is refused and says what differs.
refused() {  # $1 exit code, $2 words, then options
  local code=$1 words=$2; shift 2
  expect "$code" "$@" --certificate none
  says "$words"
  [ ! -e none ] || fail "a certificate after an error"
}
refused 2 "another runs" exact --decoder min-p:0.7 --resume cut.state
refused 2 "another runs" exact --decoder min-p:0.75 --max-new 5 --resume cut.state
refused 2 "another properties" exact --decoder min-p:0.75 --prop quiet --resume cut.state
refused 2 "found --mode refined" exact --decoder min-p:0.75 --mode refined --resume cut.state
cp p.json q.json; echo '{"tokens":[[3],[12,13,14],[20]]}' >p.json
refused 2 "another runs" exact --decoder min-p:0.75 --resume cut.state
mv q.json p.json; cp t.spec q.spec; sed -i 's/X !At/X X !At/' t.spec
refused 2 "another spec" exact --decoder min-p:0.75 --resume cut.state
mv q.spec t.spec
head -c 100000 cut.state >short
python3 -c 'b = bytearray(open("cut.state", "rb").read()); b[len(b) // 2] ^= 1; open("flip", "wb").write(b)'
for wrong in short flip t.spec; do refused 9 "whole assay-state 1" exact --decoder min-p:0.75 --resume $wrong; done
refused 9 "" exact --decoder min-p:0.75 --resume nowhere
expect 9 "$assay" --quiet check --model model --sae sae --spec t.spec --prompts p.json --decoder min-p:0.75 --resume flip
cp -r model other
python3 - <<'PY'
b = bytearray(open("other/model.safetensors", "rb").read())
b[-3] ^= 1
open("other/model.safetensors", "wb").write(b)
PY
expect 2 "$assay" --quiet check --model other --sae sae --spec t.spec --prompts p.json --decoder min-p:0.75 --resume cut.state
says "another model"

# A state is believed as it stands; the certificate is not: with an edge taken out (and the digest made anew) the checker rejects.
python3 - <<'PY'
import hashlib, struct
b = open("cut.state", "rb").read()[:-64]
at = b.index(b"\n", b.index(b"windows ")) + 1
head, rows, out, cut = b[:at], b[at:], b"", 0
at = 0
while at < len(rows):
    code, must, may, degree, flags = struct.unpack_from("<QIIHH", rows, at)
    edges = struct.unpack_from("<%dH" % degree, rows, at + 20)
    at += 20 + 2 * degree
    if degree > 1:
        edges, degree, cut = edges[:1], 1, cut + 1
    out += struct.pack("<QIIHH", code, must, may, degree, flags) + struct.pack("<%dH" % degree, *edges)
assert cut > 100
b = head + out
open("forged", "wb").write(b + hashlib.sha256(b).hexdigest().encode())
PY
exact --decoder min-p:0.75 --resume forged --prop quiet --certificate f >/dev/null 2>&1 && fail "another choice of properties was taken" || true
exact --decoder min-p:0.75 --resume forged --certificate forgery >/dev/null || true
[ -s forgery ] || fail "the forged state gave no certificate to reject"
! cmp -s full forgery || fail "the forgery changed nothing"
! assay-check forgery --model model --sae sae --spec forgery.spec --runs forgery.runs >rejected || fail "accepted: $(cat rejected)"
echo "check resume: ok"
