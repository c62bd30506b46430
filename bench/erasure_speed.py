#!/usr/bin/env python3
"""Fit and apply LEACE, Assay beside the package concept-erasure: CPU seconds and peak memory of whole processes, one thread each.

  bench/erasure_speed.py --assay build/release/bin/assay [--rows 100000] [--widths 768 2304] [--repeat 3] [--dir DIR]

needs torch, safetensors and concept-erasure. Rows are float32, the statistics double on both sides. Assay: `erase fit`, then `erase apply`,
which also hash what they read and write. The package: one process that loads the file, fits in blocks of 8,192 rows turned to double, erases in
blocks, and saves float32; its time is also given without starting Python and importing torch. Least of the repeats, by CPU time.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEER = """
import resource, sys, time
import torch
from concept_erasure import LeaceFitter
from safetensors.torch import load_file, save_file
torch.set_num_threads(1)
started = time.process_time()
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
held = load_file(sys.argv[1])
x, z = held["x"], held["z"]
fitter = LeaceFitter(x.shape[1], 1, dtype=torch.float64)
for i in range(0, len(x), 8192):
    fitter.update(x[i:i + 8192].double(), z[i:i + 8192].double())
eraser = fitter.eraser
fitted = time.process_time()
out = torch.empty_like(x)
for i in range(0, len(x), 8192):
    out[i:i + 8192] = eraser(x[i:i + 8192].double()).float()
save_file({"x": out}, sys.argv[2])
print(fitted - started, time.process_time() - fitted, base)
"""


def measured(command):
    """CPU seconds, wall seconds, peak MB and output of a process."""
    start = time.time()
    child = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = child.stdout.read(), child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command}: {out}{err}")
    return usage.ru_utime + usage.ru_stime, time.time() - start, usage.ru_maxrss / 1024, out


def make(path, n, d):
    code = f"""
import torch
from safetensors.torch import save_file
g = torch.Generator().manual_seed({d})
z = (torch.rand({n}, generator=g) < 0.4).long()
x = torch.randn({n}, {d}, generator=g)
x[:, ::7] += 0.3 * z[:, None].float()
x[:, 1:] += 0.5 * x[:, :-1].clone()
save_file({{"x": x, "z": z}}, {str(path)!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--assay", required=True)
    arguments.add_argument("--rows", type=int, default=100000)
    arguments.add_argument("--widths", type=int, nargs="+", default=[768, 2304])
    arguments.add_argument("--repeat", type=int, default=3)
    arguments.add_argument("--dir")
    options = arguments.parse_args()
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        folder = Path(folder)
        for d in options.widths:
            data = folder / "x.safetensors"
            make(data, options.rows, d)
            ours, theirs = [], []
            for _ in range(options.repeat):
                fit = measured([options.assay, "--quiet", "erase", "fit", "--activations", data, "--out", folder / "e"])
                apply = measured([options.assay, "--quiet", "erase", "apply", "--eraser", folder / "e", "--activations", data, "--out", folder / "y.safetensors"])
                ours.append((fit[0] + apply[0], fit[0], apply[0], max(fit[2], apply[2])))
                peer = measured([sys.executable, "-c", PEER, data, folder / "p.safetensors"])
                inner_fit, inner_apply, base = map(float, peer[3].split())
                theirs.append((peer[0], inner_fit, inner_apply, peer[2], base / 1024))
            a, b = min(ours), min(theirs)
            inner = min(t[1] + t[2] for t in theirs)
            print(json.dumps({
                "rows": options.rows, "d": d,
                "assay": {"cpu": round(a[0], 2), "fit": round(a[1], 2), "apply": round(a[2], 2), "peakMB": round(a[3])},
                "conceptErasure": {"cpu": round(b[0], 2), "fitAlone": round(b[1], 2), "applyAlone": round(b[2], 2), "peakMB": round(b[3]), "importedMB": round(b[4])},
                "timesFasterEndToEnd": round(b[0] / a[0], 2), "timesFasterWithoutImport": round(inner / a[0], 2),
                "memoryShare": round(a[3] / b[3], 3)}), flush=True)


if __name__ == "__main__":
    main()
