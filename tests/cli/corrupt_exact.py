"""Corrupts the certificate c of tests/cli/check_exact.sh in the current folder: each one must be rejected.

python3 corrupt_exact.py            run every corruption
python3 corrupt_exact.py --add W    give the model in bent/ the tensor that another config calls for
"""
import hashlib
import json
import math
import shutil
import struct
import subprocess
import sys
from pathlib import Path


def read_tensors(path):
    data = path.read_bytes()
    n = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + n]), data[8 + n:]


def write_tensors(path, header, data):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


if sys.argv[1:2] == ["--add"]:
    path = Path("bent/model.safetensors")
    header, data = read_tensors(path)
    d = header["embed.W_E"]["shape"][1]
    heads = header["blocks.0.attn.W_Q"]["shape"][0]
    name, shape = {"W_pos": ("pos_embed.W_pos", [64, d]), "rel_bias": ("blocks.0.attn.rel_bias", [heads, 64])}[sys.argv[2]]
    size = 4 * math.prod(shape)
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + size]}
    data += b"\0" * size
    # no gaps: lay the tensors out again
    out, laid = b"", {}
    for key in sorted(header):
        a, b = header[key]["data_offsets"]
        laid[key] = dict(header[key], data_offsets=[len(out), len(out) + b - a])
        out += data[a:b]
    write_tensors(path, laid, out)
    sys.exit(0)

cert = Path("c").read_text().splitlines()
runs = Path("c.runs").read_text()
spec = Path("c.spec").read_text()
sha = lambda text: hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()
folder = Path("corrupt")
done = 0


