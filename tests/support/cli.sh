# Sourced by the tests of a command: $assay, a folder $dir that goes away, and what they expect of it.
# shellcheck shell=bash
command -v python3 > /dev/null || { echo "SKIPPED: python3 is not installed; $(basename "$0") was NOT run"; exit 77; }
assay=$ASSAY_BIN/assay
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
expect() { # expected-code command…: its output is in $dir/out, its messages in $dir/err
  local want=$1 got=0
  shift
  "$@" > "$dir/out" 2> "$dir/err" || got=$?
  [ "$got" = "$want" ] || { cat "$dir/out" "$dir/err" >&2; fail "exit $got, expected $want: $*"; }
}
says() { grep -q -- "$1" "$dir/err" || { cat "$dir/err" >&2; fail "the message does not say: $1"; }; }
