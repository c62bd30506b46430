#!/usr/bin/env python3
"""Share of claims about one state (the last tokens known, the rest of the context free) that are decided:
proved by `assay prove`, or refuted by a replayed context. The sample is fixed by the seed before any bound runs:
  suffixes   'text': drawn uniformly over held-out positions; 'uniform': every token drawn uniformly;
  features   drawn uniformly from those that fire on >= 0.1 % of held-out tokens (`assay features`);
  tokens     drawn uniformly from the vocabulary, decoder min-p 1/10.
Usage: bench/decided_pairs.py --bin DIR --model DIR --sae DIR --text PATH [--known 3] [--suffixes 30]
Prints one JSON object."""
import argparse, collections, hashlib, json, pathlib, random, subprocess, sys, tempfile

EXTENSIONS = {".html", ".htm", ".xhtml", ".txt", ".md"}


def held_out(text, tokenizer):
    """Token rows of the held-out documents (last 20 % by content hash), as `assay` splits them."""
    ids = {c: i for i, c in enumerate(tokenizer["vocab"])}
    for path in sorted(p for p in pathlib.Path(text).rglob("*") if p.suffix in EXTENSIONS and p.is_file() and not p.is_symlink()):
        data = path.read_bytes()
        if data and hashlib.sha256(data).digest()[0] >= 205:
            yield [ids.get(chr(b), tokenizer["unknown"]) for b in data]


def claims(rule, a, rows, features, vocab, rng):
    positions = [len(r) - a.known + 1 for r in rows]
    for s in range(a.suffixes):
        if rule == "text":
            row = rng.choices(rows, positions)[0]
            first = rng.randrange(len(row) - a.known + 1)
            suffix = row[first : first + a.known]
        else:
            suffix = [rng.randrange(vocab) for _ in range(a.known)]
        words = " ".join(map(str, suffix))
        for f in rng.sample(features, min(a.features, len(features))):
            yield f"feature-off {rule}-f{s}-{f} {f} suffix {words}"
        for t in rng.sample(range(vocab), a.tokens):
            yield f"token-out {rule}-t{s}-{t} {t} suffix {words}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "sae", "text"):
        parser.add_argument("--" + name, required=True)
    for name, default in (("known", 3), ("suffixes", 30), ("features", 20), ("tokens", 8), ("seed", 1)):
        parser.add_argument("--" + name, type=int, default=default)
    a = parser.parse_args()
    rng = random.Random(a.seed)
    tokenizer = json.loads(pathlib.Path(a.model, "tokenizer.json").read_text())
    rows = [r for r in held_out(a.text, tokenizer) if len(r) >= a.known]
    with tempfile.TemporaryDirectory() as folder:
        def run(*words):
            done = subprocess.run([a.bin + "/assay", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            if done.returncode not in (0, 1, 3):  # 1 and 3: claims refuted or left open
                sys.exit(done.stderr.decode())
        given = ["--model", a.model, "--sae", a.sae, "--text", a.text]
        run("features", *given, "--out", folder + "/cards.json", "--top", "0", "--show", "0")
        cards = json.loads(pathlib.Path(folder, "cards.json").read_text())
        features = [c["feature"] for c in cards["features"] if c["density"] >= 0.001]
        lines = [c for rule in ("text", "uniform") for c in claims(rule, a, rows, features, len(tokenizer["vocab"]), rng)]
        request = ["assay-request 1", "decoder min-p 1/10 temperature 1 order after", *lines, "end"]
        pathlib.Path(folder, "r").write_text("\n".join(request) + "\n")
        run("prove", *given, "--request", folder + "/r", "--out", folder + "/c", "--result", folder + "/result.json")
        results = json.loads(pathlib.Path(folder, "result.json").read_text())["claims"]
    counts = collections.defaultdict(collections.Counter)
    for claim in results:
        rule, rest = claim["id"].split("-", 1)
        counts[("features" if rest[0] == "f" else "tokens") + " " + rule][claim["status"]] += 1
    table = {"model": a.model, "known": a.known, "features drawn from": len(features)}
    for key in sorted(counts):
        n = sum(counts[key].values())
        table[key] = {"pairs": n, "decided": round(1 - counts[key]["UNKNOWN"] / n, 4),
                      "proved": round(counts[key]["HOLDS"] / n, 4), "refuted": round(counts[key]["VIOLATED"] / n, 4)}
    print(json.dumps(table))


if __name__ == "__main__":
    main()
