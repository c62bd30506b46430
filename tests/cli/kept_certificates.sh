#!/usr/bin/env bash
# The kept certificates of tests/adversarial/check through the program itself: exit 0, 1 and 1, never a signal.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
kept=$ASSAY_SOURCE/tests/adversarial/check
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
count=0
for folder in accept reject nocrash; do
  want=1; [ "$folder" = accept ] && want=0
  for cert in "$kept/$folder"/*.cert; do
    name=$(basename "$cert"); subject=${name%%.*}; got=0
    mapfile -t args <"$kept/subjects/$subject/args"
    (cd "$kept/subjects/$subject" && assay-check "$cert" "${args[@]}") >"$work/out" 2>"$work/err" || got=$?
    [ "$got" = "$want" ] || fail "$folder/$name: exit $got, not $want: $(cat "$work/out" "$work/err")"
    [ ! -s "$work/err" ] || fail "$folder/$name: $(cat "$work/err")"
    if [ "$folder" = reject ]; then
      [ "$(tail -n 1 "$work/out")" = "REJECT $cert:$(cat "${cert%.cert}.reason")" ] || fail "$folder/$name: $(tail -n 1 "$work/out")"
    fi
    count=$((count + 1))
  done
done
[ "$count" -ge 100 ] || fail "only $count files"
