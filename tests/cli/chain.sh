#!/usr/bin/env bash
# `assay chain`: bounds, verdicts and exit codes on given interval chains; assay-check accepts the certificate and
# rejects every corruption of it; bad input is refused by name.
set -euo pipefail
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
. "$ASSAY_SOURCE/tests/support/cli.sh"
check=$ASSAY_BIN/assay-check
cd "$dir"
head='@type: DTMC
@value_type: rational-interval
@parameters

@reward_models
'
# Knuth's die with coins that nature bends between 1/3 and 2/3; P(F one) in [9/189, 72/189] (Storm's test suite)
{
  printf '%s\n@nr_states\n13\n@nr_choices\n13\n@model\n' "$head"
  s=0
  for pair in 1:2 3:4 5:6 1:7 8:9 10:11 2:12; do
    printf 'state %d%s\n\taction 0\n\t\t%d : [1/3, 2/3]\n\t\t%d : [1/3, 2/3]\n' "$s" "$([ "$s" = 0 ] && echo ' init')" "${pair%:*}" "${pair#*:}"
    s=$((s + 1))
  done
  for s in 7 8 9 10 11 12; do printf 'state %d%s\n\taction 0\n\t\t%d : 1\n' "$s" "$([ "$s" = 7 ] && echo ' one')" "$s"; done
} >die.drn
expect 0 "$assay" chain die.drn --reach one --at-most 0.381 --at-least 0.0476 --certificate c --prism p --drn again.drn
grep -q "at most 0.38095238" out || fail "the largest is not 72/189: $(cat out)"
grep -q "at least 0.04761904" out || fail "the smallest is not 9/189: $(cat out)"
grep -q "largest over nature" out && grep -q "smallest over nature" out || fail "a quantifier is not in words"
grep -q "maximum over nature" out || fail "the note is missing"
"$check" c --chain die.drn --request c.request >ok || fail "control: $(cat ok)"
grep -q "ACCEPT at_most PROVED the probability of reaching 'one' is at most 381/1000" ok || fail "the statement: $(cat ok)"
grep -q "the smallest over distributions" ok || fail "the statement: $(cat ok)"
expect 1 "$assay" chain die.drn --reach one --at-most 0.04
expect 3 "$assay" chain die.drn --reach one --at-most 0.3
expect 1 "$assay" chain die.drn --reach one --at-least 0.4
expect 0 "$assay" chain die.drn --reach one --within 3 --at-most 0.3 --certificate h
"$check" h --chain die.drn --request h.request >/dev/null || fail "horizon: $?"
expect 0 "$assay" chain again.drn --reach one --at-most 0.381
[ "$(head -1 p.tra)" = "13 20" ] && grep -q '2="one"' p.lab || fail "PRISM files"

# The certificate with one thing changed: rejected, unless it is still a proof (larger upper, smaller lower values).
python3 - "$check" <<'PY'
import hashlib, re, subprocess, sys
check = sys.argv[1]
cert, request, drn = (open(f).read() for f in ("c", "c.request", "die.drn"))
sha = lambda t: hashlib.sha256(t.encode()).hexdigest()
def accepted(cert=cert, request=request, drn=drn):
    cert = re.sub("(?m)^statement .*", "statement " + sha(request), re.sub("(?m)^chain .*", "chain " + sha(drn), cert))
    for name, text in (("x", cert), ("x.request", request), ("x.drn", drn)):
        open(name, "w").write(text)
    r = subprocess.run([check, "x", "--chain", "x.drn", "--request", "x.request"], capture_output=True, text=True)
    assert r.returncode in (0, 1), r.stderr
    accepted.last = r.stdout.strip().splitlines()[-1]
    return r.returncode == 0
done = 0
def reject(what, **files):
    global done
    assert not accepted(**files), what + " was accepted"
    done += 1
