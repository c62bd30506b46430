#!/usr/bin/env python3
"""Trains the models of bench/brute_force and bench/max_of_k: one layer, no LayerNorm, learned absolute positions, no
biases in attention and unembedding; the answer is read at the last position. Writes OUT/config.json and OUT/model.safetensors.
  modular-addition  tokens a b … =, the answer (a + b + …) mod p. Two terms: trained on 80 % of the pairs until every pair
                    is right and the batch's loss is below 0.01; more terms: on tuples drawn afresh, for all the steps
  composition       tokens s t =, the answer s after t, elements of the symmetric group on --n points in lexicographic
                    order; trained as two terms are
  max-of-k          K tokens of 64, the answer their maximum; d_model = 32, one head and attention only unless said otherwise. Half of
                    each batch has its maximum drawn uniformly; --tops row: drawn with the row
  --provable L      adds L times the slack of bench/provable_slack.py, on random pairs of answers in random cases (two terms and composition:
                    one position settled, the other free; max-of-k with an MLP: a few tokens drawn for every free position), and keeps the
                    weight decay at 0.1; every step is taken. --start DIR goes on from a trained model of the same sizes.
Usage: bench/train_models.py modular-addition --out DIR [--p 113] [--terms 2] [--d-model 128] [--heads 4] [--d-mlp 512] [--seed 0]
       bench/train_models.py composition --out DIR [--n 5] [--d-model 128] [--heads 4] [--d-mlp 512] [--seed 0]
       bench/train_models.py max-of-k --out DIR [--k 4] [--heads 1] [--d-mlp 0] [--tops any|row] [--seed 1] [--steps 3000]
Needs torch. One thread and fixed seeds: the same torch on the same processor writes the same bytes."""
import argparse, itertools, json, pathlib, struct
import torch
from torch.nn.functional import cross_entropy

import provable_slack

ATTN, MLP = "blocks.0.attn.", "blocks.0.mlp."


def parameters(config, seed):
    """Normal draws of variance 1 / fan-in, in a fixed order from one generator."""
    g = torch.Generator().manual_seed(seed)
    d, heads, d_head = config["d_model"], config["n_heads"], config["d_head"]

    def draw(*shape, fan_in):
        return (torch.randn(*shape, generator=g) * fan_in**-0.5).requires_grad_(True)

    P = {"embed.W_E": draw(config["d_vocab"], d, fan_in=d), "pos_embed.W_pos": draw(config["n_ctx"], d, fan_in=d),
         "unembed.W_U": draw(d, config["d_vocab_out"], fan_in=d)}
    for w in "QKV":
        P[ATTN + "W_" + w] = draw(heads, d, d_head, fan_in=d)
    P[ATTN + "W_O"] = draw(heads, d_head, d, fan_in=heads * d_head)
    if not config["attn_only"]:
        f = config["d_mlp"]
        P[MLP + "W_in"], P[MLP + "b_in"] = draw(d, f, fan_in=d), torch.zeros(f, requires_grad=True)
        P[MLP + "W_out"], P[MLP + "b_out"] = draw(f, d, fan_in=f), torch.zeros(d, requires_grad=True)
    return P


def heads_apart(P, tokens):
    """[batch, heads + 1, d_model] at the last position: each head's output, then the token's own."""
    x = P["embed.W_E"][tokens] + P["pos_embed.W_pos"][: tokens.shape[1]]
    q = torch.einsum("bd,hde->bhe", x[:, -1], P[ATTN + "W_Q"])
    k = torch.einsum("bnd,hde->bhne", x, P[ATTN + "W_K"])
    v = torch.einsum("bnd,hde->bhne", x, P[ATTN + "W_V"])
    pattern = torch.softmax(torch.einsum("bhe,bhne->bhn", q, k) / q.shape[-1] ** 0.5, -1)
    return torch.cat([torch.einsum("bhn,bhne,hed->bhd", pattern, v, P[ATTN + "W_O"]), x[:, -1:]], 1)


def logits(P, tokens):
    """[batch, d_vocab_out] at the last position."""
    resid = heads_apart(P, tokens).sum(1)
    if MLP + "W_in" in P:
        resid = resid + torch.relu(resid @ P[MLP + "W_in"] + P[MLP + "b_in"]) @ P[MLP + "W_out"] + P[MLP + "b_out"]
    return resid @ P["unembed.W_U"]


def start(out, config, seed):
    """New parameters, or those that `save` wrote."""
    P = parameters(config, seed)
    if out:
        data = (pathlib.Path(out) / "model.safetensors").read_bytes()
        at = 8 + struct.unpack("<Q", data[:8])[0]
        for name, entry in json.loads(data[8:at]).items():
            first, last = (at + o for o in entry["data_offsets"])
            P[name].data.copy_(torch.frombuffer(bytearray(data[first:last]), dtype=torch.float32).reshape(entry["shape"]))
    return P


