"""The penalty behind `train_models.py --provable`: how far bounds by lines through the ReLUs lie above what a logit difference takes on a case.

A case is a product of token sets, one a position. Over its contexts c, with m the residual before the MLP, z = m W_in + b_in, [lo_j, hi_j] ranges of
z_j and kappa the difference's weights behind the ReLUs,
    max_c l_a - l_b <= max_c ( <g, m> + sum_j kappa_j line_j(z_j) ),   line_j the chord for kappa_j > 0, else z_j or 0, whichever has the smaller area.
m is a sum of parts; ranges and maxima are taken over each part's own contexts and added: one part where the prover's bound on attention is exact (one
position free), one a head and the rest where it bounds the heads apart.
The slack is the right side less the left, both ends, over the range that l_a - l_b takes in the batch. It is what `assay bound` has left to prove
once its cases are these, the slopes not yet searched for; nothing is proved here."""
import torch

MLP = "blocks.0.mlp."


def cases(sets):
    """Every context of a product of token sets: [contexts, positions]."""
    grid = torch.cartesian_prod(*sets)
    return grid if grid.dim() == 2 else grid[:, None]


def lines(lo, hi):
    """Slopes and offsets above and slopes below relu on [lo, hi]."""
    is_open = (lo < 0) & (hi > 0)
    on = (lo >= 0).float()
    above = torch.where(is_open, hi / (hi - lo).clamp_min(1e-6), on)
    below = torch.where(is_open, (hi > -lo).float(), on)
    return above, -above * lo * is_open, below


def most(parts, G):
    """Upper ends of <G, m>: [cases, pairs]; G is [cases, d_model, pairs]."""
    return torch.einsum("cnpd,cdk->cnpk", parts, G).amax(1).sum(1)


def slack(P, parts, pairs):
    """Mean over cases, pairs [pairs, 2] and both ends; parts is [cases, contexts, parts, d_model], the sum over parts the residual before the MLP."""
    W_in, b_in = P[MLP + "W_in"], P[MLP + "b_in"]
    a, b = pairs.T
    g = P["unembed.W_U"][:, a] - P["unembed.W_U"][:, b]
    kappa = P[MLP + "W_out"] @ g
    const = P[MLP + "b_out"] @ g
    m = parts.sum(2)
    value = m @ g + const + torch.relu(m @ W_in + b_in) @ kappa
    z = parts @ W_in
    above, offset, below = lines(z.amin(1).sum(1) + b_in, z.amax(1).sum(1) + b_in)
    bounds = []
    for sign in (1, -1):
        plus, minus = (sign * kappa).clamp_min(0), (sign * kappa).clamp_max(0)
        coefficient = above[:, :, None] * plus + below[:, :, None] * minus  # [cases, neurons, pairs]
        rest = sign * const + offset @ plus + torch.einsum("j,cjk->ck", b_in, coefficient)
        bounds.append(rest + most(parts, sign * g + W_in @ coefficient))
    high, low = bounds[0] - value.amax(1), bounds[1] + value.amin(1)
    return ((high + low) / 2 / (value.amax((0, 1)) - value.amin((0, 1)))).mean()
