"""The verdicts of other people's model checkers on what Assay writes: model_checkers.py ASSAY DIR PEER [MACHINES].
PEER: abc (AIGER, pdr), spin (Promela of the same machine, safety and liveness), nusmv (SMV: LTLSPEC and INVARSPEC)."""
import json
import os
import re
import subprocess
import sys

import machines

assay, work, peer = sys.argv[1:4]
count = int(sys.argv[4]) if len(sys.argv) > 4 else 25


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    return done.stdout + done.stderr


def ask_abc(folder, names):
    out = {}
    for n in names:
        text = run(["berkeley-abc", "-c", "read_aiger %s/%s.aig; pdr" % (folder, n)])
        said = re.findall(r"Property proved|was asserted in frame \d+", text)
        if len(said) != 1:
            raise SystemExit("FAILED: ABC on %s says\n%s" % (n, text))
        out[n] = said[0] == "Property proved"
    return out


def ask_nusmv(folder, names):
    out = {}
    for n in names:
        text = run([os.environ.get("ASSAY_NUSMV", "NuSMV"), "%s/%s.smv" % (folder, n)])
        said = set(re.findall(r"-- (?:specification|invariant) .* is (true|false)", text))
        lines = len(re.findall(r"-- (?:specification|invariant) .* is ", text))
        wanted = open("%s/%s.smv" % (folder, n)).read().count("SPEC ")
        if len(said) != 1 or lines != wanted:
            raise SystemExit("FAILED: NuSMV on %s says\n%s" % (n, text))
        out[n] = said == {"true"}
    return out


def ask_spin(folder, names, machine, claims):
    with open(folder + "/m.pml", "w") as out:
        out.write(machines.promela_text(machine, claims))
    said = run(["spin", "-a", "m.pml"], cwd=folder)
    text = run(["gcc", "-O1", "-w", "-DNOREDUCE", "-o", "pan", "pan.c"], cwd=folder)
    if not os.path.exists(folder + "/pan"):
        raise SystemExit("FAILED: SPIN makes no verifier: " + said + text)
    out = {}
    for n in names:
        text = run(["./pan", "-a", "-m100000", "-N", n], cwd=folder)
        errors = re.search(r"errors: (\d+)", text)
        if not errors or "max search depth too small" in text:
            raise SystemExit("FAILED: SPIN on %s says\n%s" % (n, text))
        out[n] = errors.group(1) == "0"
    return out


r = machines.generator(11)
tally = {}
for i in range(count):
    folder = "%s/%d" % (work, i)
    os.makedirs(folder)
    machine = machines.draw_machine(r)
    # SPIN's translation of a formula grows fast
    claims = [("P%d" % k, r.choice(["all", "all", "some"]), machines.draw_formula(r, 2 if peer == "spin" else 3, peer != "spin"))
              for k in range(8)]
    with open(folder + "/m.hoa", "w") as out:
        out.write(machines.hoa_text(machine))
    with open(folder + "/m.spec", "w") as out:
        out.write(machines.spec_text(claims))
    text = subprocess.run([assay, "--quiet", "--json", "check", "--automaton", folder + "/m.hoa", "--spec", folder + "/m.spec",
                           "--export", folder], capture_output=True, text=True).stdout
    ours = {p["name"]: p for p in json.loads(text)["properties"]}
    names = [n for n in ours if peer != "abc" or n + ".aig" in ours[n]["exported"]]
    claim_of = {n: c for n, c, _ in claims}
    theirs = (ask_abc(folder, names) if peer == "abc" else ask_nusmv(folder, names) if peer == "nusmv" else
              ask_spin(folder, names, machine, claims))
    for n in names:
        verdict = ours[n]["verdict"]
        # of `some`, what is written is the opposite; unknown is what every word satisfies (of `some`: none)
        want = verdict == "unknown" or (verdict == "holds") == (claim_of[n] == "all")
        if theirs[n] != want:
            raise SystemExit("FAILED: %s/%s: Assay says %s, %s says %s" % (folder, n, verdict, peer, theirs[n]))
        key = ("lasso" if ours[n]["loop"] else verdict, claim_of[n])
        tally[key] = tally.get(key, 0) + 1
if sum(tally.values()) < count or len({k[0] for k in tally}) < 2:
    raise SystemExit("FAILED: too few verdicts to compare: %s" % tally)
print("%s: %d machines, %d properties, the same verdicts: %s" % (
    peer, count, sum(tally.values()), ", ".join("%s %s %d" % (*k, v) for k, v in sorted(tally.items()))))