def penalty(P, draw_sets, vocab_out, g, count, apart, pairs=64):
    """The slack of `count` cases; draw_sets() gives one case's token sets. `apart`: each head bounded by itself."""
    tokens = torch.stack([provable_slack.cases(draw_sets()) for _ in range(count)])
    a = torch.randint(vocab_out, (pairs,), generator=g)
    b = (a + 1 + torch.randint(vocab_out - 1, (pairs,), generator=g)) % vocab_out
    parts = heads_apart(P, tokens.flatten(0, 1)).unflatten(0, tokens.shape[:2])
    return provable_slack.slack(P, parts if apart else parts.sum(2, keepdim=True), torch.stack([a, b], 1))


def config_of(vocab, vocab_out, n_ctx, d_model, heads, d_head, d_mlp):
    config = {"n_layers": 1, "d_model": d_model, "n_ctx": n_ctx, "d_head": d_head, "n_heads": heads, "d_vocab": vocab,
              "d_vocab_out": vocab_out, "act_fn": "relu", "normalization_type": None, "attn_only": d_mlp == 0,
              "positional_embedding_type": "standard"}
    return config | ({"d_mlp": d_mlp} if d_mlp else {})


def save(out, P, config):
    header, data = {}, b""
    for name in sorted(P):
        values = P[name].detach().contiguous().flatten().tolist()
        header[name] = {"dtype": "F32", "shape": list(P[name].shape), "data_offsets": [len(data), len(data) + 4 * len(values)]}
        data += struct.pack(f"<{len(values)}f", *values)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + data)
    (out / "config.json").write_text(json.dumps(config))


@torch.no_grad()
def accuracy(P, tokens, answers):
    return (logits(P, tokens).argmax(-1) == answers).float().mean().item()


def step(P, optimizer, tokens, answers, extra=0):
    loss = cross_entropy(logits(P, tokens), answers)
    optimizer.zero_grad()
    (loss + extra).backward()
    optimizer.step()
    return loss.item()


def rising(a, s):
    """The penalty's weight at step s."""
    return a.provable * min(1, s / (0.3 * a.steps))


def falling(steps):
    return lambda s: 1 if s < steps * 0.7 else 0.3 if s < steps * 0.9 else 0.1