assert accepted(), "control: " + accepted.last
lines = cert.splitlines()
at = {l.split()[0]: i for i, l in enumerate(lines)}
def changed(line, word, value):
    out = list(lines)
    words = out[at[line]].split()
    words[3 + word] = value
    out[at[line]] = " ".join(words)
    return "\n".join(out) + "\n"
one = 2 ** 40
u = lines[at["u.0"]].split()[3:]
l = lines[at["l.0"]].split()[3:]
r = lines[at["r.0"]].split()[3:]
for s in range(7):
    reject("u[%d] lowered" % s, cert=changed("u.0", s, str(int(u[s]) - 1000)))
    reject("l[%d] raised" % s, cert=changed("l.0", s, str(int(l[s]) + 1000)))
    reject("u[%d] above 1" % s, cert=changed("u.0", s, str(one + 1)))
    reject("u[%d] negative" % s, cert=changed("u.0", s, "-1"))
    if int(l[s]) > 0:
        reject("no rank at %d" % s, cert=changed("r.0", s, "-"))
        reject("rank 0 at %d" % s, cert=changed("r.0", s, "0")) if s != 3 else None
reject("u of the target below 1", cert=changed("u.0", 7, str(one - 1)))
reject("l of a state that never reaches", cert=changed("l.0", 8, "1"))
reject("l = 1 on a loop with a rank", cert=changed("l.0", 8, str(one)).replace(lines[at["r.0"]], " ".join(lines[at["r.0"]].split()[:11] + ["9"] + lines[at["r.0"]].split()[12:])))
assert accepted(cert=changed("l.0", 0, "0"), request=request.replace("119/2500", "0")), "a smaller l is a proof: " + accepted.last
for old, new in [("381/1000", "38/100"), ("119/2500", "1/20"), ("one", "two"), ("reach-at-most", "reach-at-least"), ("at-least at_least", "at-least other")]:
    assert old in request, request
    reject("request with %s for %s" % (new, old), request=request.replace(old, new, 1))
reject("a horizon with values", request=request.replace("381/1000", "381/1000 within 2"))
for old, new in [("[1/3, 2/3]", "[1/6, 5/6]"), ("[1/3, 2/3]", "[1/3, 2/5]"), ("[1/3, 2/3]", "[2/3, 2/3]"), ("state 7 one", "state 7"), ("state 0 init", "state 0 init one"), ("DTMC", "MDP"),
                 ("\t\t7 : 1\n", "\t\t77 : 1\n"), ("\t\t7 : 1\n", "\t\t7 : 1\n\t\t7 : 0\n"), ("\t\t7 : 1\n", "\t\t7 : 1e999\n"), ("@nr_states\n13", "@nr_states\n12"), ("[1/3, 2/3]", "[2/3, 1/3]"), ("[1/3, 2/3]", "[nan, 2/3]")]:
    assert old in drn, old
    reject("chain with %r for %r" % (new, old), drn=drn.replace(old, new, 2 if old == "[1/3, 2/3]" else 1))
for name in ("u.0", "l.0", "r.0", "at_most"):
    reject("without " + name, cert="\n".join(x for x in lines if not x.startswith(name + " ")).replace("end 5", "end 4") + "\n")
reject("kind", cert=cert.replace("kind chain", "kind bounds"))
print("%d corruptions rejected" % done)
assert done >= 55, done
PY
expect 2 "$assay" chain die.drn --reach six
says "expected a label of the chain (init, one)"
expect 2 "$assay" chain die.drn --reach one --at-most half
sed 's|\[1/3, 2/3\]|[1/3, 2/5]|' die.drn >low.drn; expect 9 "$assay" chain low.drn --reach one; says "upper ends below 1"
sed 's|\[1/3, 2/3\]|[3/5, 2/3]|' die.drn >high.drn; expect 9 "$assay" chain high.drn --reach one; says "lower ends above 1"
expect 9 "$assay" chain /dev/null --reach one
echo "chain: bounds, certificates and refusals are as they should be"
