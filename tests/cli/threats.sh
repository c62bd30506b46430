#!/usr/bin/env bash
# The threat table, row by row: each attack is refused with its exit code, and the untouched control is accepted before and after.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
unset SOURCE_DATE_EPOCH ASSAY_SIGNING_KEY ASSAY_KEY_PASSPHRASE
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
# shellcheck source=tests/support/gate_case.sh
. "$ASSAY_SOURCE/tests/support/gate_case.sh"
command -v openssl > /dev/null || { echo "SKIPPED: openssl is not installed; the threat table was NOT run"; exit 77; }
expect 1 certify "$dir/a"
cp -r "$dir/a" "$dir/kept"
cp -r "$dir/model" "$dir/kept-model"
cert=$dir/a/tiny.cert.dsse.json
trust > "$dir/trust.json"
policy > "$dir/policy.json"
verify() { "$assay" verify "$cert" --model "$dir/model" --trust "$dir/trust.json" --at "$now" "$@"; }
gate() { "$assay" gate "$dir/policy.json" "$cert" --model "$dir/model" --at "$now" "$@"; }
rows=0
threat() { rows=$((rows + 1)); echo "row $1: $2"; }
# attack CODE COMMAND…: after what was done to the files, verify (or the command) gives CODE; then everything is as before, and accepted.
attack() {
  local want=$1
  shift
  [ $# -gt 0 ] || set -- verify
  expect "$want" "$@"
  mend
  expect 0 verify
}
mend() {
  rm -rf "$dir/a" "$dir/model" && cp -r "$dir/kept" "$dir/a" && cp -r "$dir/kept-model" "$dir/model"
  trust > "$dir/trust.json" && policy > "$dir/policy.json"
}
flip() { python3 -c '
import sys; p = sys.argv[1]; b = bytearray(open(p, "rb").read()); b[len(b) // 2] ^= 1; open(p, "wb").write(b)' "$1"; }
resign() { python3 "$ASSAY_SOURCE/tests/support/resign.py" "$cert" "$dir/keys/${2:-certifier}/private.pem" "$1"; }
# envelope EDIT: a Python edit of the envelope `e`, without signing.
envelope() { python3 - "$cert" "$1" <<'P'
import base64, json, sys
e = json.load(open(sys.argv[1]))
exec(sys.argv[2])
json.dump(e, open(sys.argv[1], "w"))
P
}
# payload EDIT: the payload's bytes `b` edited, and signed by the certifier.
payload() { python3 - "$cert" "$dir/keys/certifier/private.pem" "$1" <<'P'
import base64, json, subprocess, sys, tempfile
e = json.load(open(sys.argv[1]))
b = base64.b64decode(e["payload"])
before = b
exec(sys.argv[3])
assert b != before
with tempfile.NamedTemporaryFile() as f:
    f.write(b"DSSEv1 28 application/vnd.in-toto+json %d " % len(b) + b)
    f.flush()
    sig = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", sys.argv[2], "-rawin", "-in", f.name], check=True, stdout=subprocess.PIPE).stdout
e["payload"] = base64.b64encode(b).decode()
e["signatures"][0]["sig"] = base64.b64encode(sig).decode()
json.dump(e, open(sys.argv[1], "w"))
P
}
expect 0 verify
expect 0 gate

threat 1 "swapped weights"
flip "$dir/model/model.safetensors"; attack 5

threat 2 "two files renamed; a renaming that keeps the OMS root"
mv "$dir/model/config.json" "$dir/t"; mv "$dir/model/tokenizer.json" "$dir/model/config.json"; mv "$dir/t" "$dir/model/tokenizer.json"; attack 5
mv "$dir/model/config.json" "$dir/model/config.json.bak"; mv "$dir/model/model.safetensors" "$dir/model/n.safetensors"; attack 5

threat 3 "an extra file that a loader takes first"
for name in pytorch_model.bin modeling.py adapter_model.safetensors; do touch "$dir/model/$name"; attack 5; done

threat 4 "two subjects, of which only one matches"
payload 's = json.loads(b); s["subject"].append({"name": "spec", "digest": {"sha256": "0" * 64}}); b = json.dumps(s, sort_keys=True, separators=(",", ":")).encode()'; attack 9

threat 5 "symlink, hard link to a file that changes, case-fold twin"
mv "$dir/model/config.json" "$dir/t.json"; ln -s "$dir/t.json" "$dir/model/config.json"; attack 5
touch "$dir/model/Config.json"; attack 5
mkfifo "$dir/model/pipe"; attack 5

threat 6 "replayed, of another product, expired, list out of date"
trust 't["minSequence"] = 8' > "$dir/trust.json"; attack 6
trust 't["resourceUris"] = ["pkg:generic/test/other"]' > "$dir/trust.json"; attack 6
attack 6 "$assay" verify "$cert" --model "$dir/model" --trust "$dir/trust.json" --at 2026-12-01T00:00:00Z
attack 6 "$assay" verify "$cert" --model "$dir/model" --trust "$dir/trust.json" --at 2026-01-30T00:00:00Z
trust 't["maxAgeDays"] = 20' > "$dir/trust.json"; attack 6
echo '{"trustVersion": 4, "revocationSequence": 0, "sequences": {}}' > "$dir/seen.json"; attack 6 verify --state "$dir/seen.json"
echo '{"trustVersion": 3, "revocationSequence": 0, "sequences": {"pkg:generic/test/tiny": 8}}' > "$dir/seen.json"; attack 6 verify --state "$dir/seen.json"
rm "$dir/seen.json"; expect 0 verify --state "$dir/seen.json"
grep -q '"pkg:generic/test/tiny":7' "$dir/seen.json" || fail "what was seen is not kept: $(cat "$dir/seen.json")"

threat 7 "freeze: the revocation list withheld, old, or signed by somebody else"
list() { # list FILE EDIT SIGNER
  python3 -c "
import json; l = {'sequence': 5, 'issuedAt': '2026-02-01T00:00:00Z', 'nextUpdate': '2026-04-01T00:00:00Z', 'entries': []}
$2
json.dump(l, open('$dir/list.json', 'w'))"
  expect 0 "$assay" revoke "$dir/list.json" --key "$dir/keys/${3:-revoker}/private.pem" --out "$1"
}
needs='t["revocation"] = "require"'
trust "$needs" > "$dir/trust.json"; list "$dir/list" pass; expect 0 verify --revocation "$dir/list"
attack 6
trust "$needs" > "$dir/trust.json"; attack 6 verify --revocation "$dir/none"
trust "$needs" > "$dir/trust.json"; list "$dir/list" 'l["nextUpdate"] = "2026-02-28T00:00:00Z"'; attack 6 verify --revocation "$dir/list"
trust "$needs" > "$dir/trust.json"; list "$dir/list" pass certifier; attack 4 verify --revocation "$dir/list"
digest=$(python3 -c 'import base64, hashlib, json, sys; print(hashlib.sha256(base64.b64decode(json.load(open(sys.argv[1]))["payload"])).hexdigest())' "$cert")
list "$dir/list" "l['entries'] = [{'certificateSha256': '$digest', 'reason': 'a wrong spec'}]"; attack 6 verify --revocation "$dir/list"
list "$dir/list" "l['entries'] = [{'certificateSha256': '$digest', 'reason': 'later', 'invalidAfter': '2026-03-02T00:00:00Z'}]"; attack 0 verify --revocation "$dir/list"
id=$("$assay" --json key show "$dir/keys/certifier/public.pem" | python3 -c 'import json, sys; print(json.load(sys.stdin)["keyid"])')
list "$dir/list" "l['entries'] = [{'keyid': '$id', 'reason': 'lost', 'invalidAfter': '2026-02-01T00:00:00Z'}]"; attack 6 verify --revocation "$dir/list"
trust 't["expires"] = "2026-02-01T00:00:00Z"' > "$dir/trust.json"; attack 6

threat 8 "downgraded specification: true, an empty domain, a narrower one"
sed 's/all G(At -> X !At)/all G(At -> (At | Digit))/' "$dir/t.spec" > "$dir/true.spec"
python3 - "$dir" <<'P'
import json, sys
c = json.load(open(sys.argv[1] + "/case.json"))
for check in c["checks"]:
    check["spec"] = "true.spec"
json.dump(c, open(sys.argv[1] + "/true.json", "w"))
P
expect 2 certify "$dir/true" true   # nothing can violate it: it is not even certified
python3 - "$dir" <<'P'
import json, sys
c = json.load(open(sys.argv[1] + "/case.json"))
c["checks"][0]["maxNew"] = 2
json.dump(c, open(sys.argv[1] + "/less.json", "w"))
json.dump({"tokens": [[3], [], [20]]}, open(sys.argv[1] + "/p0.json", "w"))
c["checks"][0]["prompts"] = "p0.json"
json.dump(c, open(sys.argv[1] + "/empty.json", "w"))
P
code=0; certify "$dir/empty" empty > /dev/null 2>&1 || code=$?
case $code in 2|9) ;; *) fail "an empty domain was certified: exit $code" ;; esac
expect 1 certify "$dir/less" less
cp -r "$dir/kept" "$dir/base"
policy 'p["baseline"] = {"certificate": "base/tiny.cert.dsse.json"}' > "$dir/policy.json"
attack 7 "$assay" gate "$dir/policy.json" "$dir/less/tiny.cert.dsse.json" --model "$dir/model" --at "$now"

threat 10 "forged or garbled proof; proofs swapped between claims"
flip "$dir/a/evidence/checks/greedy/runs.cert"; attack 8
resign 'put("checks/greedy/runs.cert", open(folder + "checks/greedy/runs.cert").read().replace("exact", "exaxt", 1))'; attack 8
resign 'c["greedy.quiet"]["recheck"], c["short.quiet"]["recheck"] = c["short.quiet"]["recheck"], c["greedy.quiet"]["recheck"]'; attack 8
resign 'c["greedy.quiet"]["recheck"]["accepts"] = "no_digit"'; attack 8
printf '#!/bin/sh\nexit 1\n' > "$dir/checker"; chmod +x "$dir/checker"; attack 8 verify --check "$dir/checker"
attack 8 verify --check "$dir/no-checker"

threat 11 "level inflated, a link of the chain left out, signed by the trusted key"
resign 'c["greedy.quiet"]["levelChain"].append({"level": "OBSERVED", "link": "seen"})'; attack 8
resign 'c["greedy.quiet"]["levelChain"] = []'; attack 8
resign 'c["greedy.quiet"]["recheck"]["statement"] = "HOLDS of everything"'; attack 8
resign 'del c["greedy.quiet"]["recheck"]'; attack 8

threat 12 "words of an attacker in every format"
python3 - "$dir" <<'P'
import json, sys
d = sys.argv[1]
p = json.load(open(d + "/policy.json"))
evil = "<script>alert(1)</script>](javascript:x)\n::error::x %0A ##[error]y | `z` \u202e \u001b[31m \"'&"
p["requireClaims"].append({"id": evil, "minLevel": "PROVED"})
p["waivers"] = [{"claim": "greedy.no_digit", "reason": evil, "owner": evil, "expires": "2026-04-01T00:00:00Z"}]
p["requireClaims"].append({"id": "greedy.no_digit", "minLevel": "PROVED"})
json.dump(p, open(d + "/policy.json", "w"))
P
expect 3 gate --annotations --out "$dir/g.json" --summary "$dir/g.md" --sarif "$dir/g.sarif" --junit "$dir/g.xml" --badge "$dir/g"
python3 - "$dir" <<'P'
import json, sys, xml.dom.minidom
d = sys.argv[1]
md = open(d + "/g.md").read()
assert "<script" not in md and "](" not in md and "\u202e" not in md and "\x1b" not in md
assert not any(l.startswith("::") for l in md.splitlines())
out = open(d + "/out").read().splitlines()
stop = out[0].split("::")[2]
inside = out[1:out.index("::" + stop + "::")]
after = out[out.index("::" + stop + "::") + 1:]
assert not any(l.lstrip().startswith("::") for l in inside), inside
assert all(l.startswith(("::error ", "::warning ", "::notice ")) for l in after if l), after
assert not any("\x1b" in l or "\u202e" in l for l in out)
assert xml.dom.minidom.parse(d + "/g.xml") and "\x1b" not in open(d + "/g.xml").read()
xml.dom.minidom.parse(d + "/g.svg")
json.load(open(d + "/g.json")), json.load(open(d + "/g.sarif"))
P
mend
resign 'c["greedy.quiet"]["text"] = "<script>alert(1)</script> ::error::x"'; expect 0 verify
expect 0 "$assay" report "$cert" --out "$dir/r.html"
! grep -q "<script" "$dir/r.html" || fail "script in the report"
mend
printf 'x' >> "$cert"; attack 9

threat 13 "payload type flipped; two payloads"
envelope 'e["payloadType"] = "application/json"'; attack 4
sed -i 's/"payload":/"payload":"e30=","payload":/' "$cert"; attack 9

threat 14 "thresholds: one key twice, two names of a key, ids swapped, no id"
two='t["keys"].append(key("other", "certifier")); t["require"][0]["threshold"] = 2'
trust "$two" > "$dir/trust.json"; attack 4
trust "$two" > "$dir/trust.json"; envelope 'e["signatures"] *= 2'; attack 4
trust "$two" > "$dir/trust.json"; envelope 'e["signatures"].append(dict(e["signatures"][0], keyid="SHA256:other"))'; attack 4
trust "$two" > "$dir/trust.json"; envelope 'e["signatures"].append({"sig": e["signatures"][0]["sig"]})'; attack 4
trust 't["keys"].append(key("certifier", "reviewer")); t["require"].append({"role": "reviewer", "threshold": 1})' > "$dir/trust.json"; attack 2
trust 't["keys"][0]["roles"] = ["certifier", "reviewer"]; t["require"].append({"role": "reviewer", "threshold": 1})' > "$dir/trust.json"; attack 2
expect 2 "$assay" sign "$cert" --key "$dir/keys/certifier/private.pem"   # a second time
trust "$two" > "$dir/trust.json"; expect 0 "$assay" sign "$cert" --key "$dir/keys/other/private.pem"; attack 0
trust "$two" > "$dir/trust.json"; expect 0 "$assay" sign "$cert" --key "$dir/keys/other/private.pem"
envelope 'a, b = e["signatures"]; a["keyid"], b["keyid"] = b["keyid"], a["keyid"]'; attack 0   # a hint decides nothing
trust 't["require"].append({"role": "reviewer", "threshold": 1}); t["keys"].append(key("reviewer"))' > "$dir/trust.json"; attack 4

threat 15 "weak keys: small order, another curve"
small='-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n'
trust "t['keys'].append({'public': '$small', 'roles': ['certifier']})" > "$dir/trust.json"; attack 2
printf '%b' "$small" > "$dir/small.pem"; attack 4 "$assay" verify "$cert" --model "$dir/model" --key "$dir/small.pem" --at "$now"
openssl ecparam -name secp384r1 -genkey -noout 2> /dev/null | openssl ec -pubout -out "$dir/p384.pem" 2> /dev/null
attack 4 "$assay" verify "$cert" --model "$dir/model" --key "$dir/p384.pem" --at "$now"

threat 16 "a key that was given away"
trust 't["keys"][0]["revokedAt"] = "2026-02-15T00:00:00Z"' > "$dir/trust.json"; attack 6
trust 't["keys"][0]["revokedAt"] = "2026-03-15T00:00:00Z"' > "$dir/trust.json"; attack 0
trust 't["keys"][0]["validUntil"] = "2026-02-15T00:00:00Z"' > "$dir/trust.json"; attack 6
trust 't["keys"][0]["validFrom"] = "2026-02-15T00:00:00Z"' > "$dir/trust.json"; attack 6   # issued before

threat 17 "the trust policy edited in the same change"
expect 0 gate
pinned=$(sha256sum "$dir/trust.json" | cut -d' ' -f1)
policy "p['trustPolicySha256'] = '$pinned'" > "$dir/policy.json"; expect 0 gate
trust 't["minSequence"] = 1' > "$dir/trust.json"; attack 2 gate
pinned=$(sha256sum "$dir/policy.json" | cut -d' ' -f1); policy 'p["minCoverage"] = "0"' > "$dir/policy.json"; attack 2 gate --policy-sha256 "$pinned"

threat 18 "JSON that parsers read differently"
for edit in 'b = b"\xef\xbb\xbf" + b' 'b = b + b" {}"' 'b = b.replace(b"{", b"{\"_type\":\"x\",", 1)' 'b = b[:-1] + b",\"x\":" + b"[" * 100 + b"]" * 100 + b"}"' \
  'b = b.replace(b"\"schemaVersion\":", b"\"n\":1e400,\"schemaVersion\":")' 'b = b.replace(b"\"schemaVersion\":", b"\"n\":9007199254740993,\"schemaVersion\":")' \
  'b = b.replace(b"\"schemaVersion\":", b"\"n\":\"\\ud800\",\"schemaVersion\":")' 'b = b.replace(b"\"schemaVersion\":", b"\"n\":\"\xff\",\"schemaVersion\":")' \
  'b = b.replace(b"\"schemaVersion\":", b"\"n\":1.5,\"schemaVersion\":")' 'b = b[:-1]'; do
  payload "$edit"; attack 9
done

threat 20 "a pickle, or another format, in place of the weights"
printf '\x80\x04\x95garbage' > "$dir/model/model.safetensors"; attack 5

threat 24 "certified with a file, deployed without it"
rm "$dir/model/tokenizer.json"; attack 5

threat 25 "a hostile certifier: all of the evidence again, in another place, with a key of one's own choice"
mkdir "$dir/clean" && cp -r "$dir/kept/evidence" "$dir/clean/ev" && cp "$dir/kept/tiny.cert.dsse.json" "$dir/clean/c.json"
attack 0 "$assay" verify "$dir/clean/c.json" --model "$dir/model" --key "$dir/keys/certifier/public.pem" --evidence "$dir/clean/ev" --manifest "$dir/a/tiny.model.sha256" --at "$now"
rm "$dir/a/evidence/checks/greedy/runs.cert"; attack 8
echo "threats: ok ($rows rows)"
