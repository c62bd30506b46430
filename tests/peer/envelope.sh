#!/usr/bin/env bash
# Our envelope in other people's hands: openssl and jq alone, securesystemslib, @sigstore/verify. The golden vector and a certificate with
# two signers (Ed25519 and P-256) are accepted by each, a tampered one is refused by each.
set -euo pipefail
export PATH="$ASSAY_BIN:$PATH"
# shellcheck source=tests/support/cli.sh
. "$ASSAY_SOURCE/tests/support/cli.sh"
for tool in openssl jq; do command -v $tool > /dev/null || { echo "SKIPPED: $tool is not installed; envelopes were NOT compared"; exit 77; }; done
cd "$dir"
seed=302e020100300506032b657004220420000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
printf '%s' $seed | xxd -r -p | openssl pkey -inform DER -out golden.pem 2> /dev/null
openssl pkey -in golden.pem -pubout -out golden.pub 2> /dev/null
python3 - <<'P'
import base64, json
subject = "1848854733eeee90e0e7eef5cac46c96405bc18a40a310650d9e7abb94865b8b"
payload = ('{"_type":"https://in-toto.io/Statement/v1","predicate":{"schemaVersion":"1.0.0"},"predicateType":"https://example.org/nncert/certificate/v1","subject":[{"digest":{"sha256":"'
           + subject + '"},"name":"model.sha256"}]}').encode()
assert len(payload) == 264
json.dump({"payload": base64.b64encode(payload).decode(), "payloadType": "application/vnd.in-toto+json", "signatures": [{"keyid": "x", "sig": "AAAA"}]}, open("g.json", "w"))
P
expect 0 "$assay" key new --scheme p256 --out ec
expect 0 "$assay" sign g.json --key golden.pem
expect 0 "$assay" sign g.json --key ec/private.pem --bundles
sig=$(jq -r '.signatures[1].sig' g.json)
[ "$sig" = "q6WOOSMDSd3m2GdS1xNKhqaf+Pmm7cEX0yhKtNZ7y000R7CYa5MJjnDxo2aryLvttHO4Pn+BvirwQShGF2XADw==" ] || fail "the golden signature is another one: $sig"
[ "$(jq -r '.signatures[1].keyid' g.json)" = "SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg" ] || fail "the golden key id is another one"
jq '.signatures |= .[1:]' g.json > two.json
jq '.payload |= (@base64d | sub("1.0.0"; "1.0.1") | @base64)' two.json > bent.json

by_openssl() { # FILE INDEX KEY
  jq -rj .payload "$1" | base64 -d > p
  { printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(stat -c%s p)"; cat p; } > pae
  jq -rj ".signatures[$2].sig" "$1" | base64 -d > s
  if [ "$2" = 0 ]; then openssl pkeyutl -verify -pubin -inkey "$3" -rawin -in pae -sigfile s
  else openssl dgst -sha256 -verify "$3" -signature s pae; fi
}
expect 0 by_openssl two.json 0 golden.pub
expect 0 by_openssl two.json 1 ec/public.pem
expect 1 by_openssl bent.json 0 golden.pub
expect 1 by_openssl bent.json 1 ec/public.pem
echo "openssl and jq: both signatures accepted, the tampered one refused"
left=0
if "${ASSAY_PEER_PYTHON:-python3}" -c 'import securesystemslib.dsse' 2> /dev/null; then
  "${ASSAY_PEER_PYTHON:-python3}" - <<'P'
import json
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
load = lambda f: Envelope.from_dict(json.load(open(f)))
ids = [s["keyid"] for s in json.load(open("two.json"))["signatures"]]
keys = [SSlibKey.from_crypto(load_pem_public_key(open(f, "rb").read()), keyid=i) for f, i in zip(["golden.pub", "ec/public.pem"], ids)]
accepted = load("two.json").verify(keys, 2)
assert len(accepted) == 2, accepted
try:
    load("bent.json").verify(keys, 1)
except Exception as e:
    print("securesystemslib: two of two accepted, the tampered one refused:", type(e).__name__)
else:
    raise SystemExit("securesystemslib accepts a tampered payload")
P
else
  echo "SKIPPED: securesystemslib (>= 1.0) is not installed for ${ASSAY_PEER_PYTHON:-python3}; it was NOT asked"; left=1
fi
if [ -n "${ASSAY_PEER_NODE:-}" ] && command -v node > /dev/null; then
  cat > v.cjs <<'J'
const { createRequire } = require("module"), fs = require("fs"), crypto = require("crypto");
const r = createRequire(process.env.ASSAY_PEER_NODE + "/x.js");
const { bundleFromJSON } = r("@sigstore/bundle"), { Verifier, toSignedEntity } = r("@sigstore/verify");
const check = (bundle, pem) => new Verifier({ certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [],
  publicKey: () => ({ publicKey: crypto.createPublicKey(pem), validFor: () => true }) }, { tlogThreshold: 0, timestampThreshold: 0, ctlogThreshold: 0 }).verify(toSignedEntity(bundleFromJSON(bundle)));
for (const [file, key] of [[process.argv[2], "golden.pub"], [process.argv[3], "ec/public.pem"]]) {
  const bundle = JSON.parse(fs.readFileSync(file)), pem = fs.readFileSync(key);
  check(bundle, pem);
  bundle.dsseEnvelope.payload = JSON.parse(fs.readFileSync("bent.json")).payload;
  let refused = false;
  try { check(bundle, pem); } catch { refused = true; }
  if (!refused) throw new Error("a tampered payload is accepted");
}
console.log("@sigstore/verify: both bundles accepted, tampered ones refused");
J
  bundle_of() { for f in g.*.sigstore.json ./*.sigstore.json; do [ ! -e "$f" ] || [ "$(jq -r .verificationMaterial.publicKey.hint "$f")" != "$1" ] || { echo "$f"; return; }; done; }
  node v.cjs "$(bundle_of "$(jq -r '.signatures[0].keyid' two.json)")" "$(bundle_of "$(jq -r '.signatures[1].keyid' two.json)")"
else
  echo "SKIPPED: ASSAY_PEER_NODE (a folder with @sigstore/bundle and @sigstore/verify) is not set; they were NOT asked"; left=1
fi
[ $left = 0 ] || exit 77
