#!/usr/bin/env python3
"""Share of claims about one state (the last tokens known, the rest of the context free) that are decided:
proved, or refuted by a replayed context. The sample is fixed by --seed before any bound runs:
  suffixes   'text': drawn uniformly over held-out positions; 'uniform': every token drawn uniformly;
  features   drawn uniformly from those that fire on >= 0.1 % of held-out tokens (`assay features`), off in the
             state? (`assay prove`); pairs where the attack comes within one standard deviation of the
             threshold (of the feature's pre-activation over held-out tokens) are reported apart;
  emitted    next tokens drawn uniformly from the vocabulary, never emitted under min-p 1/10? (`assay prove`);
  chances    every next token of the state, P <= 0.01? (`bench_next_tokens`): proved, the attack's ceiling
             (1 - attained) and the rest, with --nodes cases of branch and bound a token.
Usage: bench/decided_pairs.py --bin DIR --model DIR --text PATH [--sae DIR] [--known 3] [--suffixes 30] …
Without --sae no features and no claims under min-p; with --nodes 0 no chances. Prints one JSON object."""
import argparse, collections, hashlib, json, pathlib, random, struct, subprocess, sys, tempfile

EXTENSIONS = {".html", ".htm", ".xhtml", ".txt", ".md"}
RULES = ("text", "uniform")
HOOK_WIDTH = 32  # tokens of a window from which a standard deviation is taken


def held_out(text, tokenizer):
    """Token rows of the held-out documents (last 20 % by content hash), as `assay` splits them."""
    ids = {c: i for i, c in enumerate(tokenizer["vocab"])}
    for path in sorted(p for p in pathlib.Path(text).rglob("*") if p.suffix in EXTENSIONS and p.is_file() and not p.is_symlink()):
        data = path.read_bytes()
        if data and hashlib.sha256(data).digest()[0] >= 205:
            yield [ids.get(chr(b), tokenizer["unknown"]) for b in data]


def tensors(path):
    raw = pathlib.Path(path).read_bytes()
    size, = struct.unpack("<Q", raw[:8])
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name != "__metadata__":
            begin, end = (8 + size + o for o in entry["data_offsets"])
            kind = {"F32": "f", "F64": "d", "I64": "q"}[entry["dtype"]]
            yield name, (entry["shape"], memoryview(raw[begin:end]).cast(kind))


def window(rows, length, rng):
    """`length` tokens in a row, uniformly over the positions of `rows`."""
    row = rng.choices(rows, [len(r) - length + 1 for r in rows])[0]
    first = rng.randrange(len(row) - length + 1)
    return row[first : first + length]


def draw_suffixes(rule, a, rows, vocab, rng):
    return [window(rows, a.known, rng) if rule == "text" else [rng.randrange(vocab) for _ in range(a.known)]
            for _ in range(a.suffixes)]


def claims(rule, a, suffixes, features, vocab, rng):
    for s, suffix in enumerate(suffixes):
        words = " ".join(map(str, suffix))
        for f in rng.sample(features, min(a.features, len(features))):
            yield f"feature-off {rule}-f{s}-{f} {f} suffix {words}"
        for t in rng.sample(range(vocab), a.tokens):
            yield f"token-out {rule}-t{s}-{t} {t} suffix {words}"


