#!/usr/bin/env bash
# What a user gets wrong: the documented exit code, a message that names file and key, nothing half-written.
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
echo '[1,2,3]' >ids; echo '[1,2,999]' >high; echo '[1,' >cut; : >empty.txt; mkdir void
assay --quiet run --model model --tokens ids --out control >/dev/null || fail "the control is refused"

# weights: cut short, a header length beyond the file, NaN, another shape, no model
bend() { # bend PYTHON: b is a bytearray of the weights
  rm -rf bent; cp -r model bent
  python3 -c "import struct; p = 'bent/model.safetensors'; b = bytearray(open(p, 'rb').read()); $1; open(p, 'wb').write(b)"
}
bend 'del b[100:]';                              refuse 9 "header length" assay run --model bent --tokens ids --out out
bend 'b[0:8] = struct.pack("<Q", 2**63)';        refuse 9 "header length" assay run --model bent --tokens ids --out out
bend 'b[-4:] = struct.pack("<f", float("nan"))'; refuse 9 "expected a finite number, found NaN" assay run --model bent --tokens ids --out out
bend 'b += b"x"';                                refuse 9 "model.safetensors" assay run --model bent --tokens ids --out out
bend 'pass'; sed -i 's/"d_mlp": 32/"d_mlp": 33/' bent/config.json
refuse 9 "W_in" assay run --model bent --tokens ids --out out
refuse 9 "config.json" assay run --model void --tokens ids --out out

# tokens and text
refuse 9 "below 45, found 999" assay run --model model --tokens high --out out
refuse 9 "line 1" assay run --model model --tokens cut --out out
refuse 2 "blocks.0.hook_resid_mid" assay run --model model --tokens ids --hook blocks.3.x --out out
refuse 9 "empty.txt" assay eval --model model --sae sae --text empty.txt --out out
refuse 9 "void" assay erase --model model --text void --concept digit --out out

# specifications: syntax with line and column, a missing feature, vacuous
printf 'spec "x" version 1;\nap A = tok = "<"\nprop p: all G !A;' >a.spec
refuse 2 "a.spec:3:1: expected ';', found 'prop'" assay spec resolve a.spec --model model --out out
printf 'spec "x" version 1;\nuse sae T = "sae";\nap A = feat(T/999) > 0;\nprop p: all G !A;' >b.spec
refuse 2 "expected a feature of T below 24, found 999" assay spec resolve b.spec --model model --out out
printf 'spec "x" version 1;\nap A = tok = "<";\nprop p: all G (A | !A);' >c.spec
refuse 2 "vacuous" assay spec resolve c.spec --model model --out out

# targets that must not be replaced, and one that cannot be written
mkfifo pipe
refuse 2 "special file" assay run --model model --tokens ids --out pipe
[ -p pipe ] || fail "the pipe was replaced"
refuse 10 "cannot create" assay run --model model --tokens ids --out nowhere/out
refuse 2 "required" assay run --model model
echo "bad input: every case refused"
