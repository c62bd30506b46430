#!/usr/bin/env python3
"""Fit and apply LEACE, Assay beside the package concept-erasure: wall and CPU seconds and peak memory of whole processes, on the same cores.

  bench/erasure_speed.py --assay build/release/bin/assay [--rows 100000] [--widths 768 2304] [--cores 1 2] [--repeat 3] [--dir DIR]

needs torch, safetensors and concept-erasure. Rows are float32, the statistics double on both sides. Assay: `erase fit`, then `erase apply`,
which also hash what they read and write. The package: one process that loads the file, fits in blocks of 8,192 rows turned to double, erases in
blocks, and saves float32; "alone" is without starting Python and importing torch. Both are bound to the same cores and take turns, so that whatever
else the machine does weighs on both; every figure is the least of the repeats, every ratio the median of those of the turns.
"""
import argparse
import json
import os
import statistics
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
torch.set_num_threads(int(sys.argv[3]))
started, wall = time.process_time(), time.time()
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
held = load_file(sys.argv[1])
x, z = held["x"], held["z"]
fitter = LeaceFitter(x.shape[1], 1, dtype=torch.float64)
for i in range(0, len(x), 8192):
    fitter.update(x[i:i + 8192].double(), z[i:i + 8192].double())
eraser = fitter.eraser
fitted, fitted_wall = time.process_time(), time.time()
out = torch.empty_like(x)
for i in range(0, len(x), 8192):
    out[i:i + 8192] = eraser(x[i:i + 8192].double()).float()
save_file({"x": out}, sys.argv[2])
print(fitted - started, time.process_time() - fitted, time.time() - wall, base)
"""


def measured(command, cores):
    """Wall and CPU seconds, peak MB and output of a process on so many cores."""
    threads = {name: str(cores) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    start = time.time()
    child = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **threads},
                             preexec_fn=lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores]))
    out, err = child.stdout.read(), child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command}: {out}{err}")
    return {"wall": time.time() - start, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024, "out": out}


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


def turn(options, folder, data, cores):
    """Ours and theirs, once each."""
    fit = measured([options.assay, "--quiet", "erase", "fit", "--activations", data, "--out", folder / "e"], cores)
    apply = measured([options.assay, "--quiet", "erase", "apply", "--eraser", folder / "e", "--activations", data, "--out", folder / "y.safetensors"], cores)
    peer = measured([sys.executable, "-c", PEER, data, folder / "p.safetensors", cores], cores)
    fit_cpu, apply_cpu, alone_wall, base = map(float, peer["out"].split())
    ours = {"wall": fit["wall"] + apply["wall"], "cpu": fit["cpu"] + apply["cpu"], "fitWall": fit["wall"], "applyWall": apply["wall"],
            "fitCpu": fit["cpu"], "applyCpu": apply["cpu"], "peakMB": max(fit["peak"], apply["peak"])}
    theirs = {"wall": peer["wall"], "cpu": peer["cpu"], "aloneWall": alone_wall, "aloneFitCpu": fit_cpu, "aloneApplyCpu": apply_cpu,
              "peakMB": peer["peak"], "importedMB": base / 1024}
    return ours, theirs


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--assay", required=True)
    arguments.add_argument("--rows", type=int, default=100000)
    arguments.add_argument("--widths", type=int, nargs="+", default=[768, 2304])
    arguments.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    arguments.add_argument("--repeat", type=int, default=3)
    arguments.add_argument("--dir")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        folder = Path(folder)
        for d in options.widths:
            data = folder / "x.safetensors"
            make(data, options.rows, d)
            for cores in options.cores:
                turns = [turn(options, folder, data, cores) for _ in range(options.repeat)]
                least = [{key: round(min(t[side][key] for t in turns), 2) for key in turns[0][side]} for side in (0, 1)]
                middle = lambda ratio: round(statistics.median(ratio(*t) for t in turns), 2)
                print(json.dumps({
                    "rows": options.rows, "d": d, "cores": cores, "assay": least[0], "conceptErasure": least[1],
                    "timesFaster": middle(lambda a, b: b["wall"] / a["wall"]),
                    "timesFasterAlone": middle(lambda a, b: b["aloneWall"] / a["wall"]),
                    "timesLessCpu": middle(lambda a, b: b["cpu"] / a["cpu"]),
                    "timesLessCpuAlone": middle(lambda a, b: (b["aloneFitCpu"] + b["aloneApplyCpu"]) / a["cpu"]),
                    "memoryShare": round(least[0]["peakMB"] / least[1]["peakMB"], 3)}), flush=True)


if __name__ == "__main__":
    main()
