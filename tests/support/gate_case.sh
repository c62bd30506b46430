# Sourced after cli.sh: a signed certificate $dir/a/tiny.cert.dsse.json of $dir/model, keys, trust and gate policies to change.
# shellcheck shell=bash
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir"
cat > "$dir/t.spec" <<'S'
spec "t" version 1;
use model M = "model";
class digit = /[0-9]/;
ap Digit = tok in digit;
ap At = tok = "@";
prop quiet: all G(At -> X !At) doc "No two at signs in a row.";
prop no_digit: all G !Digit doc "Never writes a digit.";
S
echo '{"tokens":[[3,4],[12,13,14],[20]]}' > "$dir/p.json"
cat > "$dir/case.json" <<'C'
{"assay-case": 1, "name": "tiny", "serial": "1", "sequence": 7, "validDays": 200, "resourceUri": "pkg:generic/test/tiny", "model": "model",
 "checks": [{"name": "greedy", "spec": "t.spec", "decoder": "greedy", "prompts": "p.json"},
            {"name": "short", "spec": "t.spec", "decoder": "top-k:2", "prompts": "p.json", "maxNew": 3}]}
C
for name in certifier reviewer revoker root gate; do "$assay" key new --out "$dir/keys/$name" > /dev/null; done
"$assay" key new --scheme p256 --out "$dir/keys/other" > /dev/null   # both schemes in one envelope
certify() { "$assay" --quiet certify "$dir/${2:-case}.json" --key "$dir/keys/certifier/private.pem" --time 2026-01-31T00:00:00Z --out "$1" "${@:3}"; }
now=2026-03-01T00:00:00Z

# trust EDIT > FILE: the trust policy after a Python EDIT of `t`; `pem(name)` is a public key, `key(name, role, …)` its entry.
trust() {
  python3 - "$dir" "${1:-pass}" <<'P'
import json, sys
folder = sys.argv[1]
def pem(name):
    return open(f"{folder}/keys/{name}/public.pem").read()
def key(name, role=None, **more):
    return {"public": pem(name), "roles": [role or name], **more}
t = {"version": 3, "expires": "2026-12-31T00:00:00Z", "keys": [key("certifier"), key("revoker"), key("root")],
     "require": [{"role": "certifier", "threshold": 1}, {"role": "revoker", "threshold": 1}, {"role": "root", "threshold": 1}],
     "predicateTypes": ["https://assay.invalid/nn-certificate/v1"], "resourceUris": ["pkg:generic/test/tiny"], "minSequence": 7}
exec(sys.argv[2])
print(json.dumps(t))
P
}
# policy EDIT > FILE: the gate policy after a Python EDIT of `p`.
policy() {
  python3 - "${1:-pass}" <<'P'
import json, sys
p = {"version": 1, "trustPolicy": "trust.json", "resourceUri": "pkg:generic/test/tiny",
     "requireClaims": [{"id": "greedy.quiet", "minLevel": "PROVED"}, {"id": "short.quiet", "minLevel": "PROVED"}],
     "forbidStatus": [], "onUnknown": "fail", "minCoverage": "1", "maxAgeDays": 90}
exec(sys.argv[1])
print(json.dumps(p))
P
}
