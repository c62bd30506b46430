#!/usr/bin/env bash
# The samples of examples/ci, their script lines run as they stand: each passes the control and blocks what the policy forbids.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
unset SOURCE_DATE_EPOCH ASSAY_SIGNING_KEY ASSAY_KEY_PASSPHRASE
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
# shellcheck source=tests/support/gate_case.sh
. "$ASSAY_SOURCE/tests/support/gate_case.sh"
mkdir -p "$dir/work/release" "$dir/work/protected"
# Judged by the clock, as a pipeline is: issued today.
today=$(date -u +%Y-%m-%dT00:00:00Z)
expect 1 "$assay" --quiet certify "$dir/case.json" --key "$dir/keys/certifier/private.pem" --time "$today" --out "$dir/work/release"
cd "$dir/work"
mv release/tiny.cert.dsse.json release/model.cert.dsse.json
cp -r "$dir/model" release/model
trust 't["expires"] = "9999-01-01T00:00:00Z"' > protected/trust.json
lines() { # the script lines of a sample, in order
  python3 - "$ASSAY_SOURCE/examples/ci/$1" <<'P'
import re, sys
out, inside, indent = [], False, 0
for line in open(sys.argv[1]):
    width = len(line) - len(line.lstrip())
    if inside and line.strip() and width <= indent:
        inside = False
    if inside:
        text = line.strip()
        out.append(text[2:] if text.startswith("- ") else text)
    if re.match(r"\s*(- )?run: \||\s*script:\s*$", line):
        inside, indent = True, width
print("\n".join(out))
P
}
lines github.yml > "$dir/github.sh"
lines gitlab.yml > "$dir/gitlab.sh"
cp "$ASSAY_SOURCE/examples/ci/gate.sh" "$dir/plain.sh"
for sample in github gitlab plain; do grep -q "assay gate" "$dir/$sample.sh" || fail "$sample: no script line found"; done
sample() { # NAME DIGEST
  rm -rf out "$dir/step.md"
  env POLICY=protected/policy.json CERT=release/model.cert.dsse.json MODEL=release/model OUT=out POLICY_SHA256="$2" GATE_POLICY_SHA256="$2" \
    GITHUB_STEP_SUMMARY="$dir/step.md" sh -e "$dir/$1.sh"
}
for name in github gitlab plain; do
  policy > protected/policy.json
  good=$(sha256sum protected/policy.json | cut -d' ' -f1)
  expect 0 sample $name "$good"
  for file in gate.json summary.md gate.xml; do [ -s out/$file ] || fail "$name: no $file"; done
  policy 'p["forbidStatus"] = ["VIOLATED"]' > protected/policy.json
  expect 2 sample $name "$good"   # the policy was changed
  expect 1 sample $name "$(sha256sum protected/policy.json | cut -d' ' -f1)"
  [ $name != github ] || head -1 "$dir/step.md" | grep -q "GATE FAILED (1)" || fail "no step summary"
done
echo "ci samples: ok"
