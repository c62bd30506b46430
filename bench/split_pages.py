#!/usr/bin/env python3
"""Splits the held-out pages of a text once more, by document: CHOOSE for comparing settings, QUOTE for the figures that are
printed. Both keep all pages that are not held out, so that the same seed trains the same weights on either.
Usage: bench/split_pages.py TEXT CHOOSE QUOTE"""
import hashlib, pathlib, shutil, sys


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    text, choose, quote = map(pathlib.Path, sys.argv[1:])
    for page in sorted(p for p in text.rglob("*.html") if p.is_file()):
        digest = hashlib.sha256(page.read_bytes()).digest()
        held_out = digest[0] >= 205
        for folder, kept in ((choose, digest[1] < 128), (quote, digest[1] >= 128)):
            if kept or not held_out:
                target = folder / page.relative_to(text)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(page, target)


if __name__ == "__main__":
    main()