def run(a, *words):
    done = subprocess.run([a.bin + "/assay", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode not in (0, 1, 3):  # 1 and 3: claims refuted or left open
        sys.exit(done.stderr.decode())


def deviations(a, folder, rows, features, rng):
    """Standard deviation of each feature's pre-activation (its linear part) over held-out windows."""
    hook = json.loads(pathlib.Path(a.sae, "cfg.json").read_text())["metadata"]["hook_name"]
    pathlib.Path(folder, "ids").write_text("".join(json.dumps(window(rows, HOOK_WIDTH, rng)) + "\n" for _ in range(64)))
    run(a, "run", "--model", a.model, "--tokens", folder + "/ids", "--out", folder + "/acts", "--hook", hook)
    (width, n), encoder = dict(tensors(pathlib.Path(a.sae, "sae_weights.safetensors")))["W_enc"]
    found = {}
    points = []
    for name, (shape, values) in tensors(folder + "/acts"):
        if hook in name:
            for start in range(0, len(values), width):
                points.append(list(values[start : start + width]))
    for f in features:
        column = [encoder[i * n + f] for i in range(width)]
        along = [sum(x * w for x, w in zip(point, column)) for point in points]
        mean = sum(along) / len(along)
        found[f] = (sum((x - mean) ** 2 for x in along) / len(along)) ** 0.5
    return found


def share(count, n):
    return round(count / n, 4) if n else None


def prove(a, folder, rows, suffixes, vocab, table):
    rng = random.Random(a.seed + 1)
    given = ["--model", a.model, "--sae", a.sae, "--text", a.text]
    run(a, "features", *given, "--out", folder + "/cards.json", "--top", "0", "--show", "0")
    cards = json.loads(pathlib.Path(folder, "cards.json").read_text())
    features = [c["feature"] for c in cards["features"] if c["density"] >= 0.001]
    lines = [c for rule in RULES for c in claims(rule, a, suffixes[rule], features, vocab, rng)]
    request = ["assay-request 1", "decoder min-p 1/10 temperature 1 order after", *lines, "end"]
    pathlib.Path(folder, "r").write_text("\n".join(request) + "\n")
    run(a, "prove", *given, "--request", folder + "/r", "--out", folder + "/c", "--result", folder + "/result.json")
    deviation = deviations(a, folder, rows, features, rng)
    counts = collections.defaultdict(collections.Counter)
    for claim in json.loads(pathlib.Path(folder, "result.json").read_text())["claims"]:
        rule, rest = claim["id"].split("-", 1)
        key = ("features " if rest[0] == "f" else "emitted ") + rule
        counts[key][claim["status"]] += 1
        if rest[0] == "f" and abs(claim["attack"] - claim["threshold"]) <= deviation[int(rest.split("-")[1])]:
            counts[key + ", attack within one deviation"][claim["status"]] += 1
    table["features drawn from"] = len(features)
    for key, c in sorted(counts.items()):
        n = sum(c.values())
        table[key] = {"pairs": n, "decided": share(n - c["UNKNOWN"], n), "proved": share(c["HOLDS"], n), "refuted": share(c["VIOLATED"], n)}


def chances(a, folder, rows, suffixes, table):
    rng = random.Random(a.seed + 2)
    length = json.loads(pathlib.Path(a.model, "config.json").read_text())["attention_window"] - a.known
    tails = [window(rows, length, rng)[::-1] for _ in range(160)]
    for rule in RULES:
        lines = ["suffix " + " ".join(map(str, s)) for s in suffixes[rule]] + ["tail " + " ".join(map(str, t)) for t in tails]
        pathlib.Path(folder, "q").write_text("\n".join(lines) + "\n")
        done = subprocess.run([a.bin + "/bench_next_tokens", a.model, folder + "/q", str(a.nodes)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        states = [json.loads(line) for line in done.stdout.splitlines()]
        total = {k: sum(s[k] for s in states) for k in ("proved", "attained", "open")}
        n = sum(total.values())
        table["chances " + rule] = {"states": len(states), "pairs": n, "nodes": a.nodes, "proved": share(total["proved"], n),
                                    "ceiling": share(n - total["attained"], n), "open": share(total["open"], n)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "text"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--sae")
    for name, default in (("known", 3), ("suffixes", 30), ("features", 20), ("tokens", 8), ("nodes", 16), ("seed", 1)):
        parser.add_argument("--" + name, type=int, default=default)
    a = parser.parse_args()
    rng = random.Random(a.seed)
    tokenizer = json.loads(pathlib.Path(a.model, "tokenizer.json").read_text())
    vocab = len(tokenizer["vocab"])
    rows = [r for r in held_out(a.text, tokenizer) if len(r) >= HOOK_WIDTH]
    suffixes = {rule: draw_suffixes(rule, a, rows, vocab, rng) for rule in RULES}
    table = {"model": a.model, "known": a.known}
    with tempfile.TemporaryDirectory() as folder:
        if a.sae:
            prove(a, folder, rows, suffixes, vocab, table)
        if a.nodes:
            chances(a, folder, rows, suffixes, table)
    print(json.dumps(table))


if __name__ == "__main__":
    main()
