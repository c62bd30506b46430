#!/usr/bin/env bash
# assay attack end to end: what HOLDS with an accepted certificate is not broken, what does not hold is, with a run that breaks it; a violation
# beside an accepted certificate is an alarm; statements that are not the certificate's are refused.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir"
cd "$dir"
# Older tokens matter less than in the tiny model, so that something holds from any prompt; a readout that stays below 9.
python3 - <<'P'
import json, struct
path = "model/model.safetensors"
raw = bytearray(open(path, "rb").read())
size = struct.unpack("<Q", raw[:8])[0]
for name, factor in (("blocks.0.attn.W_O", 0.15), ("blocks.0.mlp.W_out", 0.5)):
    begin, end = json.loads(raw[8:8 + size])[name]["data_offsets"]
    at, n = 8 + size + begin, (end - begin) // 4
    values = struct.unpack_from("<%df" % n, raw, at)
    struct.pack_into("<%df" % n, raw, at, *(factor * v for v in values))
open(path, "wb").write(raw)
json.dump({"assay-readout": 1, "hook": "blocks.0.hook_resid_mid", "weights": [(0.25).hex()] * 16, "bias": (0.0).hex()}, open("probe.json", "w"))
P
cat >t.spec <<'S'
spec "t" version 1;
use model M = "model";
use sae T = "sae";
use readout P = "probe.json";
class digit = /[0-9]/;
ap E = tok = "e";
ap C = tok = "c";
ap Digit = tok in digit;
ap Read = read(P) >= 9;
ap Often = read(P) >= 0.5;
prop quiet: all G(E -> X !C);
prop no_digit: all G !Digit;
prop unread: all G !Read;
prop rare: all G !(Digit & Often);
prop live: all F E;
S
echo '{"any":true,"max_length":40}' >p.json
echo '{"any":true,"max_length":41}' >q.json
subject() { # options given here win
  local prompts=p.json decoder=greedy
  what=$1; shift
  while [ $# -gt 0 ]; do
    case "$1" in --prompts | --decoder) local "${1#--}=$2"; shift 2 ;; *) break ;; esac
  done
  "${program:-$assay}" --quiet "$what" --model model --spec t.spec --prompts "$prompts" --decoder "$decoder" "$@"
}
attack() { subject attack "$@"; }

# Two properties hold, one about a readout: assay-check accepts both, and they are not broken.
expect 0 subject check --prop quiet --prop unread --certificate h
expect 0 assay-check h --model model --spec h.spec --runs h.runs --sae sae --readout P=probe.json
grep -q "ACCEPT unread PROVED HOLDS of every run" out || fail "the readout's property is not accepted: $(cat out)"
expect 0 attack --certificate h --steps 3000 --json --out result.json
cp out first
python3 - <<'P'
import json
r = json.load(open("first"))
p = {x["name"]: x for x in r["properties"]}
assert set(p) == {"quiet", "unread"} and r["exitCode"] == 0, p
for x in p.values():
    assert x["certified"] and x["verdict"] == "not broken" and not x["alarm"] and 3000 <= x["steps"] and x["tries"] > 10, x
assert p["quiet"]["brinks"] > 0 and p["quiet"]["nearest"]["nats"] < 0 and p["quiet"]["nearest"]["prompt"], p["quiet"]
kept = json.load(open("result.json"))
assert [x["name"] for x in kept["properties"]] == ["quiet", "unread"]
P
# Steps bound the work: the same seed gives the same result, another one another.
stable() { python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); [x.pop("seconds") for x in r["properties"]]; print(json.dumps(r))' "$1"; }
expect 0 attack --certificate h --steps 3000 --json; stable out >b
stable first >a
cmp a b || fail "the same seed attacked otherwise"
expect 0 attack --certificate h --steps 3000 --json --seed 2; stable out >c
! cmp -s a c || fail "another seed attacked alike"

