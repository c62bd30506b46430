#!/usr/bin/env python3
"""Draws docs/provability.svg from bench/provability_points.csv: validation loss against the share of next tokens proved
P <= 0.01 and the attack's ceiling. Usage: bench/provability_plot.py [POINTS [OUT]]"""
import csv, pathlib, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
W, H, LEFT, RIGHT, TOP, BOTTOM = 720, 420, 64, 24, 28, 56


def ticks(lo, hi, step):
    n = int(lo / step + 0.999)
    while n * step <= hi + 1e-9:
        yield n * step
        n += 1


def main():
    points = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "bench/provability_points.csv"
    out = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs/provability.svg"
    rows = list(csv.DictReader(line for line in points.read_text().splitlines() if not line.startswith("#")))
    losses = [float(r["loss"]) for r in rows]
    lo, hi = min(losses) - 0.01, max(losses) + 0.02

    def x(loss):
        return LEFT + (loss - lo) / (hi - lo) * (W - LEFT - RIGHT)

    def y(share):
        return H - BOTTOM - share * (H - TOP - BOTTOM)

    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {W} {H}" font-family="sans-serif" font-size="12">',
           f'<rect width="{W}" height="{H}" fill="#fff"/>']
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        svg.append(f'<path d="M{LEFT} {y(share):.1f}H{W - RIGHT}" stroke="#ddd"/><text x="{LEFT - 8}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    for loss in ticks(lo, hi, 0.02):
        svg.append(f'<path d="M{x(loss):.1f} {H - BOTTOM}v5" stroke="#333"/><text x="{x(loss):.1f}" y="{H - BOTTOM + 19}" text-anchor="middle">{loss:.2f}</text>')
    for r in rows:
        at, proved, ceiling = x(float(r["loss"])), y(float(r["proved"])), y(float(r["ceiling"]))
        svg.append(f'<path d="M{at:.1f} {proved:.1f}V{ceiling:.1f}" stroke="#c33" stroke-dasharray="3 3"/>'
                   f'<circle cx="{at:.1f}" cy="{ceiling:.1f}" r="4" fill="none" stroke="#888" stroke-width="1.5"/>'
                   f'<circle cx="{at:.1f}" cy="{proved:.1f}" r="4" fill="#15c"/>'
                   f'<text x="{at + 10:.1f}" y="{max(proved, ceiling) - 6:.1f}">{r["label"]}</text>')
    svg.append(f'<text x="{(LEFT + W - RIGHT) / 2:.0f}" y="{H - 12}" text-anchor="middle">validation loss, nats per character</text>'
               f'<text x="{LEFT}" y="16">next tokens with P ≤ 0.01 whatever came before the last three: proved (filled), not broken by the attack (ring)</text></svg>')
    out.write_text("\n".join(svg) + "\n")


if __name__ == "__main__":
    main()
