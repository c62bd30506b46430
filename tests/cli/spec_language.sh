#!/usr/bin/env bash
# `assay spec explain`, `assay monitor`, `assay check --automaton FILE.hoa`, the library of specs, and certificates of
# properties with past, scopes and conditions that assay-check accepts.
set -euo pipefail
for tool in python3 c++; do
  command -v "$tool" >/dev/null || { echo "SKIPPED: $tool is needed"; exit 77; }
done
if [ ! -x "$ASSAY_BIN/assay" ]; then
  echo "SKIPPED: $ASSAY_BIN/assay is not built"
  exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
assay=("$ASSAY_BIN/assay" --quiet)

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
says() { # TEXT FILE
  grep -qF -- "$1" "$2" || { echo "expected '$1' in:"; cat "$2"; exit 1; }
}

# the library: every property documented, neither vacuous nor valid nor clashing, and in the table of the docs
total=0
for spec in "$ASSAY_SOURCE"/specs/library/*.spec; do
  expect 0 "${assay[@]}" --json spec explain "$spec"
  n=$(python3 - "$dir/stdout" "$ASSAY_SOURCE/docs/spec-language.md" "$(basename "$spec")" <<'PY'
import json, sys
data, docs = json.load(open(sys.argv[1])), open(sys.argv[2]).read()
assert not [c for c in data["inconsistencies"] if c.startswith("INCONSISTENT")], data["inconsistencies"]
for p in data["properties"]:
    for key in ("doc", "severity", "owner"):
        assert p["attributes"].get(key), (p["name"], key)
    assert p["attributes"]["severity"] in ("low", "medium", "high", "critical"), p["name"]
    assert not p["valid"] and not p["unsatisfiable"] and not p["vacuous"], p
    assert p["accepted"] and p["rejected"] and p["states"] >= 2 and p["sentence"].endswith("."), p
    assert "| `%s` | `%s` |" % (sys.argv[3], p["name"]) in docs, p["name"] + " is not in docs/spec-language.md"
print(len(data["properties"]))
PY
  )
  total=$((total + n))
done
[ "$total" -ge 25 ] || { echo "the library has $total specs, at least 25 are wanted"; exit 1; }

# a template resolves with the user's own classes and features, and then resolves to itself
python3 "$ASSAY_SOURCE/tests/cli/spec_subject.py" "$dir"
expect 0 "${assay[@]}" spec resolve "$ASSAY_SOURCE/specs/library/refusal.spec" --model "$dir/model" --sae "S=$dir/sae" \
  --class 'tool={"<"}' --class 'turn=ids {4, 5}' --ap 'Harm=feat(S/13) > 0' --ap 'Consent=tok = "a"' --out "$dir/refusal.spec"
says 'ap Harm = feat(S/13) > 0;' "$dir/refusal.spec"
says 'class tool = ids {2};' "$dir/refusal.spec"
expect 0 "${assay[@]}" spec resolve "$dir/refusal.spec" --model "$dir/model" --sae "S=$dir/sae" --out "$dir/again.spec"
cmp "$dir/refusal.spec" "$dir/again.spec"
expect 2 "${assay[@]}" spec resolve "$ASSAY_SOURCE/specs/library/refusal.spec" --model "$dir/model" --sae "S=$dir/sae" \
  --ap 'Hram=feat(S/13) > 0' --out "$dir/never.spec"
says "expected NAME=" "$dir/stderr"

# explain: words, runs, pictures, what is wrong
cat >"$dir/words.spec" <<'SPEC'
spec "words" version 1;
ap Harm = tok = id 0; ap Refuse = tok = id 1; ap Open = tok = id 2; ap Close = tok = id 3; ap User = role = user;
let calm(p) = H[0:3] !p;
prop R: all responds(Harm, Refuse, within 8) doc "soon";
prop S: all absent(Harm) after Open until Close from calm(Refuse) assume G !(Open & Close) waive "known" until 2030-02-01;
prop V: all Harm | !Harm;
prop N: all G !Harm & F Harm;
prop L: all responds(Harm, Refuse);
prop W: all G(Harm -> (Harm | Refuse)) & G !Open;
prop A: all G Open;
prop B: all G !Open;
prop P: Pmax <= 0.25 [F[0:9] Harm] from Open horizon 10 conf 0.95;
prop Q: all G(User -> !Harm);
SPEC
expect 0 "${assay[@]}" spec explain "$dir/words.spec"
says "In every run: whenever Harm, the model shall satisfy Refuse there or later, within 8 positions." "$dir/stdout"
says "after Open until Close, the model shall never satisfy Harm." "$dir/stdout"
says "from every position after (at every position 0 to 3 back, (not Refuse))" "$dir/stdout"
says "automaton: 10 states" "$dir/stdout"
says "shortest run rejected: Harm, no Refuse" "$dir/stdout"
says "VALID: every run satisfies it" "$dir/stdout"
says "UNSATISFIABLE: no run satisfies it" "$dir/stdout"
says "NOT MONITORABLE" "$dir/stdout"
says "VACUOUS: it says the same with Refuse false where it helps" "$dir/stdout"
says "INCONSISTENT: no run satisfies A and B together" "$dir/stdout"
says "waived until 2030-02-01: known" "$dir/stdout"
says "check answers UNKNOWN: a bound on a probability" "$dir/stdout"
says "check answers UNKNOWN: ap User is about roles" "$dir/stdout"
expect 0 "${assay[@]}" spec explain "$dir/words.spec" --prop R --dot "$dir/r.dot" --hoa "$dir/r.hoa"
says "doublecircle" "$dir/r.dot"
says "Finite-words: t" "$dir/r.hoa"
if command -v dot >/dev/null; then
  expect 0 "${assay[@]}" spec explain "$dir/words.spec" --prop R --svg "$dir/r.svg"
  says "<svg" "$dir/r.svg"
fi
expect 2 "${assay[@]}" spec explain "$dir/words.spec" --dot "$dir/x.dot"
says "expected one property" "$dir/stderr"
expect 2 "${assay[@]}" spec explain "$dir/words.spec" --prop Nope

# errors: place, line, caret, fix
printf 'spec "t" version 1;\nap Harm = tok = id 1;\nprop P: all G !Hram;\n' >"$dir/typo.spec"
expect 2 "${assay[@]}" spec explain "$dir/typo.spec"
says "typo.spec:3:16: expected the name of an ap or let declared above, found 'Hram'" "$dir/stderr"
says "    prop P: all G !Hram;" "$dir/stderr"
says "                   ^" "$dir/stderr"
says "did you mean 'Harm'?" "$dir/stderr"
# limits end in a message, not in memory or time
{ printf 'spec "t" version 1; ap a = tok = id 0; prop P: all '; printf '(%.0s' $(seq 1 5000); } >"$dir/deep.spec"
expect 2 "${assay[@]}" spec explain "$dir/deep.spec"
says "nested levels" "$dir/stderr"
printf 'spec "t" version 1; ap a = tok = id 0; prop P: all F[0:2000000] a;\n' >"$dir/huge.spec"
expect 2 "${assay[@]}" spec explain "$dir/huge.spec"
says "ascending positions up to 20000" "$dir/stderr"
printf 'spec "t" version 1; ap a = tok = id 0; ap b = tok = id 1; ap c = tok = id 2; prop P: all G(a -> F[0:9000] b) & G(b -> F[0:9000] c);\n' >"$dir/wide.spec"
expect 2 timeout 300 "${assay[@]}" spec explain "$dir/wide.spec"
says "too complex" "$dir/stderr"

# monitor: the header compiles and speaks, the table says the same
expect 0 "${assay[@]}" monitor "$dir/words.spec" --prop R --cpp "$dir/r.hpp" --table "$dir/r.json"
cat >"$dir/main.cpp" <<'CPP'
#include "r.hpp"
int main() {
  assay_monitor::R_monitor m;
  using V = decltype(m)::Verdict;
  decltype(m)::Letter harm, refuse;
  harm.Harm_ = true;
  refuse.Refuse_ = true;
  bool good = m.step({}) == V::inconclusive && m.holds_if_over();
  good = good && m.step(harm) == V::inconclusive && !m.holds_if_over();
  good = good && m.step(refuse) == V::inconclusive && m.holds_if_over();
  m.step(harm);
  for (int i = 0; i < 7; ++i) good = good && m.step({}) == V::inconclusive;
  return good && m.step({}) == V::violated && m.step(refuse) == V::violated && m.kMonitorable ? 0 : 1;
}
CPP
c++ -std=c++17 -Wall -Wextra -Werror -o "$dir/main" "$dir/main.cpp"
"$dir/main"
python3 - "$dir/r.json" <<'PY'
import json, sys
t = json.load(open(sys.argv[1]))
s = t["initial"]
for letter, verdict, over in [(0, "inconclusive", True), (1, "inconclusive", False)] + [(0, "inconclusive", False)] * 7 + [(0, "violated", False)]:
    s = t["next"][s][letter]
    assert (t["verdicts"][s], t["holdsIfOver"][s]) == (verdict, over), (letter, s)
assert t["aps"] == ["Harm", "Refuse"] and t["monitorable"]
PY
expect 3 "${assay[@]}" monitor "$dir/words.spec" --prop L --table "$dir/l.json"
says "NOT MONITORABLE: after the run" "$dir/stdout"
expect 2 "${assay[@]}" monitor "$dir/words.spec" --prop P --table "$dir/p.json"
says "expected an 'all' claim" "$dir/stderr"
expect 2 "${assay[@]}" monitor "$dir/words.spec" --prop R

# a given machine: our own property automaton, read back, satisfies its property
printf 'spec "t" version 1; ap Harm = tok = id 0; ap Refuse = tok = id 1; prop R: all responds(Harm, Refuse, within 8); prop T: all responds(Harm, Refuse, within 7);\n' >"$dir/given.spec"
expect 1 "${assay[@]}" check --automaton "$dir/r.hoa" --spec "$dir/given.spec"
says "R: HOLDS" "$dir/stdout"
says "T: VIOLATED" "$dir/stdout"
expect 0 "${assay[@]}" check --automaton "$dir/r.hoa" --spec "$dir/given.spec" --prop R
sed 's/"Refuse"/"Other"/' "$dir/r.hoa" >"$dir/other.hoa"
expect 2 "${assay[@]}" check --automaton "$dir/other.hoa" --spec "$dir/given.spec"
says "ap Refuse of property R: expected it among the machine's aps" "$dir/stderr"
sed 's/^State: 1.*/State: x/' "$dir/r.hoa" >"$dir/broken.hoa"
expect 9 "${assay[@]}" check --automaton "$dir/broken.hoa" --spec "$dir/given.spec"
grep -qE 'broken.hoa:[0-9]+: expected a state' "$dir/stderr"

