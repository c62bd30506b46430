#!/usr/bin/env python3
"""Makes the kept certificates accept/, reject/ and nocrash/ with subjects/, the inputs that they are about.
Usage: keep.py ASSAY_CHECK FROM [RULE…]
FROM has one folder per accepted certificate: its inputs, case.cert and args (the checker's arguments, one a line, paths relative), as the tests
leave them when ASSAY_KEEP names a folder:
    ASSAY_KEEP=/tmp/kept build/release/tests/adversarial_check 'rules:*' && keep.py build/release/bin/assay-check /tmp/kept
The files here came from the test cases 'rules:*', 'automaton: the untouched*', 'automaton: INV*', 'feature-on\\, feature-off: the facts*', 'FLOAT32 is accepted*',
'margins: a RIVAL*', 'residual: counts*', 'sites: every altered*' and 'inside: *', each with its own folder below ASSAY_KEEP moved into FROM, and from keep_commands.sh; 45 from `assay erase certify` on
60 rows of three classes (tests/cli/erase_tables.py); 70 from it with --alpha, --symbols and --probes on 1600 rows whose label moves a spread, 71 with --unembedding, --readouts and --region on 200.
81 and 82 from it with --alpha and --independent-rows, 83 and 84 likewise on rows of three columns whose label moves one and spreads the others.
47 (the runs of 25 with a lower cut) and 48 (runs that end before a bounded G) are by hand, as are the false numbers in reject/ of EXACT, WINDOWS, STATE, REFINED,
NEVER, PAIR, CHANCE, VALUES, RANKS, REACH-LEAST, BUCHI and LIVE: what keep.py finds for them is misspelt and not false.
For every RULE (all that are met and have no file yet, unless some are given) the smallest certificate with it is kept. Of it come
  accept/SUBJECT.RULE.cert    as it is
  reject/SUBJECT.RULE.cert    one word of the rule's first such step changed so that the step is still read but no longer holds;
                              (a step without numbers: the claim's number is changed, in a subject of its own).
                              SUBJECT.RULE.reason is the checker's own line and words. Read it before you commit: it must name what was changed
  nocrash/SUBJECT.RULE.cert   the step's numbers replaced by what is no number
Nothing is drawn at random: the same FROM gives the same bytes."""
import hashlib, itertools, pathlib, shutil, subprocess, sys

HERE = pathlib.Path(__file__).resolve().parent
MOST_CHANGES = 400
WORDS = ("expected", "no earlier case", "no such claim")  # said of a step that is not read as one


def new_subject():
    return HERE / "subjects" / f"{1 + max((int(p.name) for p in (HERE / 'subjects').glob('*')), default=0):02}"


def run(checker, subject, cert):
    args = (subject / "args").read_text().splitlines()
    done = subprocess.run([checker, str(cert), *args], cwd=subject, capture_output=True, text=True)
    return done.returncode, [line.replace(f"REJECT {cert}:", "") for line in done.stdout.strip().splitlines()]


def with_step(lines, at, words):
    return "\n".join([*lines[:at], " ".join(words), *lines[at + 1:]]) + "\n"


def changes(words, ids):
    """Steps with one word changed, the likeliest to be read but false first: the last numbers lowered, raised, whole numbers moved, words swapped,
    another step's id."""
    colon = words.index(":")
    last_first = range(len(words) - 1, colon, -1)
    for by in (-1e-3, 1e-3, -1.0, 1.0):
        for i in last_first:
            if "0x" in words[i] and "," not in words[i] and "=" not in words[i]:
                yield [*words[:i], float(float.fromhex(words[i]) + by).hex(), *words[i + 1:]]
    twins = {"hi": "lo", "lo": "hi", "+": "-", "-": "+"}
    for i in last_first:
        if words[i] in twins:
            yield [*words[:i], twins[words[i]], *words[i + 1:]]
    for i in last_first:
        if words[i].isdigit():
            for n in (int(words[i]) + 1, int(words[i]) - 1):
                if n >= 0:
                    yield [*words[:i], str(n), *words[i + 1:]]
    for i in range(colon - 1, 1, -1):  # a fact of the other side
        for a, b in (("hi", "lo"), ("lo", "hi")):
            if words[i] == a:
                yield [*words[:i], b, *words[i + 1:]]
    for i in last_first:
        yield [*words[:i], *words[i + 1:]]
    if len(words) - colon > 2:
        yield [*words[:colon + 1], words[colon + 2], words[colon + 1], *words[colon + 3:]]
    for i in [*last_first, *range(colon - 1, 1, -1)]:
        for other in ids[-12:] if words[i] in ids else ():
            if other != words[i]:
                yield [*words[:i], other, *words[i + 1:]]


