#!/usr/bin/env bash
# Exact mode end to end: verdicts, exit codes and JSON; assay-check accepts the certificate and rejects every
# corruption of it; bad input is refused by name.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
refuse() { # refuse CODE WORDS COMMAND…
  local code=$1 words=$2 got=0; shift 2
  "$@" >"$work/stdout" 2>"$work/stderr" || got=$?
  [ "$got" = "$code" ] || { cat "$work/stderr" >&2; fail "exit $got, not $code: $*"; }
  grep -qF -- "$words" "$work/stderr" || fail "no '$words' in: $(cat "$work/stderr")"
  [ ! -e "$work/out" ] || fail "left something behind: $*"
}
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$work"
cd "$work"
cat >t.spec <<'SPEC'
spec "t" version 1;
use model M = "model";
use sae T = "sae";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
ap On = feat(T/3) > 0;
prop quiet: all G(At -> X !At);
prop no_digit: all G !Digit;
prop soon: all G[0:2] !(On & At);
SPEC
echo '{"tokens":[[3,4],[12,13,14],[20]]}' >p.json
exact() { assay --quiet check --model model --spec t.spec --prompts p.json "$@"; }

code=0; exact --sae sae --decoder greedy --certificate c --json >c.json || code=$?
[ "$code" = 1 ] || fail "violated is exit 1, not $code"
python3 - <<'PY'
import json
r = json.load(open("c.json"))
p = {x["name"]: x for x in r["properties"]}
assert [p[n]["verdict"] for n in ("quiet", "no_digit", "soon")] == ["holds", "violated", "holds"], p
assert all(p[n]["level"] == "PROVED" for n in p)
for key in ("states", "edges", "nodes", "seconds"):
    assert all(key in x for x in p.values())
w = p["no_digit"]["witness"]
assert w["prompt"][0] in (3, 4) and w["tokens"] and len(w["steps"]) == len(w["tokens"])
assert p["quiet"]["edges"]["witnessed"] >= p["quiet"]["states"] - 10
PY
code=0; exact --sae sae --decoder greedy --prop quiet >/dev/null || code=$?; [ "$code" = 0 ] || fail "holds is exit 0, not $code"
code=0; exact --mode exact --decoder min-p:0.6 --prop quiet --states 2000 >u || code=$?; [ "$code" = 3 ] || fail "unknown is exit 3, not $code"
grep -q "budget of 2000 states" u || fail "the budget is not named"
exact --decoder min-p:0.6 --prop quiet --max-new 4 --certificate h >/dev/null || fail "four tokens: $?"
assay-check h --model model --sae sae --spec h.spec --runs h.runs >h.out || fail "horizon: $(cat h.out)"
grep -q "at most 4 new tokens" h.out || fail "the horizon is not in the statement"

# Every decoder, with and without an allow-list: assay-check accepts what is decided, and no other decoder's.
sed 's/^prop no_digit.*//; s/^prop soon.*/prop soon: all G[0:2] !At;/' t.spec >d.spec
n=0
for decoder in greedy:2 min-p:0.9 min-p:0.8:2:before top-k:2:0.5 top-p:0.05 top-p:0.1:2:before plain; do
  for allow in "" digit "after:2-30"; do
    n=$((n + 1)); code=0
    assay --quiet check --model model --sae sae --spec d.spec --prompts p.json --decoder "$decoder" ${allow:+--allow "$allow"} --max-new 2 \
      --certificate "d$n" --json >d.json || code=$?
    [ "$code" = 0 ] || [ "$code" = 1 ] || fail "$decoder $allow: exit $code"
    assay-check "d$n" --model model --sae sae --spec "d$n.spec" --runs "d$n.runs" >d.out || fail "$decoder $allow: $(cat d.out)"
    for other in top-p\ 1/50 greedy\ allow\ after\ 1; do
      sed "s|^decoder .*|decoder $other|" "d$n.runs" >d.other
      ! assay-check "d$n" --model model --sae sae --spec "d$n.spec" --runs d.other >/dev/null || fail "another decoder's runs"
    done
  done
