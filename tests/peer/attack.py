"""Peer check: the battery of `assay erase attack` and scikit-learn's probes on the same rows. attack.py ASSAY DIR; exit 1 when they disagree.

Both see the rows before and after an eraser; the halves are drawn apart, so AUCs differ by sampling: 2,000 rows of a half, tolerance 0.05 (the
standard error of an AUC of such halves is 0.01, and the probes are alike, not the same). Data sets: a shift, a spread, an exclusive or of two
signs, a ring, a rare label.
"""
import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, LinearSVC

ASSAY, OUT = sys.argv[1], Path(sys.argv[2])
TOLERANCE = 0.05
warnings.simplefilter("ignore")  # the perceptron stops at its 30 passes
failures = []


def assay(*arguments):
    done = subprocess.run([ASSAY, "--quiet", "--json", "erase", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{arguments}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def rows(name, n, seed, d=8):
    g = np.random.default_rng(seed)
    rate = 0.05 if name == "rare" else 0.5
    z = (g.random(n) < rate).astype(np.int64)
    x = g.standard_normal((n, d))
    x[:, 7] += 0.8 * z  # every set has a linear concept, so that there is something to erase
    if name == "spread":
        x[:, 2] *= 1 + z
    elif name == "xor":
        sign = np.where(g.random(n) < 0.5, 1.0, -1.0)
        x[:, 0], x[:, 1] = 1.5 * sign + 0.6 * x[:, 0], 1.5 * sign * (2 * z - 1) + 0.6 * x[:, 1]
    elif name == "ring":
        angle = 2 * np.pi * g.random(n)
        x[:, 0], x[:, 1] = (1 + z) * np.cos(angle) + 0.2 * x[:, 0], (1 + z) * np.sin(angle) + 0.2 * x[:, 1]
    elif name == "rare":
        x[:, 4] += 1.5 * z
    return x.astype(np.float32), z


def score(model, x):
    if hasattr(model, "decision_function"):
        return model.decision_function(x)
    return model.predict_proba(x)[:, 1] if hasattr(model, "predict_proba") else model.predict(x)


PROBES = {
    "logistic": lambda: LogisticRegression(max_iter=2000),
    "least squares": lambda: Ridge(alpha=1e-6),
    "linear SVM": lambda: LinearSVC(C=0.01, class_weight="balanced"),
    "RBF kernel": lambda: SVC(C=1.0, gamma="scale", class_weight="balanced"),
    "MLP": lambda: MLPClassifier((64,), max_iter=30, random_state=0),
    "15 nearest neighbours": lambda: KNeighborsClassifier(15),
    "quadratic": lambda: make_pipeline(PolynomialFeatures(2), LogisticRegression(C=1.0, max_iter=2000)),
}


def compare(name):
    x, z = rows(name, 4000, 1)
    save_file({"x": x, "z": z}, OUT / "fit.safetensors")
    assay("fit", "--activations", OUT / "fit.safetensors", "--out", OUT / "e")
    x, z = rows(name, 4000, 2)
    save_file({"x": x, "z": z}, OUT / "attack.safetensors")
    ours = assay("attack", "--eraser", OUT / "e", "--activations", OUT / "attack.safetensors", "--out", OUT / "a")
    assay("apply", "--eraser", OUT / "e", "--activations", OUT / "attack.safetensors", "--out", OUT / "y.safetensors")
    sides = {"before": x.astype(float), "after": load_file(OUT / "y.safetensors")["x"].astype(float)}
    if abs(ours["majorityAccuracy"] - max(z.mean(), 1 - z.mean())) > 0.03:
        failures.append(f"{name}: majority {ours['majorityAccuracy']}")
    found = {a["probe"]: a for a in ours["attacks"]}
    for probe, make in PROBES.items():
        line = []
        for side, rows_of in sides.items():
            scaler = StandardScaler().fit(rows_of[:2000])
            model = make().fit(scaler.transform(rows_of[:2000]), z[:2000])
            theirs = roc_auc_score(z[2000:], score(model, scaler.transform(rows_of[2000:])))
            here = found[probe][side]
            lo, hi = here["auc95"]
            line.append(f"{side} {here['auc']:.3f} [{lo:.3f}, {hi:.3f}], scikit-learn {theirs:.3f}")
            # At chance both wander about 1/2 by their own samples; a rare label has a wider interval of its own.
            room = max(TOLERANCE, 1.5 * (hi - lo) / 2 + 0.02)
            if abs(here["auc"] - theirs) > room or not lo <= here["auc"] <= hi:
                failures.append(f"{name}, {probe}, {side}: {here['auc']:.3f}, scikit-learn {theirs:.3f}")
        print(f"{name:7} {probe:22} " + "; ".join(line))
    for probe in found:
        if probe.startswith("relearned"):
            print(f"{name:7} {probe:22} before {found[probe]['before']['auc']:.3f}, after {found[probe]['after']['auc']:.3f}")
    return found


for name in ("shift", "spread", "xor", "ring", "rare"):
    found = compare(name)
    if name in ("spread", "xor", "ring") and found["MLP"]["after"]["auc"] < 0.6:
        failures.append(f"{name}: no probe finds what is not linear")
    if abs(found["logistic"]["after"]["auc"] - 0.5) > 0.08:
        failures.append(f"{name}: the linear concept is still read, AUC {found['logistic']['after']['auc']:.3f}")
print("attack: " + ("\n".join(failures) if failures else "all passed"))
sys.exit(1 if failures else 0)
