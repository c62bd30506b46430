"""Peer check: SAELens opens the directory that `assay train sae` wrote and computes the same numbers.
  saelens.py make SAE_DIR X.safetensors            random activations of the width SAELens reads from the directory
  saelens.py compare SAE_DIR X.safetensors F.safetensors   exit 1 unless features and reconstruction agree to 1e-5
"""
import sys

import torch
from safetensors.torch import load_file, save_file
from sae_lens import SAE

ROWS = 512
TOLERANCE = 1e-5


def make(sae, path):
    generator = torch.Generator().manual_seed(11)
    x = torch.randn(ROWS, sae.cfg.d_in, generator=generator)
    save_file({"x": x}, path)
    return 0


def compare(sae, x_path, encoded_path):
    x = load_file(x_path)["x"]
    ours = load_file(encoded_path)
    with torch.no_grad():
        theirs = sae.encode(x)
        rebuilt = sae.decode(theirs)
    # An activation within rounding of its threshold may fall on either side: leave such rows out, and few they must be.
    limit = getattr(sae, "threshold", torch.zeros(sae.cfg.d_sae))
    close = ((ours["pre_activations"] - limit).abs() < 1e-6).any(1)
    rows = ~close
    on = (theirs[rows] > 0).float().sum(1).mean().item()
    features = (theirs - ours["features"])[rows].abs().max().item()
    reconstruction = (rebuilt - ours["reconstruction"])[rows].abs().max().item()
    print(f"{type(sae).__name__}: {int(rows.sum())} of {len(x)} rows, {on:.1f} features on a row, largest difference of a "
          f"feature {features:.2e}, of the reconstruction {reconstruction:.2e}")
    good = features <= TOLERANCE and reconstruction <= TOLERANCE and on > 0 and int(close.sum()) <= len(x) // 20
    return 0 if good else 1


def main():
    sae = SAE.load_from_disk(sys.argv[2], device="cpu")
    sae.eval()
    return make(sae, sys.argv[3]) if sys.argv[1] == "make" else compare(sae, sys.argv[3], sys.argv[4])


sys.exit(main())
