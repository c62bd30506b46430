"""Storm's bounds on interval chains against Assay's: storm.py ASSAY DIR FILE.drn…   The files, and random chains besides.
Within a horizon both compute exactly: Assay's bounds enclose Storm's rational ones and are as near as its grid of 2^-40 lets
them. Without one Storm iterates until two steps differ little, so its values are compared up to 1e-8."""
import json
import random
import re
import subprocess
import sys
from fractions import Fraction

import stormpy

sys.set_int_max_str_digits(0)  # exact values within 20 steps have thousands of digits

assay, work, files = sys.argv[1], sys.argv[2], sys.argv[3:]
MODES = {"most": stormpy.UncertaintyResolutionMode.MAXIMIZE, "least": stormpy.UncertaintyResolutionMode.MINIMIZE}


def drn(r, states):
    """Random rows of tenths; state 1 is the event, 2 ends the run."""
    out = "@type: DTMC\n@value_type: rational-interval\n@parameters\n\n@reward_models\n\n@nr_states\n%d\n@nr_choices\n%d\n@model\n" % (states, states)
    for s in range(states):
        out += "state %d%s\n\taction 0\n" % (s, {0: " init", 1: " event"}.get(s, ""))
        if s in (1, 2):
            out += "\t\t%d : [1, 1]\n" % s
            continue
        targets = sorted(r.sample(range(states), r.randrange(2, min(5, states) + 1)))
        if s > 2 and r.random() < 0.5:
            targets = sorted(set(targets) | {r.choice((1, 2))})
        cuts = sorted(r.sample(range(1, 60), len(targets) - 1))
        parts = [b - a for a, b in zip([0] + cuts, cuts + [60])]
        for t, p in zip(targets, parts):
            slack = Fraction(r.randrange(0, 8), 120)
            p = Fraction(p, 60)
            # lower ends above 0: Storm 1.12 and 1.13 decide graphs by upper ends
            out += "\t\t%d : [%s, %s]\n" % (t, max(p - slack, p / 2), min(p + slack, Fraction(1)))
    return out


def storm(path, formula, mode):
    model = stormpy.build_model_from_drn[stormpy.RationalInterval](path)
    environment = stormpy.environments.default(model)
    environment.solver().min_max().precision = stormpy.Rational("1/100000000000000")
    result = stormpy.model_checking(model, stormpy.parse_properties(formula)[0], uncertainty_resolution_mode=MODES[mode],
                                    environment=environment)
    starts = list(model.initial_states)
    values = [Fraction(str(result.get_value(s))) for s in starts]
    return max(values) if mode == "most" else min(values)


def ours(path, within):
    text = subprocess.run([assay, "--quiet", "--json", "chain", path, "--reach", "event"] + (["--within", str(within)] if within else []),
                          capture_output=True, text=True)
    try:
        data = json.loads(text.stdout)
    except ValueError:
        raise SystemExit("FAILED: assay chain says " + text.stdout + text.stderr)
    return {side: Fraction(data[side]) for side in ("least", "most")}


def compare(path):
    worst = Fraction(0)
    for within in (3, 20, None):
        mine = ours(path, within)
        for side in ("least", "most"):
            theirs = storm(path, 'P%s=? [F%s "event"]' % ("", "<=%d" % within if within else "") if within else
                           'P%s=? [F "event"]' % ("max" if side == "most" else "min"), side)
            gap = mine["most"] - theirs if side == "most" else theirs - mine["least"]
            slack = Fraction(within * 4 + 2, 10 ** 12) if within else Fraction(1, 10 ** 8)
            if gap > slack or gap < (0 if within else -slack):
                raise SystemExit("FAILED: %s within %s: Assay's %s is %s, Storm says %s" % (path, within, side, float(mine[side]), float(theirs)))
            worst = max(worst, abs(gap)) if within else worst
    return worst


r = random.Random(3)
worst = Fraction(0)
for i in range(30):
    path = "%s/%d.drn" % (work, i)
    with open(path, "w") as out:
        out.write(drn(r, r.randrange(4, 30)))
    files.append(path)
for path in files:
    worst = max(worst, compare(path))
print("Storm (stormpy %s): %d chains, the same bounds within 3, 20 and any number of steps; largest gap within a horizon %.1e" % (
    stormpy.__version__, len(files), float(worst)))