done
grep -q "decoder top-k 2 temperature 1/2 (the temperature changes how likely tokens are, not which can be emitted)" <(assay-check d10 --model model --sae sae --spec d10.spec --runs d10.runs) ||
  fail "an idle temperature is not said to be one"

# Claims that this engine does not decide stay open, whatever their formula would be under `all`.
cat >w.spec <<'SPEC'
spec "wider" version 1;
ap At = tok = "@";
prop chance: Pmax <= 1 [ G(At -> X !At) ];
SPEC
code=0; assay --quiet check --model model --spec w.spec --prompts p.json --decoder greedy --certificate w --json >w.json || code=$?
[ "$code" = 3 ] || fail "Pmax <= 1 ends with $code, not 3"
[ "$(grep -c '"verdict": "unknown"' w.json)" = 1 ] || fail "Pmax <= 1 was decided: $(cat w.json)"
[ ! -e w ] || fail "a certificate of nothing"

ASSAY_SOURCE="$ASSAY_SOURCE" python3 "$ASSAY_SOURCE/tests/cli/corrupt_exact.py" || fail "corrupted certificates"

# bad input
refuse 2 "expected both --decoder and --prompts" assay check --model model --spec t.spec --decoder greedy --certificate out
refuse 2 "found neither" assay check --model model --spec t.spec
refuse 2 "expected greedy, min-p" exact --decoder hopeful --certificate out
refuse 2 "every token so far" exact --decoder repetition-penalty:1.2 --certificate out
refuse 2 "0 < P <= 1" exact --decoder top-p:1.5 --certificate out
refuse 2 "a class of the spec, found high" exact --decoder greedy --allow high --certificate out
refuse 2 "token ids below 45" exact --decoder greedy --allow 44-45 --certificate out
refuse 2 "0 < RHO <= 1" exact --decoder min-p:0 --certificate out
refuse 2 "above 0, found 0" exact --decoder greedy --states 0 --certificate out
refuse 2 "above 0, found 0" exact --decoder greedy --max-new 0 --certificate out
prompts() { printf '%s' "$1" >bad.json; refuse "$2" "$3" assay check --model model --spec t.spec --decoder greedy --prompts bad.json --certificate out; }
prompts '{"tokens":[[1],[]]}' 9 "an empty set"
prompts '{"tokens":[]}' 9 "1 to 1000000 positions"
prompts '{"tokens":[[45]]}' 9 "below 45"
prompts '{"tokens":[[-1]]}' 9 "below 45"
prompts '{"tokens":[[1]],"any":true,"max_length":3}' 9 "both forms"
prompts '{"any":true}' 9 "both forms, or neither"
prompts '{"any":false,"max_length":3}' 9 "any"
prompts '{"any":true,"max_length":0}' 9 "max_length"
prompts '{"tokens":[[1]],"extra":1}' 9 "the key extra"
prompts '{"tokens":' 9 "bad.json"
sed 's/T\/3/T\/99/' t.spec >f.spec
refuse 2 "below 24, found 99" assay check --model model --spec f.spec --decoder greedy --prompts p.json --certificate out
bent() { # bent SED WORDS
  rm -rf bent; cp -r model bent; sed -i "$1" bent/config.json
  [ -z "${3:-}" ] || python3 "$ASSAY_SOURCE/tests/cli/corrupt_exact.py" --add "$3"
  refuse 2 "$2" assay check --model bent --spec t.spec --decoder greedy --prompts p.json --certificate out
}
bent 's/"positional_embedding_type": "relative_bias"/"positional_embedding_type": "standard"/' "absolute positions" W_pos
bent 's/"attention_window": 8/"attention_window": null/' "full attention" rel_bias
echo "check exact: verdicts, certificates and refusals are as they should be"
