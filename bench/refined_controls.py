#!/usr/bin/env python3
"""Every property of the suite and of the demo in refined mode, from any prompt, on a model and on two controls that
should not have it: the twin trained freely, and the model with the rows of W_out (neurons) permuted among themselves.
What HOLDS is re-checked by `assay-check`. Usage: bench/refined_controls.py [--bin DIR] [--demo DIR] [--decoder D]…
  --bin DIR      programs (default build/release/bin)
  --demo DIR     what scripts/demo left: model, twin, sae, evidence (default out/demo)
  --decoder D    may be repeated (default min-p:0.1 and min-p:0.3)
  --lemmas N     budget of one property (default 1000); --control-lemmas N of one on a control (default 300)
  --only NAME    this property only; may be repeated
  --seed N       of the permutation (default 1)
  --json FILE    everything measured, one JSON object a line
Prints Markdown rows; exit 1 when a property HOLDS on the model and on every control it was tried on."""
import argparse, json, os, pathlib, random, re, resource, shutil, struct, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent


def shuffled(model, folder, seed):
    """A copy of the model whose W_out rows are permuted; every other byte is the model's."""
    shutil.copytree(model, folder)
    path = pathlib.Path(folder, "model.safetensors")
    raw = bytearray(path.read_bytes())
    size, = struct.unpack("<Q", raw[:8])
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name.endswith("mlp.W_out"):
            begin, end = (8 + size + o for o in entry["data_offsets"])
            rows = entry["shape"][0]
            width = (end - begin) // rows
            order = list(range(rows))
            random.Random(seed).shuffle(order)
            raw[begin:end] = b"".join(raw[begin + r * width : begin + (r + 1) * width] for r in order)
    path.write_bytes(raw)
    return folder


def unbound(spec, folder):
    """The spec without the model's digest, so that a control may be asked the same."""
    text = re.sub(r'^(use model .*") sha256 [0-9a-f]{64};', r"\1;", spec.read_text(), flags=re.M)
    path = pathlib.Path(folder, spec.name)
    path.write_text(text)
    return path, re.findall(r"^prop (\w+):", text, flags=re.M)


def timed(*words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    return done, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def decide(a, model, spec, prop, decoder, lemmas, folder):
    cert = pathlib.Path(folder, "cert")
    given = ["--model", model, "--prompts", a.prompts]
    if "use sae" in spec.read_text():
        given += ["--sae", "T=" + a.demo + "/sae"]
    if "use readout" in spec.read_text():
        given += ["--readout", "digit_probe=" + a.demo + "/evidence/readouts/digit_probe.json"]
    done, seconds = timed(a.bin + "/assay", "--quiet", "check", *given, "--spec", spec, "--prop", prop, "--decoder", decoder,
                          "--mode", "refined", "--lemmas", lemmas, "--certificate", cert, "--json")
    if done.returncode not in (0, 1, 3):
        sys.exit(done.stderr)
    found = json.loads(done.stdout)["properties"][0]
    out = {"verdict": found["verdict"].upper(), "cpu": round(seconds, 1)}
    out |= {k: found[k] for k in ("lemmas", "nodes", "refinements", "depth", "excluded")}
    if out["verdict"] == "HOLDS":
        out["antecedent"] = found["antecedent"]
        checked = [a.bin + "/assay-check", cert, "--model", model, "--spec", f"{cert}.spec", "--runs", f"{cert}.runs"]
        for kind, path in (("sae", a.demo + "/sae"), ("readout", "digit_probe=" + a.demo + "/evidence/readouts/digit_probe.json")):
            if f"use {kind}" in spec.read_text():
                checked += ["--" + kind, path]
        done, seconds = timed(*checked)
        if done.returncode != 0:
            sys.exit(f"{prop}: the certificate is not accepted\n{done.stdout}{done.stderr}")
        out |= {"MB": round(os.path.getsize(cert) / 1e6, 2), "recheck": round(seconds, 1)}
    elif out["verdict"] == "VIOLATED":
        out["run"] = [found["witness"]["promptText"], found["witness"]["text"]]
    else:
        out["missing"] = found["reason"] + ": " + found["missing"]
    return out


def cell(found):
    if found["verdict"] != "HOLDS":
        return found["verdict"]
    return (f"HOLDS{'' if found['antecedent'] == 'reached' else ' (antecedent not met)'} | {found['lemmas']} / {found['nodes']} / "
            f"{found['refinements']} / {found['depth']} | {found['cpu']} | {found['MB']} | {found['recheck']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--demo", default="out/demo")
    parser.add_argument("--decoder", action="append")
    parser.add_argument("--lemmas", type=int, default=1000)
    parser.add_argument("--control-lemmas", type=int, default=300)
    parser.add_argument("--only", action="append")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=argparse.FileType("w"))
    a = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        a.prompts = folder + "/any.json"
        pathlib.Path(a.prompts).write_text('{"any":true,"max_length":64}')
        models = [("model", a.demo + "/model"), ("twin", a.demo + "/twin"), ("shuffled", shuffled(a.demo + "/model", folder + "/shuffled", a.seed))]
        print("| decoder | property | model | lemmas / bounded / refinements / depth | CPU-s | MB | re-check, CPU-s | twin | W_out shuffled |")
        print("|---|---|---|---|---|---|---|---|---|", flush=True)
        specs = [ROOT / "refined.spec", ROOT / "refined_features.spec", pathlib.Path(a.demo, "evidence/spec/resolved.spec")]
        for decoder in a.decoder or ["min-p:0.1", "min-p:0.3"]:
            for path in specs:
                spec, props = unbound(path, folder)
                for prop in (p for p in props if not a.only or p in a.only):
                    row = {}
                    for name, model in models:
                        lemmas = a.lemmas if name == "model" else a.control_lemmas
                        row[name] = decide(a, model, spec, prop, decoder, lemmas, folder)
                        if a.json:
                            print(json.dumps({"decoder": decoder, "property": prop, "on": name, **row[name]}), file=a.json, flush=True)
                    holds = [n for n, found in row.items() if found["verdict"] == "HOLDS"]
                    failed |= len(holds) == len(models)
                    model = cell(row["model"]) if row["model"]["verdict"] == "HOLDS" else cell(row["model"]) + " | | | | "
                    print(f"| {decoder} | `{prop}` | {model} | {row['twin']['verdict']} | {row['shuffled']['verdict']} |", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
