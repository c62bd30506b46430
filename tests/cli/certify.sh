#!/usr/bin/env bash
# A case from claims to a signed certificate: reproducible, re-checked, and refused when anything changes.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
unset SOURCE_DATE_EPOCH ASSAY_SIGNING_KEY
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
expect() { # expect CODE COMMAND…
  local code=$1 got=0; shift
  "$@" >"$work/out" 2>"$work/err" || got=$?
  [ "$got" = "$code" ] || { cat "$work/out" "$work/err" >&2; fail "exit $got, not $code: $*"; }
}

python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$work"
cat >"$work/all.spec" <<'S'
spec "tiny" version 1;
use sae T = "sae";
use readout probe = "probe.json";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
ap On = feat(T/best_feature(digit, "blocks.0.hook_resid_mid")) > 0;
ap Read = read(probe) >= 1000;
prop never_loud: all absent(Read) doc "The probe never reads more than 1000.";
prop never_at: all absent(At) doc "Never writes an at sign.";
prop on_at_digits: all G(On -> Digit) doc "The digit feature is on at digits only.";
S
cat >"$work/case.json" <<'C'
{"assay-case": 1, "name": "tiny", "serial": "1", "resourceUri": "pkg:generic/test/tiny", "scope": "A tiny model.", "validDays": 30,
 "model": "model", "text": "text", "dictionaries": {"T": "sae"}, "evalTokens": 2000, "cards": 3,
 "bounds": {"suggest": 1, "known": 2, "honest": true, "dictionary": "T"},
 "erasures": [{"concept": "digit", "maxTokens": 2000}],
 "automaton": {"dictionary": "T", "runs": 30, "maxNew": 16},
 "spec": {"file": "all.spec", "readouts": {"probe": "digit/probe_erased"}}}
C
expect 0 assay key new --out "$work/keys"
run() { assay --quiet certify "$work/case.json" --key "$work/keys/private.pem" --time 2026-01-31T00:00:00Z --out "$1"; }
verify() { assay verify "$work/${2:-a}/tiny.cert.dsse.json" --model "$1" --key "$work/keys/public.pem" --at 2026-02-01T00:00:00Z; }

code=0; run "$work/a" >"$work/first" || code=$?
case "$code" in 0|1|3) ;; *) cat "$work/first" >&2; fail "certify: exit $code" ;; esac
grep -q "HOLDS OBSERVED  erasure.digit-fit" "$work/first" || fail "no erasure claim: $(cat "$work/first")"
grep -q "spec.never_at" "$work/first" || fail "no spec claim"
grep -Eq "(HOLDS PROVED|VIOLATED OBSERVED)  (feature|token)-" "$work/first" || fail "no claim over all contexts"

# The same case gives the same bytes.
run "$work/b" >"$work/second" || true
cmp "$work/a/tiny.cert.dsse.json" "$work/b/tiny.cert.dsse.json" || fail "two runs differ"
diff -r "$work/a/evidence" "$work/b/evidence" || fail "evidence differs"

# The control is accepted; without a key, or with another one, it is not.
expect 0 verify "$work/model"
grep -q "claims accepted again by assay-check" "$work/out" || fail "nothing was re-checked"
expect 4 assay verify "$work/a/tiny.cert.dsse.json" --model "$work/model" --at 2026-02-01T00:00:00Z
expect 0 assay key new --out "$work/other"
expect 4 assay verify "$work/a/tiny.cert.dsse.json" --model "$work/model" --key "$work/other/public.pem" --at 2026-02-01T00:00:00Z
expect 6 assay verify "$work/a/tiny.cert.dsse.json" --model "$work/model" --key "$work/keys/public.pem" --at 2027-02-01T00:00:00Z

