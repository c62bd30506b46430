"""TransformerLens, SciPy and statsmodels against `assay sample`.

sampled_tokens.py make DIR      random models of several layers, by TransformerLens: DIR/NAME
sampled_tokens.py compare DIR   every token of DIR/NAME.*/runs.jsonl is the one whose share of [0, 1) holds the plan's number, with the logits
                                of TransformerLens in double; every interval is SciPy's and statsmodels'
"""
import json
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint
from transformer_lens import HookedTransformer, HookedTransformerConfig

MODELS = {
    "gpt2-like": dict(n_layers=3, normalization_type="LN", act_fn="gelu_new", positional_embedding_type="standard"),
    "rotary-rms": dict(n_layers=4, normalization_type="RMS", act_fn="gelu", positional_embedding_type="rotary", rotary_dim=8),
    "pre-folded": dict(n_layers=2, normalization_type="LNPre", act_fn="relu", positional_embedding_type="standard", use_attn_scale=False),
    "attention-only": dict(n_layers=6, normalization_type=None, attn_only=True, act_fn=None, positional_embedding_type="rotary", rotary_dim=4),
}
SIZES = dict(d_model=24, d_head=8, n_heads=3, d_mlp=40, d_vocab=17, n_ctx=24, eps=1e-5)
WRITTEN = ("n_layers", "d_model", "d_head", "n_heads", "d_mlp", "d_vocab", "n_ctx", "eps", "normalization_type", "act_fn",
           "positional_embedding_type", "rotary_dim", "rotary_base", "use_attn_scale", "attn_only")
NEAR = 1e-7  # of a logit, or of a share


def hooked(config):
    return HookedTransformer(HookedTransformerConfig(**config, dtype=torch.float64, device="cpu", seed=1))


def make(folder, name):
    config = {**SIZES, **MODELS[name]}
    model = hooked(config)
    generator = torch.Generator().manual_seed(len(name))
    weights = {}
    for key, value in model.state_dict().items():
        if key.split(".")[-1][0] in "WbwE" and not key.endswith((".mask", ".IGNORE")):
            size, mean = (0.2, 1.0 if key.endswith(".w") else 0.0) if value.dim() == 1 else (1.5 / value.shape[-2] ** 0.5, 0.0)
            weights[key] = (mean + size * torch.randn(value.shape, generator=generator)).float().contiguous()
    folder.mkdir(parents=True)
    save_file(weights, folder / "model.safetensors")
    stated = {key: getattr(model.cfg, key) for key in WRITTEN if getattr(model.cfg, key, None) is not None}
    stated["normalization_type"] = config["normalization_type"]
    (folder / "config.json").write_text(json.dumps(stated))


def load(folder):
    config = json.loads((folder / "config.json").read_text())
    model = hooked(config)
    state = model.state_dict()
    weights = load_file(folder / "model.safetensors")
    assert set(weights) <= set(state) and all("W_" not in key or key in weights for key in state)
    model.load_state_dict({**state, **{key: value.double() for key, value in weights.items()}})
    return model.eval()


def philox(counter, key):
    """Philox4x32-10 of Salmon et al. 2011, from the paper."""
    c, k, mask = list(counter), list(key), 0xFFFFFFFF
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & mask, a >> 32 ^ c[3] ^ k[1], a & mask]
        k = [k[0] + 0x9E3779B9 & mask, k[1] + 0xBB67AE85 & mask]
    return c[0] << 32 | c[1]


assert philox([0] * 4, [0] * 2) == 0x6627E8D5E169C58D  # the authors' known answer


def number(seed, stream, run, step):
    return philox([run & 0xFFFFFFFF, run >> 32, step, stream], [seed & 0xFFFFFFFF, seed >> 32])


