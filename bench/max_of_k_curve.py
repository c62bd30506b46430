#!/usr/bin/env python3
"""The curve of certified accuracy against work: runs bench_max_of_k on several seeds' models, prints the table of means
and draws it. Work is a multiple of v^3 K^2, the leading term of the published cubic proof, whose own point is drawn too.
Usage: bench/max_of_k_curve.py --bin DIR --k 4 --out FILE.svg [--nodes N|none] MODEL…"""
import argparse, collections, html, math, re, statistics, subprocess

PUBLISHED = (("published cubic proof, 151 seeds", 1.0, 0.9531),)
LINE = re.compile(r"(.{24}) ?accuracy >= (\S+)\s+multiply-adds (\S+)\s+of v\^3 K\^2 (\S+)")


def measure(a):
    rows = collections.OrderedDict()
    for model in a.model:
        done = subprocess.run([a.bin + "/bench_max_of_k", model, str(a.k), a.nodes], check=True, capture_output=True, text=True)
        for name, accuracy, work, share in (m.groups() for m in map(LINE.match, done.stdout.splitlines()) if m):
            rows.setdefault(name.strip(), []).append((float(accuracy), float(work), float(share)))
    return rows


def table(rows):
    print("| proof | certified, mean | least | largest | multiply-adds, largest | of v³K² |\n|---|---|---|---|---|---|")
    for name, points in rows.items():
        accuracy = [p[0] for p in points]
        print(f"| {name} | {statistics.mean(accuracy):.6f} | {min(accuracy):.6f} | {max(accuracy):.6f} "
              f"| {max(p[1] for p in points):.3g} | {max(p[2] for p in points):.3g} |")


def draw(rows, k, seeds):
    """x: log of the work; y: log of what is not certified, so that 0.99 and 0.9999 lie apart."""
    points = [(name, statistics.mean(p[2] for p in at), statistics.mean(p[0] for p in at)) for name, at in rows.items()]
    published = PUBLISHED if k == 4 else ()
    works = [p[1] for p in (*points, *published)]
    lowest, highest = math.floor(math.log10(min(works)) * 2) / 2, math.ceil(math.log10(max(works)))
    deepest = math.ceil(-math.log10(min(1 - p[2] for p in points if p[2] < 1)))
    width, height, left, top = 640, 400, 70, 40

    def place(work, accuracy):
        x = left + (math.log10(work) - lowest) / (highest - lowest) * width
        return round(x, 1), round(top - math.log10(max(1 - accuracy, 10.0**-deepest)) / deepest * height, 1)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + left + 30}" height="{height + top + 60}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{left}" y="20" font-size="14">Max of {k}: certified accuracy against work, mean of {seeds} seeds</text>']
    for e in range(math.ceil(lowest), highest + 1):
        x = place(10.0**e, 0)[0]
        out.append(f'<path d="M{x} {top}V{top + height}" stroke="#ddd"/><text x="{x}" y="{top + height + 18}" text-anchor="middle">{10.0**e:g}</text>')
    for e in range(deepest + 1):
        y = place(10.0**lowest, 1 - 10.0**-e)[1]
        label = "0" if e == 0 else "0." + "9" * e
        out.append(f'<path d="M{left} {y}h{width}" stroke="#ddd"/><text x="{left - 8}" y="{y + 4}" text-anchor="end">{label}</text>')
    out.append(f'<text x="{left + width / 2}" y="{top + height + 40}" text-anchor="middle">multiplications and additions, as a multiple of v³K²</text>')
    last = None
    for name, work, accuracy in points:
        x, y = place(work, accuracy)
        out.append(f'<circle cx="{x}" cy="{y}" r="4" fill="#1f5fa8"><title>{html.escape(name)}: {accuracy:.6f} at {work:.3g}</title></circle>')
        if last is None or math.dist(last, (x, y)) > 13:
            after = x < left + width * 0.75
            out.append(f'<text x="{x + (8 if after else -8)}" y="{y + 4}" text-anchor="{"start" if after else "end"}">{html.escape(name)}</text>')
            last = x, y
    for name, work, accuracy in published:
        x, y = place(work, accuracy)
        out.append(f'<rect x="{x - 4}" y="{y - 4}" width="8" height="8" fill="#b04a2f"/><text x="{x + 8}" y="{y + 4}">{html.escape(name)}</text>')
    return "\n".join([*out, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--k", type=int, default=4)
    parser.add_argument("--nodes", default="64")
    parser.add_argument("model", nargs="+")
    a = parser.parse_args()
    rows = measure(a)
    table(rows)
    with open(a.out, "w") as f:
        f.write(draw(rows, a.k, len(a.model)))


if __name__ == "__main__":
    main()
