#!/usr/bin/env python3
"""A second reader of certificates, written from docs/certificate-format.md and docs/theorems.md alone (tests/second_reader/).

    second_reader.py CERT --model DIR [--sae DIR] … (--request FILE | --spec FILE)    the options of assay-check
        prints ACCEPT CLAIM LEVEL, not concluded CLAIM, REJECT WHY or NOT READ WHY; exit 0, 1 or 3
    second_reader.py --corpus DIR --checker ASSAY_CHECK [--least N]
        reads DIR/{accept,reject,nocrash}/SUBJECT.RULE.cert about DIR/subjects/SUBJECT with both and compares what they accept:
        (--mutations M: instead, about M certificates that differ from an accepted one in a word or a line);
        exit 1 when they disagree on a file, or when fewer than N files were read. What a rule of the page says that this
        reader does not have is NOT READ: counted, never accepted."""
import pathlib
import sys

from second_reader import corpus
from second_reader.certificate import read_certificate
from second_reader.lexis import NotRead, Reject


def main():
    if "--corpus" in sys.argv:
        words = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
        if "--mutations" in words:
            sys.exit(corpus.compare_mutations(pathlib.Path(words["--corpus"]), words["--checker"], int(words["--mutations"])))
        sys.exit(corpus.compare(pathlib.Path(words["--corpus"]), words["--checker"], int(words.get("--least", 0))))
    try:
        accepted, left = read_certificate(sys.argv[1], corpus.options_of(sys.argv[2:]))
    except Reject as why:
        print(f"REJECT {why}")
        sys.exit(1)
    except NotRead as why:
        print(f"NOT READ {why}")
        sys.exit(3)
    for claim, level in accepted:
        print(f"ACCEPT {claim} {level}")
    for claim in left:
        print(f"not concluded {claim}")


if __name__ == "__main__":
    main()