# check and assay-check agree on what looks back, on scopes, positions and conditions, written out by resolve
{
  sed '/^prop /,$d' "$dir/small.spec"
  cat <<'SPEC'
ap Late = pos >= 3;
ap User = role = user;
let lately(p) = O[1:2] p;
prop past: all G(Slash -> Y Lt);
prop window: all G(Slash -> lately(Lt));
prop quiet: all G(Lt -> H[1:1] !Lt);
prop scope: all absent(Lt) between Lt and Slash;
prop scoped: all responds(Lt, A | Slash, within 1) after Lt until D;
prop after: all absent(Slash) from D & Zero;
prop first_not: all first -> X(Slash -> Y Lt);
prop counted: all at_most 1(Lt & Slash);
prop release: all (Lt & Slash) R !(Lt & A);
prop late: all G(Late -> !(Lt & Slash));
prop assumed: all G(Slash -> Y Lt) assume G !D;
prop some_run: some F[0:3] Lt;
prop chance: Pmax <= 0.5 [F[0:3] Lt] from first;
prop roles: all G(User -> !Lt);
SPEC
} >"$dir/rich.spec"
expect 0 "${assay[@]}" spec resolve "$dir/rich.spec" --model "$dir/model" --text "$dir/text" --out "$dir/rich.resolved.spec"
says "prop window: all G(!Slash | Y O[0:1] Lt);" "$dir/rich.resolved.spec"
says "prop past: all G(Slash -> Y Lt);" "$dir/rich.resolved.spec"
expect 0 "${assay[@]}" spec resolve "$dir/rich.resolved.spec" --model "$dir/model" --out "$dir/rich.again.spec"
cmp "$dir/rich.resolved.spec" "$dir/rich.again.spec"
python3 - "$dir" <<'PY'
import json, sys
a = json.load(open(sys.argv[1] + "/automaton.json"))
a["aps"] += ["Late", "User"]  # never decided: an automaton says nothing of positions and roles
for s in a["states"]:
    s["may"] |= 3 << 6