# What does not hold is broken by a replayed run; without a certificate nothing is shown by not breaking.
expect 1 attack --prop no_digit --prop rare --json
python3 - <<'P'
import json
for x in json.load(open("out"))["properties"]:
    assert x["verdict"] == "VIOLATED" and not x["certified"] and not x["alarm"], x
    tokens = x["witness"]["tokens"]
    assert 1 <= len(x["witness"]["prompt"]) <= 40 and 2 <= tokens[-1] <= 11 and len(x["witness"]["steps"]) == len(tokens), x
P
cp out broken
expect 3 attack --prop quiet --steps 500
expect 3 attack --prop live --steps 500
grep -q "live: not attacked" out || fail "a liveness property was attacked: $(cat out)"
# The witness is a run of the model: assay run, the largest logit of each row under greedy.
python3 - "$assay" <<'P'
import json, struct, subprocess, sys
for x in json.load(open("broken"))["properties"]:
    prompt, tokens = x["witness"]["prompt"], x["witness"]["tokens"]
    json.dump(prompt + tokens, open("line", "w"))
    subprocess.run([sys.argv[1], "--quiet", "run", "--model", "model", "--tokens", "line", "--out", "logits"], check=True, stdout=subprocess.DEVNULL)
    raw = open("logits", "rb").read()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    name = [n for n in header if "logits" in n][0]
    (begin, end), shape = header[name]["data_offsets"], header[name]["shape"]
    code, width = {"F32": ("f", 4), "F64": ("d", 8)}[header[name]["dtype"]]
    values = struct.unpack_from("<%d%s" % ((end - begin) // width, code), raw, 8 + size + begin)
    for i, token in enumerate(tokens):
        row = len(prompt) - 1 + i
        logits = values[row * shape[-1]:(row + 1) * shape[-1]]
        assert max(range(len(logits)), key=logits.__getitem__) == token, (x["name"], i)
P

# Another statement than the certificate's, or a certificate that is none.
refuses() { expect 2 attack "${@:2}"; says "$1"; }
refuses "other prompts" --prompts q.json --certificate h
refuses "other prompts" --decoder min-p:0.5 --certificate h
refuses "other prompts" --max-new 3 --certificate h
refuses "no property" --prop nobody
refuses "above 0" --prop quiet --steps 0
refuses "above 0" --prop quiet --length 0
refuses "decoder" --decoder nucleus:0.9
cp h.spec kept; sed 's/id 16/id 17/' kept >h.spec
refuses "not the spec" --certificate h
cp kept h.spec
expect 0 attack --certificate h --steps 300   # the control
sed '0,/ OUT /{/ OUT /d}' h >bad; cp h.spec bad.spec; cp h.runs bad.runs
expect 8 attack --certificate bad
says "does not accept"
expect 1 subject check --prop no_digit --certificate v
refuses "no property of it HOLDS" --certificate v
expect 9 attack --certificate nowhere

# A checker that accepts what is false: the attack finds it out, and says so with a code of its own.
mkdir bin; cp "$assay" bin/assay
printf '#!/bin/sh\necho "ACCEPT no_digit PROVED HOLDS of every run of the model (real arithmetic): false"\necho "ACCEPT quiet PROVED HOLDS of every run of the model (real arithmetic): true"\n' >bin/assay-check
chmod +x bin/assay-check
program=$dir/bin/assay
expect 10 attack --certificate h --steps 3000 --json
python3 - <<'P'
import json
p = {x["name"]: x for x in json.load(open("out"))["properties"]}
assert p["no_digit"]["alarm"] and p["no_digit"]["verdict"] == "VIOLATED" and not p["quiet"]["alarm"], p
P
expect 10 attack --certificate h --steps 3000
grep -q "no_digit: SOUNDNESS ALARM" out || fail "no alarm: $(cat out)"
unset program

# Ctrl-C: what was found is said.
subject attack --prop quiet --steps 1000000000 >out 2>err & child=$!
sleep 1
kill -INT "$(pgrep -P "$child" assay || echo "$child")"; code=0; wait "$child" || code=$?
[ "$code" = 11 ] || { cat out err; fail "interrupted: exit $code"; }
grep -q "quiet: not broken after" out || fail "nothing is said: $(cat out)"
echo "attack: ok"