# One flipped bit in any file is found, with the documented code, and mending it heals.
flip() { python3 -c '
import sys; p = sys.argv[1]; b = bytearray(open(p, "rb").read()); b[len(b) // 2] ^= 1; open(p, "wb").write(b)' "$1"; }
for file in "$work"/model/*; do
  flip "$file"; expect 5 verify "$work/model"; flip "$file"
done
while read -r file; do
  flip "$file"; expect 8 verify "$work/model"; flip "$file"
done < <(python3 - "$work/a" <<'P'
import base64, json, sys
payload = json.loads(base64.b64decode(json.load(open(sys.argv[1] + "/tiny.cert.dsse.json"))["payload"]))
for evidence in payload["predicate"]["evidence"]:
    print(sys.argv[1] + "/evidence/" + evidence["name"])
P
)
flip "$work/a/tiny.model.sha256"; expect 5 verify "$work/model"; flip "$work/a/tiny.model.sha256"
python3 - "$work/a/tiny.cert.dsse.json" "$work/bent.json" <<'P'
import base64, json, sys
e = json.load(open(sys.argv[1])); b = bytearray(base64.b64decode(e["payload"])); b[len(b) // 2] ^= 1
e["payload"] = base64.b64encode(bytes(b)).decode(); json.dump(e, open(sys.argv[2], "w"))
P
mkdir "$work/c" && cp -r "$work/a/." "$work/c" && cp "$work/bent.json" "$work/c/tiny.cert.dsse.json"
expect 4 verify "$work/model" c
expect 0 verify "$work/model"

# The report is made from the payload and its evidence alone.
expect 0 assay report "$work/a/tiny.cert.dsse.json" --out "$work/report.html"
grep -q "<h1>tiny</h1>" "$work/report.html" || fail "no title in the report"
! grep -Eq '>[0-9.]+e[0-9.]+\.[0-9]' "$work/report.html" || fail "a number that is none in the report"
! grep -Eqi "<script|https?://[^w]" "$work/report.html" || fail "script or address in the report"

# In every form it is made anew and compared with the signed bytes; one altered bit is found.
report_of() { verify "$work/model" a --report "$1"; }
verify() { assay verify "$work/${2:-a}/tiny.cert.dsse.json" --model "$1" --key "$work/keys/public.pem" --at 2026-02-01T00:00:00Z "${@:3}"; }
for form in html md json; do
  expect 0 assay report "$work/a/tiny.cert.dsse.json" --out "$work/report.$form"
  expect 0 report_of "$work/report.$form"
  grep -q "the report says what the signed payload says" "$work/out" || fail "--report was not compared"
  flip "$work/report.$form"; expect 8 report_of "$work/report.$form"; flip "$work/report.$form"
done
expect 2 assay report "$work/a/tiny.cert.dsse.json" --out "$work/report.txt"
expect 2 env ASSAY_CHROMIUM="$work/none" assay report "$work/a/tiny.cert.dsse.json" --out "$work/report.pdf"
if command -v chromium >/dev/null; then
  expect 0 assay report "$work/a/tiny.cert.dsse.json" --out "$work/report.pdf"
  [ "$(head -c 5 "$work/report.pdf")" = "%PDF-" ] || fail "no PDF"
fi
for format in cyclonedx spdx model-card; do
  expect 0 assay export "$work/a/tiny.cert.dsse.json" --format "$format" --out "$work/export.$format"
  [ -s "$work/export.$format" ] || fail "$format: nothing was written"
done
expect 2 assay export "$work/a/tiny.cert.dsse.json" --format other --out "$work/export.other"

# The next certificate names this one, and its report says what changed.
sed 's/"serial": "1"/"serial": "2", "previous": "a\/tiny.cert.dsse.json"/' "$work/case.json" >"$work/next.json"
assay --quiet certify "$work/next.json" --key "$work/keys/private.pem" --time 2026-02-28T00:00:00Z --out "$work/next" >/dev/null || true
expect 0 assay report "$work/next/tiny.cert.dsse.json" --out "$work/next.html"
grep -q "0 claims changed, 0 added, 0 removed since 2026-01-31" "$work/next.html" || fail "the report does not compare with the last certificate"

# Bad input: what is wrong, and nothing is left behind.
bad() { # bad PYTHON-EDIT EXPECTED-WORDS
  python3 -c "import json; c = json.load(open('$work/case.json')); $1; json.dump(c, open('$work/bad.json', 'w'))"
  expect 2 assay --quiet certify "$work/bad.json" --key "$work/keys/private.pem" --time 2026-01-31T00:00:00Z --out "$work/bad"
  grep -q "$2" "$work/err" || fail "message: $(cat "$work/err")"
  [ ! -e "$work/bad/tiny.cert.dsse.json" ] || fail "a certificate after an error"
}
bad "c['colour'] = 'red'" "found colour"
bad "c['bounds']['dictionary'] = 'U'" "bounds.dictionary: expected a name of dictionaries, found U"
bad "del c['automaton']" "automaton: expected an object"
bad "c['spec']['readouts'] = {}" "readout probe: expected an entry"
bad "c['erasures'] *= 2" "digit again"
bad "[c.pop(k) for k in ('bounds', 'erasures', 'spec')]" "at least one of bounds, spec, erasures"
bad "c['decoder'] = {'minP': '2'}" "min-p"
expect 2 assay certify "$work/case.json" --key "$work/keys/private.pem" --out "$work/bad"   # validDays without a time
expect 2 assay certify "$work/case.json" --time 2026-01-31T00:00:00Z --out "$work/bad"      # no key

# A full disk: exit 10, no certificate.
code=0; (trap '' XFSZ; ulimit -f 64; run "$work/full" >"$work/out" 2>"$work/err") || code=$?
[ "$code" = 10 ] || { cat "$work/err" >&2; fail "full disk: exit $code, not 10"; }
[ ! -e "$work/full/tiny.cert.dsse.json" ] || fail "a certificate on a full disk"
echo "certify: ok"