json.dump(a, open(sys.argv[1] + "/rich.json", "w"))
PY
expect 1 "${assay[@]}" check --model "$dir/model" --automaton "$dir/rich.json" --spec "$dir/rich.resolved.spec" --samples "$dir/samples.jsonl" --out "$dir/rich.cert"
for p in past window quiet scoped first_not counted release late; do
  says "$p: HOLDS" "$dir/stdout"
done
for p in assumed some_run chance roles; do
  says "$p: UNKNOWN" "$dir/stdout"
done
recheck() { # EXIT CERT SPEC
  expect "$1" "$ASSAY_BIN/assay-check" "$2" --model "$dir/model" --sae "$dir/sae" --readout "digit_probe=$dir/probe.json" \
    --automaton "$dir/rich.json" --spec "$3"
}
forge() { # NAME SED: the same proof under another statement
  sed "$2" "$dir/rich.resolved.spec" >"$dir/$1.spec"
  cmp -s "$dir/rich.resolved.spec" "$dir/$1.spec" && { echo "the edit $1 changed nothing"; exit 1; }
  sed "s/$(sha256sum "$dir/rich.resolved.spec" | cut -d' ' -f1)/$(sha256sum "$dir/$1.spec" | cut -d' ' -f1)/" "$dir/rich.cert" >"$dir/$1.cert"
}
recheck 0 "$dir/rich.cert" "$dir/rich.resolved.spec"
says "all G ( Slash -> Y Lt )" "$dir/stdout"
forge some 's/^prop past: all/prop past: some/'
recheck 1 "$dir/some.cert" "$dir/some.spec"
says "no rule speaks of the claim of property past" "$dir/stdout"
forge strong 's/Y O\[0:1\] Lt/Y Y O[0:0] Lt/'
recheck 1 "$dir/strong.cert" "$dir/strong.spec"
forge same 's/Y O\[0:1\] Lt/(Y Lt | Y Y Lt)/'
recheck 0 "$dir/same.cert" "$dir/same.spec"
echo "spec language: $total library specs; explain, monitor and given machines as documented"