def first_rejected(checker, subject, lines, rule, scratch):
    """The first change of a step of the rule that the rule itself rejects for more than its words; else for its words; else that another rejects."""
    best, least = None, 3
    ids = [line.split()[0] for line in lines if ":" in line.split()]
    tried = ((at, c) for at, line in enumerate(lines) if line.split()[1:2] == [rule] and ":" in line.split() for c in changes(line.split(), ids))
    for at, changed in itertools.islice(tried, MOST_CHANGES):
        scratch.write_text(with_step(lines, at, changed))
        code, out = run(checker, subject, scratch)
        if code != 1:
            continue
        of_rule = f" {rule}: " in out[-1]
        rank = 0 if of_rule and not any(w in out[-1] for w in WORDS) else 1 if of_rule else 2
        if rank < least:
            best, least = (scratch.read_text(), out[-1]), rank
        if least == 0:
            break
    return best, least


def other_numbers(word):
    """Other numbers in the place of one: a hex float, a fraction, or a whole number."""
    if "0x" in word:
        value = float.fromhex(word)
        return [v.hex() for v in (value * 2.0**-60, value - 1, value + 1)]
    above, slash, below = word.partition("/")
    if not above.isdigit():
        return []
    return [str(n) + slash + below for n in (int(above) // 2, int(above) * 10**16, int(above) + 1)]


def false_claim(checker, subject, lines, rule, scratch):
    """A step without numbers: the claim with one number changed, in a new subject; its certificate, the reason and the subject."""
    step = next(line.split() for line in lines if line.split()[1:2] == [rule])
    request = (subject / "case.request").read_text().splitlines()
    other = new_subject()
    for i, line in enumerate(request):
        words = line.split()
        for k in (k for k in range(len(words) - 1, 1, -1) if words[1] == step[0]):
            for changed in other_numbers(words[k]):
                shutil.rmtree(other, ignore_errors=True)
                shutil.copytree(subject, other)
                (other / "case.cert").unlink()
                text = "\n".join([*request[:i], " ".join([*words[:k], changed, *words[k + 1:]]), *request[i + 1:]]) + "\n"
                (other / "case.request").write_text(text)
                digest = hashlib.sha256(text.encode()).hexdigest()
                scratch.write_text("\n".join(f"statement {digest}" if x.startswith("statement ") else x for x in lines) + "\n")
                code, out = run(checker, other, scratch)
                if code == 1 and f" {rule}: " in out[-1]:
                    return scratch.read_text(), out[-1], other
    shutil.rmtree(other, ignore_errors=True)
    return None


def keep(checker, subject, rule, scratch):
    lines = (subject / "case.cert").read_text().splitlines()
    false, rank = first_rejected(checker, subject, lines, rule, scratch)
    claim = false_claim(checker, subject, lines, rule, scratch) if rank > 0 and (subject / "case.request").exists() else None
    if claim is None and false is None:
        return False
    false = claim or (*false, subject)
    name = f"{subject.name}.{rule}.cert"
    for folder in ("accept", "reject", "nocrash"):
        (HERE / folder).mkdir(exist_ok=True)
    rejected = HERE / "reject" / f"{false[2].name}.{rule}.cert"
    (HERE / "accept" / name).write_text("\n".join(lines) + "\n")
    rejected.write_text(false[0])
    rejected.with_suffix(".reason").write_text(false[1] + "\n")
    at = next(i for i, line in enumerate(lines) if line.split()[1:2] == [rule])
    words = lines[at].split()
    garbage = [*words[: words.index(":") + 1], "0x1p+1001", "nan", "T", "-1", "99999999999999999999", "\x7f"]
    (HERE / "nocrash" / name).write_text(with_step(lines, at, garbage))
    return True


def main():
    checker, source, wanted = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]), sys.argv[3:]
    by_size = sorted((p for p in source.iterdir() if (p / "args").exists()), key=lambda p: ((p / "case.cert").stat().st_size, p.name))
    kept = {p.name.split(".")[1] for p in (HERE / "accept").glob("*.cert")} if (HERE / "accept").exists() else set()
    rules = {p: {w[1] for w in map(str.split, (p / "case.cert").read_text().splitlines()) if len(w) > 1 and ":" in w} for p in by_size}
    scratch = source / "scratch.cert"
    for rule in sorted(wanted or set().union(*rules.values()) - kept):
        for found in (p for p in by_size if rule in rules[p]):
            # The same inputs are kept once.
            inputs = {str(f.relative_to(found)): f.read_bytes() for f in sorted(found.rglob("*")) if f.is_file() and f.name != "case.cert"}
            same = [s for s in sorted((HERE / "subjects").glob("*")) if {str(f.relative_to(s)): f.read_bytes() for f in s.rglob("*") if f.is_file()} == inputs]
            subject = same[0] if same else new_subject()
            for path, data in inputs.items():
                (subject / path).parent.mkdir(parents=True, exist_ok=True)
                (subject / path).write_bytes(data)
            shutil.copy(found / "case.cert", subject / "case.cert")
            done = keep(checker, subject, rule, scratch.resolve())
            (subject / "case.cert").unlink()
            if done:
                break
            if not same:
                shutil.rmtree(subject)
        else:
            sys.exit(f"{rule}: no certificate in {source} can be made false by one word")


if __name__ == "__main__":
    main()