def law(words, logits):
    """Shares of all tokens, and whether another set of tokens is kept NEAR these logits."""
    name, *rest = words.split(":")
    heat = float(Fraction(rest[0] if name == "plain" else rest[1])) if len(rest) > (name != "plain") else 1.0
    order = np.sort(logits)[::-1]
    if name == "greedy":
        kept, tie = logits == order[0], order[0] - order[1] < NEAR
    elif name == "min-p":
        margin = logits - order[0] - np.log(float(rest[0]))
        kept, tie = margin >= 0, np.abs(margin).min() < NEAR
    elif name == "top-k":
        k = int(rest[0])
        kept, tie = logits >= order[k - 1], order[k - 1] - order[k] < NEAR
    elif name == "top-p":
        p = np.exp(logits - order[0])
        p /= p.sum()
        above = np.array([p[logits > x].sum() for x in logits])
        kept, tie = above < float(rest[0]), np.abs(above - float(rest[0])).min() < NEAR
    else:
        kept, tie = np.ones(len(logits), bool), False
    shares = np.where(kept, np.exp((logits - order[0]) / heat), 0.0)
    return shares / shares.sum(), tie


class Mismatch(Exception):
    pass


def compare(model, out):
    plan = json.loads((out / "plan.json").read_text())
    seed, words = int(plan["seed"]), plan["words"]["decoder"]
    runs = [json.loads(line) for line in (out / "runs.jsonl").read_text().splitlines()]
    assert len(runs) == plan["runs"]
    vocabulary, tokens, ties, worst = model.cfg.d_vocab, 0, 0, 1.0
    for number_of_run, run in enumerate(runs):
        length = 1 + (number(seed, 1, number_of_run, 0) * 4 >> 64)
        prompt = [number(seed, 1, number_of_run, i + 1) * vocabulary >> 64 for i in range(length)]
        if run["prompt"] != prompt:
            raise Mismatch("run %d: prompt %s is not %s" % (number_of_run, run["prompt"], prompt))
        with torch.no_grad():
            logits = model(torch.tensor([prompt + run["tokens"]]), return_type="logits")[0].numpy()
        for step, token in enumerate(run["tokens"]):
            shares, tie = law(words, logits[len(prompt) - 1 + step])
            u = (number(seed, 0, number_of_run, step) >> 11) * 2.0**-53
            end = shares[:token + 1].sum()
            inside = min(u - (end - shares[token]), end - u)
            tokens, ties = tokens + 1, ties + tie
            if not tie and (shares[token] == 0 or inside < -NEAR):
                raise Mismatch("run %d, token %d: %d is not the one that %.9f draws: shares %s" % (number_of_run, step, token, u, shares))
            worst = worst if tie else min(worst, inside)
    for p in json.loads((out / "result.json").read_text())["properties"]:
        alpha = float(Fraction(p["alpha"]))
        n, k = len(runs), p["k"]
        test = binomtest(k, n).proportion_ci(1 - alpha, "exact")
        other = proportion_confint(k, n, alpha, "beta")
        lo, hi = float(p["lo"]), float(p["hi"])
        assert p["undecided"] == 0
        for a, b in ((test.low, test.high), (0.0 if k == 0 else other[0], 1.0 if k == n else other[1])):
            if not (lo <= a + 1e-12 and a < lo + 1.001e-6 and b <= hi + 1e-12 and hi < b + 1.001e-6):
                raise Mismatch("%s: %d of %d: [%s, %s], the peer says [%.9f, %.9f]" % (p["name"], k, n, lo, hi, a, b))
    print("%s: %d tokens of %d runs are TransformerLens's, %d near ties; the nearest draw is %.1e inside its share" %
          (words, tokens, len(runs), ties, worst))


def differs(model, out):
    try:
        compare(model, out)
    except Mismatch as mismatch:
        print("control: " + str(mismatch).split(":")[0])
        return True
    return False


root = Path(sys.argv[2])
if sys.argv[1] == "make":
    for name in MODELS:
        make(root / name, name)
else:
    models = {name: load(root / name) for name in MODELS}
    for name, model in models.items():
        outs = sorted(root.glob(name + ".*"))
        assert len(outs) == 6
        print("== " + name)
        for out in outs:
            compare(model, out)
    # The comparison can fail: another model's runs, and another count, are told apart.
    assert differs(models["rotary-rms"], root / "attention-only.plain")
    changed = root / "gpt2-like.plain" / "result.json"
    result = json.loads(changed.read_text())
    result["properties"][0]["k"] ^= 1
    changed.write_text(json.dumps(result))
    assert differs(models["gpt2-like"], root / "gpt2-like.plain")
