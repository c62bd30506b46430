#!/usr/bin/env bash
# `assay gate`: a certificate against a policy, with the exit code for everything that can be wrong, and every output format.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
unset SOURCE_DATE_EPOCH ASSAY_SIGNING_KEY ASSAY_KEY_PASSPHRASE
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
# shellcheck source=tests/support/gate_case.sh
. "$ASSAY_SOURCE/tests/support/gate_case.sh"
expect 1 certify "$dir/a"
cert=$dir/a/tiny.cert.dsse.json
trust > "$dir/trust.json"
policy > "$dir/policy.json"
gate() { "$assay" gate "$dir/policy.json" "$cert" --model "$dir/model" --at "$now" "$@"; }
# with CODE EDIT [WORDS]: the policy after EDIT gives CODE, and the finding says WORDS.
with() {
  policy "$2" > "$dir/policy.json"
  expect "$1" gate --out "$dir/gate.json"
  [ -z "${3:-}" ] || grep -q -- "$3" "$dir/out" "$dir/err" || { cat "$dir/out" "$dir/err" >&2; fail "no '$3' for: $2"; }
  policy > "$dir/policy.json"
}

# The control passes, and says what was met.
expect 0 gate --out "$dir/gate.json" --summary "$dir/s.md" --sarif "$dir/full.sarif" --junit "$dir/j.xml" --badge "$dir/badge"
grep -q "^GATE PASSED (0): 2 of 2 required claims met" "$dir/out" || fail "headline: $(head -1 "$dir/out")"
head -1 "$dir/s.md" | grep -q "^✅ GATE PASSED (0)" || fail "line 1 of the summary"
python3 - "$dir" <<'P'
import json, sys, xml.dom.minidom
d = sys.argv[1]
g = json.load(open(d + "/gate.json"))
assert g["exitCode"] == 0 and g["result"] == "PASSED" and g["met"] == 2 and g["enforced"], g
assert [f["severity"] for f in g["findings"]] == ["warning"] * 2, g["findings"]   # not required, VIOLATED
r = json.load(open(d + "/full.sarif"))["runs"][0]
kinds = sorted((x["kind"], x["level"]) for x in r["results"])
assert kinds.count(("pass", "none")) == 2 and all(l == "none" for k, l in kinds if k != "fail"), kinds
for x in r["results"]:
    assert r["tool"]["driver"]["rules"][x["ruleIndex"]]["id"] == x["ruleId"]
    assert x["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1 and len(x["partialFingerprints"]["nncert/v1"]) == 64
x = xml.dom.minidom.parse(d + "/j.xml").documentElement
assert len(x.getElementsByTagName("testcase")) == 5 and not x.getElementsByTagName("failure"), x.toxml()
b = json.load(open(d + "/badge.json"))
assert b["schemaVersion"] == 1 and b["color"] == "blue" and "2 proved" in b["message"] and "exp 2026-08" in b["message"], b
xml.dom.minidom.parse(d + "/badge.svg")
P

# What is asked of claims.
with 1 'p["requireClaims"].append({"id": "greedy.no_digit", "minLevel": "PROVED"})' "VIOLATED"
python3 - "$dir/gate.json" <<'P'
import json, sys
g = json.load(open(sys.argv[1]))
assert g["exitCode"] == 1 and g["findings"][0]["claim"] == "greedy.no_digit" and g["met"] == 2 and g["required"] == 3, g
P
with 1 'p["forbidStatus"] = ["VIOLATED"]' "VIOLATED, not required"
with 3 'p["requireClaims"].append({"id": "nothing", "minLevel": "OBSERVED"})' "no claim of this name"
with 3 'p["requireClaims"][0]["maxBound"] = "1/2"' "no proof shows an upper bound"
with 3 'p["requireClaims"][0]["formal"] = "all G ! At"' "formula"
with 3 'p["requireClaims"][0]["domain"] = "every run of every model"' "domain"
with 3 'p["acceptAssumptions"] = ["A2", "A3"]' "assumes A1"
with 0 'p["acceptAssumptions"] = ["A1", "A2", "A3"]'
with 3 'p["acceptAssumptions"] = [{"id": "A1", "text": "The earth is flat."}, "A2", "A3"]' "assumes A1"
with 6 'p["resourceUri"] = "pkg:generic/test/other"' "is about"
with 6 'p["maxAgeDays"] = 20' "more than 20 days ago"
trust 't["keys"][0] = key("other", "certifier")' > "$dir/strangers.json"
with 4 'p["trustPolicy"] = "strangers.json"' "role 'certifier': 1 distinct"
with 2 'p["trustPolicySha256"] = "0" * 64' "pins"
with 2 'p["colour"] = 1' "found colour"
with 2 'p["registration"] = "r.json"' "found registration" # what is not built is refused, not read
trust 't["timestampAuthorities"] = ["tsa.pem"]' > "$dir/stamped.json"
with 2 'p["trustPolicy"] = "stamped.json"' "found timestampAuthorities"
with 2 'p["requireClaims"] = []' "at least one claim"
with 2 'p["requireClaims"][0]["minLevel"] = "ASSUMED"' "shows nothing"
with 2 'p["minCoverage"] = 0.5' "a float"
with 2 'p["version"] = 2' "expected 1"
with 2 'p["forbidStatus"] = ["HOLDS"]' "VIOLATED or UNKNOWN"
with 2 'p["baseline"] = {"certificate": "x", "allow": [{"change": "removed", "claim": "x"}]}' "why this is allowed"
with 2 'p["waivers"] = [{"claim": "x", "reason": "", "owner": "o", "expires": "2026-04-01T00:00:00Z"}]' "reason and owner"
expect 2 gate --policy-sha256 "$(printf 0%.0s {1..64})"
says "not the pinned"
expect 0 gate --policy-sha256 "$(sha256sum "$dir/policy.json" | cut -d' ' -f1)"
expect 2 gate --key "$dir/keys/certifier/public.pem"   # beside a trust policy it could only loosen

# Waivers: they excuse what a claim says until a day, and are printed.
waived='p["requireClaims"].append({"id": "greedy.no_digit", "minLevel": "PROVED"}); p["waivers"] = [{"claim": "greedy.no_digit", "reason": "digits are fine here", "owner": "Ada", "expires": "DAY"}]'
with 0 "${waived/DAY/2026-04-01T00:00:00Z}" "waived: digits are fine here (Ada, until 2026-04-01T00:00:00Z)"
with 1 "${waived/DAY/2026-02-28T00:00:00Z}" "its waiver expired"
with 3 'p["requireClaims"] = [{"id": "nothing", "minLevel": "PROVED"}]; p["waivers"] = [{"claim": "nothing", "reason": "r", "owner": "o", "expires": "2027-01-01T00:00:00Z"}]' "no required claim holds"

# --fail-on tightens, --soft says that it does not enforce.
expect 1 gate --fail-on warning
policy 'p["forbidStatus"] = ["VIOLATED"]' > "$dir/policy.json"
expect 0 gate --soft --out "$dir/gate.json" --summary "$dir/s.md"
grep -q "^GATE FAILED (1) NOT ENFORCED" "$dir/out" || fail "soft: $(head -1 "$dir/out")"
grep -q '"enforced": false' "$dir/gate.json" && grep -q "NOT ENFORCED" "$dir/s.md" || fail "soft is not said"
expect 1 gate --annotations --sarif "$dir/github.sarif" --sarif-profile github
python3 - "$dir/github.sarif" "$dir/out" <<'P'
import json, re, sys
r = json.load(open(sys.argv[1]))["runs"][0]
assert {(x["kind"], x["level"]) for x in r["results"]} == {("fail", "error")} and len(r["results"]) == 2, r["results"]
assert sorted(r["properties"]["holds"]) == ["greedy.quiet", "short.quiet"]
lines = open(sys.argv[2]).read().splitlines()
token = re.fullmatch("::stop-commands::(assay[0-9]+)", lines[0]).group(1)
assert "::" + token + "::" in lines and sum(l.startswith("::error ") for l in lines) == 2, lines
P
policy > "$dir/policy.json"

# The verification summary: PASSED or FAILED, by the gate's own key.
expect 0 gate --vsa "$dir/vsa.json" --vsa-key "$dir/keys/gate/private.pem"
vsa() { python3 -c '
import base64, json, sys
s = json.loads(base64.b64decode(json.load(open(sys.argv[1]))["payload"])); p = s["predicate"]
assert s["predicateType"] == "https://slsa.dev/verification_summary/v1" and s["subject"][0]["name"] == "tiny.model.sha256"
assert p["policy"]["digest"]["sha256"] == sys.argv[2] and p["resourceUri"] == "pkg:generic/test/tiny" and p["inputAttestations"]
print(p["verificationResult"])' "$dir/vsa.json" "$(sha256sum "$dir/policy.json" | cut -d' ' -f1)"; }
[ "$(vsa)" = PASSED ] || fail "the summary does not say PASSED"
policy 'p["forbidStatus"] = ["VIOLATED"]' > "$dir/policy.json"
expect 1 gate --vsa "$dir/vsa.json" --vsa-key "$dir/keys/gate/private.pem"
[ "$(vsa)" = FAILED ] || fail "the summary does not say FAILED"
policy > "$dir/policy.json"

# Against a baseline: itself is the same; a claim less, or a smaller domain, is a regression unless it is allowed with a reason.
mkdir "$dir/base" && cp -r "$dir/a/." "$dir/base"
baseline='p["baseline"] = {"certificate": "base/tiny.cert.dsse.json"}'
with 0 "$baseline"
sed 's/\[12,13,14\]/[12,13]/; ' "$dir/p.json" > "$dir/p2.json"
python3 - "$dir" <<'P'
import json, sys
d = sys.argv[1]
c = json.load(open(d + "/case.json"))
c["checks"][0]["prompts"] = "p2.json"
json.dump(c, open(d + "/narrow.json", "w"))
c["checks"] = c["checks"][1:]
json.dump(c, open(d + "/fewer.json", "w"))
c["checks"][0]["prompts"] = "p.json"
c["checks"][0]["maxNew"] = 2
json.dump(c, open(d + "/short.json", "w"))
P
expect 1 certify "$dir/narrow" narrow --previous "$dir/a/tiny.cert.dsse.json"
python3 - "$dir/narrow/tiny.cert.dsse.json" "$dir/a/tiny.cert.dsse.json" <<'P'
import base64, hashlib, json, sys
p = [base64.b64decode(json.load(open(f))["payload"]) for f in sys.argv[1:]]
assert json.loads(p[0])["predicate"]["certificate"]["previous"]["digest"]["sha256"] == hashlib.sha256(p[1]).hexdigest()
P
cert=$dir/narrow/tiny.cert.dsse.json
with 7 "$baseline" "weakened (domain)"
with 0 "$baseline; p['baseline']['allow'] = [{'change': 'weakened', 'claim': 'greedy.quiet', 'aspect': 'domain', 'reason': 'token 14 is no longer typed'}]" "allowed: token 14"
expect 7 "$assay" diff "$dir/a/tiny.cert.dsse.json" "$cert"
grep -q "weakened  greedy.quiet  domain" "$dir/out" || fail "diff: $(cat "$dir/out")"
expect 0 "$assay" diff "$cert" "$dir/a/tiny.cert.dsse.json"
grep -q "strengthened  greedy.quiet  domain" "$dir/out" || fail "diff back: $(cat "$dir/out")"
expect 1 certify "$dir/fewer" fewer
expect 7 "$assay" diff "$dir/a/tiny.cert.dsse.json" "$dir/fewer/tiny.cert.dsse.json"
grep -q "removed  greedy.quiet" "$dir/out" || fail "diff: $(cat "$dir/out")"
expect 0 "$assay" diff "$dir/a/tiny.cert.dsse.json" "$dir/fewer/tiny.cert.dsse.json" --allow removed --allow weakened
expect 1 certify "$dir/short" short
expect 7 "$assay" diff "$dir/fewer/tiny.cert.dsse.json" "$dir/short/tiny.cert.dsse.json"
echo "gate: ok"