def accepted(lines, runs=runs, spec=spec, model="model", give_runs=True):
    """The certificate with consistent digests, so that the rules decide and not the header."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    out = list(lines)
    for i, line in enumerate(out):
        if line.startswith("runs "):
            out[i] = "runs " + sha(runs)
        if line.startswith("statement "):
            out[i] = "statement " + sha(spec)
        if line.startswith("model "):
            out[i] = "model %s %s" % (sha(Path(model, "config.json").read_bytes()),
                                      sha(Path(model, "model.safetensors").read_bytes()))
        if line.startswith("end "):
            out[i] = "end %d" % (len(out) - 1 - next(k for k, l in enumerate(out) if l.startswith("statement ")) - 1)
    (folder / "c").write_text("\n".join(out) + "\n")
    (folder / "runs").write_text(runs)
    (folder / "spec").write_text(spec)
    command = ["assay-check", str(folder / "c"), "--model", model, "--sae", "sae", "--spec", str(folder / "spec")]
    result = subprocess.run(command + (["--runs", str(folder / "runs")] if give_runs else []), capture_output=True, text=True)
    accepted.last = result.stdout.strip().splitlines()[-1]
    assert result.returncode in (0, 1), result.stderr
    return result.returncode == 0


def reject(what, lines, **files):
    global done
    assert not accepted(lines, **files), what + " was accepted: " + accepted.last
    done += 1


def edited(prefix, change, nth=0):
    out = list(cert)
    at = [i for i, line in enumerate(out) if line.startswith(prefix)][nth]
    words = out[at].split()
    change(words)
    out[at] = " ".join(words)
    return out


assert accepted(cert), "the control is rejected: " + accepted.last
assert accepted(cert, runs=runs.replace("max-new any", "max-new 40")), "fewer runs: " + accepted.last
boxes = [i for i, line in enumerate(cert) if line.split()[1:2] == ["WINDOWS"]]
for i in boxes[:: max(1, len(boxes) // 12)]:
    reject("without " + cert[i], cert[:i] + cert[i + 1:])
    reject("twice " + cert[i], cert[:i + 1] + [cert[i].replace("w.", "v.", 1)] + cert[i + 1:])
for change, what in [(lambda w: w.__setitem__(5, "2"), "a bad state"), (lambda w: w.__setitem__(5, "9"), "no state"),
                     (lambda w: w.__setitem__(-1, "44"), "another window"), (lambda w: w.append("3"), "a longer window"),
                     (lambda w: w.__delitem__(slice(6, None)), "no window"), (lambda w: w.__setitem__(-1, "99"), "no token"),
                     (lambda w: w.__setitem__(-1, "*"), "windows that are not closed"), (lambda w: w.__setitem__(2, "dfa.9"), "no DFA")]:
    for nth in (0, len(boxes) // 3):
        reject(what, edited("w.", change, nth))
for nth in range(len(boxes)):  # a prompt's pair must be there at step 0
    words = cert[boxes[nth]].split()
    if len(words) == 9:
        reject("a late prompt", edited("w.", lambda w: w.__setitem__(4, "1"), nth))
        break
else:
    raise AssertionError("no prompt's window")
reject("a DFA with another table", edited("dfa.0", lambda w: w.__setitem__(-1, "0")))
reject("a DFA with another bad state", edited("dfa.0", lambda w: w.__setitem__(7, "1")))
reject("a DFA of another property", edited("dfa.0", lambda w: w.__setitem__(2, "soon")))
reject("no DFA", [line for line in cert if not line.startswith("dfa.0")])
reject("another property's invariant", edited("quiet EXACT", lambda w: w.__setitem__(2, "dfa.1")))
reject("words after EXACT", edited("quiet EXACT", lambda w: w.append("1")))
reject("a witness from another prompt", edited("no_digit WITNESS", lambda w: w.__setitem__(4, "9")))
reject("a witness with another token", edited("no_digit WITNESS", lambda w: w.__setitem__(-2, "7")))
reject("a witness that is too short", edited("no_digit WITNESS", lambda w: w.__delitem__(-1)))
for old, new in [("3-4", "3-5"), ("12-14", "12-15"), ("sets 3-4 12-14 20", "any 2"), ("sets 3-4", "sets 1 3-4"),
                 ("greedy", "min-p 1/2 temperature 1 order after"), ("greedy", "top-k 2"), ("greedy", "plain"),
                 ("greedy", "top-p 9/10 temperature 1 order after"), ("greedy", "top-p 0 temperature 1 order after"),
                 ("greedy", "top-p 11/10 temperature 1 order after"), ("greedy", "greedy temperature 0"),
                 ("greedy", "greedy allow before 0-20"), ("greedy", "greedy allow after 40"), ("greedy", "greedy allow before 0-99"),
                 ("greedy", "greedy allow before"), ("greedy", "greedy allow within 3"), ("greedy", "greedy order after"),
                 ("max-new any", "max-new 1"), ("max-new any", "max-new 0"), ("assay-runs 1", "assay-runs 2"),
                 ("3-4", "4-3"), ("greedy", "hopeful"), ("end\n", ""), ("20", "45")]:
    assert old in runs
    reject("runs with %r for %r" % (new, old), cert, runs=runs.replace(old, new))
reject("no runs", cert, give_runs=False)
for old, new in [("G(At -> X !At)", "G(!At)"), ("G(At -> X !At)", "F At"), ("X !At", "X At"), ("G[0:2]", "G[0:9]")]:
    assert old in spec, spec
    reject("a spec with %r for %r" % (new, old), cert, spec=spec.replace(old, new))
for kind in ("automaton", "bounds", "exactly"):
    reject("kind " + kind, [line.replace("kind exact", "kind " + kind) for line in cert])
for value in (float("nan"), float("inf"), 1e30):
    shutil.rmtree("other", ignore_errors=True)
    shutil.copytree("model", "other")
    header, data = read_tensors(Path("model/model.safetensors"))
    at = header["unembed.W_U"]["data_offsets"][0]
    write_tensors(Path("other/model.safetensors"), header, data[:at] + struct.pack("<f", value) + data[at + 4:])
    digest = sha(Path("other/model.safetensors").read_bytes())
    old = sha(Path("model/model.safetensors").read_bytes())
    reject("a model with %r" % value, cert, model="other", spec=spec.replace(old, digest))
assert done >= 60, done
print("%d corruptions rejected" % done)
