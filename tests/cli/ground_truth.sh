#!/usr/bin/env bash
# bench_ground_truth: the lines that it writes are of their language, and the machine of a model trained on them (for a
# moment: it need not know the language) contains everything that the model writes.
set -euo pipefail
compare=$ASSAY_BIN/bench_ground_truth
[ -x "$compare" ] || { echo "SKIPPED: bench_ground_truth was not built; NO machine was compared with a true language"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

# Languages that a regular expression says.
declare -A words=([tomita-1]='1*' [tomita-2]='(10)*' [tomita-4]='(0?0?1)*0?0?' [tomita-7]='0*1*0*1*'
  [tags]='(x|<a>x*</a>|<b>x*</b>)*' [anbn]='(ab|aabb|aaabbb|aaaabbbb)?'
  [dyck-1]='(\((\((\(\))*\))*\))*')
for name in "${!words[@]}"; do
  "$compare" corpus "$name" "$dir/lines" 2000 3
  [ "$(wc -l < "$dir/lines")" = 2000 ] || fail "$name: expected 2000 lines"
  [ "$(sort -u "$dir/lines" | wc -l)" -gt 4 ] || fail "$name: hardly any different words"
  ! grep -vqxE "${words[$name]}" "$dir/lines" || fail "$name: $(grep -vxE "${words[$name]}" "$dir/lines" | head -1)"
done
# By a run of 1s and the next of 0s, and by counting.
declare -A counts=([tomita-3]='/(^|0)1(11)*0(00)*(1|$)/' [tomita-5]='gsub("0","")%2 || gsub("1","")%2' [tomita-6]='(gsub("0","")+2*gsub("1",""))%3')
for name in "${!counts[@]}"; do
  "$compare" corpus "$name" "$dir/lines" 2000 3
  [ -z "$(awk "${counts[$name]} { print \"line\" }" "$dir/lines")" ] || fail "$name: a line outside the language"
done
"$compare" corpus tomita-4 "$dir/lines" 200 3  # the control: other words are told apart
for name in "${!counts[@]}"; do
  [ -n "$(awk "${counts[$name]} { print \"line\" }" "$dir/lines")" ] || fail "$name: the check passes everything"
done
# Dyck-2, by deleting adjacent pairs.
"$compare" corpus dyck-2 "$dir/lines" 2000 3
[ -z "$(sed -e ':again' -e 's/()\|\[\]//g' -e 'tagain' "$dir/lines" | tr -d '\n')" ] || fail "dyck-2: an unbalanced line"

[ "${ASSAY_WITH_TORCH:-ON}" = ON ] || { echo "SKIPPED: built without LibTorch; no model was trained to compare"; exit 77; }
"$compare" corpus tomita-2 "$dir/text" 20000
"$ASSAY_BIN/assay" --quiet train model --text "$dir/text" --out "$dir/model" --d-model 16 --n-heads 2 --window 4 --provable 0 --far-heads 2 \
  --steps 30 > "$dir/log" 2>&1 || { cat "$dir/log" >&2; fail "training"; }
for decoder in greedy min-p:0.2 top-k:2; do
  "$compare" compare tomita-2 "$dir/model" "$decoder" 6 > "$dir/out" || { cat "$dir/out" >&2; fail "$decoder"; }
  grep -qE 'the model.s own texts to length 6: [1-9][0-9]*, steps outside the machine 0$' "$dir/out" || fail "$decoder: $(cat "$dir/out")"
done
# Greedy writes one text a prompt: from the four beginnings "", 1, 10, 101 of a word it writes 4 texts of each length 0 to 6.
"$compare" compare tomita-2 "$dir/model" greedy 6 1000 3 > "$dir/greedy" || { cat "$dir/greedy" >&2; fail "greedy from beginnings"; }
grep -q ', 4 prompts$' "$dir/greedy" || fail "expected 4 prompts: $(cat "$dir/greedy")"
grep -qE 'own texts to length 6: 28, steps outside the machine 0$' "$dir/greedy" || fail "greedy from beginnings: $(cat "$dir/greedy")"
grep -qE 'in the language, not proved: [1-9]' "$dir/greedy" || fail "one continuation cannot be the whole language: $(cat "$dir/greedy")"
# Every 2 of 4 tokens are possible under top-k: runs beyond (10)* are found, and they are real.
grep -qE 'proved, not in the language: [1-9].*" real' "$dir/out" || fail "expected a real run outside (10)*: $(cat "$dir/out")"
"$compare" compare nothing "$dir/model" 2> "$dir/err" && fail "an unknown language"
grep -q 'no language nothing' "$dir/err" || fail "the message names the language"
"$compare" compare tomita-2 "$dir/model" min-p:0.2 6 1 2> "$dir/err" > /dev/null && fail "a budget of one window"
grep -q 'more than 1 windows' "$dir/err" || fail "the message names the budget: $(cat "$dir/err")"