def train_table(a, table):
    """table[i, j] is the answer to the tokens i j =."""
    n = len(table)
    config = config_of(n + 1, n, 3, a.d_model, a.heads, a.d_model // a.heads, a.d_mlp)
    P = start(a.start, config, a.seed)
    pairs = torch.cartesian_prod(torch.arange(n), torch.arange(n))
    tokens = torch.cat([pairs, torch.full((n * n, 1), n)], 1)  # token n is "="
    answers = table.flatten()
    g = torch.Generator().manual_seed(a.seed + 1)
    fit = torch.randperm(n * n, generator=g)[: int(0.8 * n * n)]
    optimizer = torch.optim.AdamW(P.values(), lr=1e-3, weight_decay=0.1 if a.provable else 1.0, betas=(0.9, 0.98))
    rate = falling(a.steps) if a.provable else lambda s: 1
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    every = torch.arange(n)

    def one_settled():
        token = torch.randint(n, (1,), generator=g)
        return [token, every, torch.tensor([n])] if torch.rand(1, generator=g) < 0.5 else [every, token, torch.tensor([n])]

    for s in range(a.steps):
        batch = fit[torch.randint(len(fit), (a.batch,), generator=g)]
        extra = penalty(P, one_settled, n, g, 8, apart=False) if a.provable else 0
        loss = step(P, optimizer, tokens[batch], answers[batch], rising(a, s) * extra)
        schedule.step()
        if s % 100 == 0 or s == a.steps - 1:
            right = accuracy(P, tokens, answers)
            print(f"step {s} loss {loss:.5f} accuracy on all pairs {right:.5f} slack {float(extra.detach() if a.provable else 0):.4f}", flush=True)
            if right == 1 and loss < 0.01 and not a.provable:
                break
    save(a.out, P, config)


def train_many_terms(a):
    config = config_of(a.p + 1, a.p, a.terms + 1, a.d_model, a.heads, a.d_model // a.heads, a.d_mlp)
    P = parameters(config, a.seed)
    g = torch.Generator().manual_seed(a.seed + 1)
    optimizer = torch.optim.AdamW(P.values(), lr=1e-3, weight_decay=0.1, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, falling(a.steps))

    def draw(count):
        terms = torch.randint(a.p, (count, a.terms), generator=g)
        return torch.cat([terms, torch.full((count, 1), a.p)], 1), terms.sum(1) % a.p

    for s in range(a.steps):
        loss = step(P, optimizer, *draw(a.batch))
        schedule.step()
        if s % 500 == 0 or s == a.steps - 1:
            print(f"step {s} loss {loss:.5f} accuracy on 20000 samples {accuracy(P, *draw(20000)):.5f}", flush=True)
    save(a.out, P, config)


def train_modular_addition(a):
    if a.terms > 2:
        return train_many_terms(a)
    return train_table(a, (torch.arange(a.p)[:, None] + torch.arange(a.p)) % a.p)


def train_composition(a):
    group = list(itertools.permutations(range(a.n)))
    number = {s: i for i, s in enumerate(group)}
    train_table(a, torch.tensor([[number[tuple(s[k] for k in t)] for t in group] for s in group]))


def train_max_of_k(a):
    vocab = 64
    config = config_of(vocab, vocab, a.k, 32, a.heads, 32 // a.heads, a.d_mlp)
    P = start(a.start, config, a.seed)
    optimizer = torch.optim.AdamW(P.values(), lr=1e-3, weight_decay=1e-3, betas=(0.9, 0.999))
    rate = lambda s: min(1, (s + 1) / 50) * (1 if s < a.steps * 0.6 else 0.3 if s < a.steps * 0.85 else 0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    g = torch.Generator().manual_seed(a.seed + 100)
    test = torch.randint(vocab, (20000, a.k), generator=torch.Generator().manual_seed(a.seed + 200))

    def few_tokens():
        return [torch.randint(vocab, (6,), generator=g) for _ in range(a.k - 1)] + [torch.randint(vocab, (1,), generator=g)]

    for s in range(a.steps):
        tokens = torch.randint(vocab, (1024, a.k), generator=g)
        if a.tops == "row":  # half of the batch near ties: every token within 3 below the row's own maximum
            top = tokens[:512].max(1, keepdim=True).values
            tokens[:512] = torch.clamp(top - torch.randint(0, 4, (512, a.k), generator=g), min=0)
        else:  # half with a maximum drawn uniformly, so that small ones are seen: near ties, and tokens uniform up to it
            top = torch.randint(vocab, (512, 1), generator=g)
            tokens[:256] = torch.clamp(top[:256] - torch.randint(0, 4, (256, a.k), generator=g), min=0)
            tokens[256:512] = (torch.rand(256, a.k, generator=g) * (top[256:] + 1)).long()
        extra = penalty(P, few_tokens, vocab, g, 2, apart=a.heads > 1) if a.provable else 0
        loss = step(P, optimizer, tokens, tokens.max(1).values, rising(a, s) * extra)
        schedule.step()
        if s % 500 == 0 or s == a.steps - 1:
            right = accuracy(P, test, test.max(1).values)
            print(f"step {s} loss {loss:.5f} accuracy on 20000 samples {right:.5f} slack {float(extra.detach() if a.provable else 0):.4f}", flush=True)
    save(a.out, P, config)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(dest="task", required=True)
    wide = (("d-model", 128), ("heads", 4), ("d-mlp", 512), ("seed", 0), ("steps", 3000), ("batch", 2048))
    for task, train, numbers in (
            ("modular-addition", train_modular_addition, (("p", 113), ("terms", 2), *wide)),
            ("composition", train_composition, (("n", 5), *wide)),
            ("max-of-k", train_max_of_k, (("k", 4), ("heads", 1), ("d-mlp", 0), ("seed", 1), ("steps", 3000)))):
        sub = tasks.add_parser(task)
        sub.set_defaults(train=train)
        sub.add_argument("--out", required=True)
        sub.add_argument("--start")
        sub.add_argument("--provable", type=float, default=0.0)
        if task == "max-of-k":
            sub.add_argument("--tops", choices=("any", "row"), default="any")
        for name, default in numbers:
            sub.add_argument("--" + name, type=int, default=default)
    a = parser.parse_args()
    if min(v for k, v in vars(a).items() if isinstance(v, int) and k not in ("seed", "d_mlp")) < 1 or min(a.seed, a.d_mlp) < 0:
        parser.error("every number is at least 1, a seed and a width at least 0")
    if (32 if a.task == "max-of-k" else a.d_model) % a.heads:
        parser.error("--heads must divide --d-model (32 of max-of-k)")
    if a.task == "modular-addition" and a.terms < 2 or a.task == "composition" and not 2 <= a.n <= 6:
        parser.error("--terms is at least 2, --n from 2 to 6")
    if a.provable < 0 or a.provable > 0 and (a.d_mlp == 0 or a.task == "modular-addition" and a.terms > 2):
        parser.error("--provable is at least 0, and takes an MLP and two terms")
    torch.set_num_threads(1)
    a.train(a)


if __name__ == "__main__":
    main()
