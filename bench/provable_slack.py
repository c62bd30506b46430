"""The penalty behind `train_models.py --provable`: how far bounds by lines through the ReLUs lie above what a logit difference takes on a case.

A case is a product of token sets, one a position. Over its contexts c, with z the pre-activations, [lo_j, hi_j] their exact ranges and
kappa the difference's weights behind the ReLUs,
    max_c l_a - l_b <= max_c ( direct + sum_j kappa_j line_j(z_j) ),   line_j the chord for kappa_j > 0, else z_j or 0, whichever has the smaller area.
The slack is the right side less the left, both ends, over the range that l_a - l_b takes in the batch. It is what `assay bound` has left to prove
once its cases are these, the slopes not yet searched for; nothing is proved here."""
import torch

MLP = "blocks.0.mlp."


def cases(sets):
    """Every context of a product of token sets: [contexts, positions]."""
    grid = torch.cartesian_prod(*sets)
    return grid if grid.dim() == 2 else grid[:, None]


def lines(z):
    """Slopes and offsets above and slopes below relu over the contexts' ranges; z is [cases, contexts, neurons]."""
    lo, hi = z.amin(1, keepdim=True), z.amax(1, keepdim=True)
    is_open = (lo < 0) & (hi > 0)
    on = (lo >= 0).float()
    above = torch.where(is_open, hi / (hi - lo).clamp_min(1e-6), on)
    below = torch.where(is_open, (hi > -lo).float(), on)
    return above, -above * lo * is_open, below


def slack(P, resid, pairs):
    """Mean over cases, pairs [pairs, 2] and both ends; resid is [cases, contexts, d_model] before the MLP."""
    z = resid @ P[MLP + "W_in"] + P[MLP + "b_in"]
    a, b = pairs.T
    direction = P["unembed.W_U"][:, a] - P["unembed.W_U"][:, b]
    kappa = P[MLP + "W_out"] @ direction
    direct = (resid + P[MLP + "b_out"]) @ direction
    value = direct + torch.relu(z) @ kappa
    above, offset, below = lines(z)
    up, down = z * above + offset, z * below
    plus, minus = kappa.clamp_min(0), kappa.clamp_max(0)
    high = (direct + up @ plus + down @ minus).amax(1) - value.amax(1)
    low = value.amin(1) - (direct + down @ plus + up @ minus).amin(1)
    return ((high + low) / 2 / (value.amax((0, 1)) - value.amin((0, 1)))).mean()
