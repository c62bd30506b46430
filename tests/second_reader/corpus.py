"""Both readers over the kept certificates."""
import os
import pathlib
import subprocess
import tempfile

from . import mutation
from .certificate import read_certificate
from .lexis import NotRead, Reject


def options_of(words):
    """The options of assay-check; readout and data may stand more than once."""
    options = {"readout": [], "data": []}
    for name, value in zip(words[::2], words[1::2], strict=True):
        if name in ("--readout", "--data"):
            options[name[2:]].append(value)
        else:
            options[name[2:]] = value
    return options


def arguments(subject):
    """The checker's arguments as they are kept, one a line."""
    words = (subject / "args").read_text().splitlines()
    return words, options_of(words)


def first(checker, cert, words):
    """What assay-check accepts: [(claim, level)], or None."""
    done = subprocess.run([checker, str(cert), *words], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{cert}: assay-check ended with {done.returncode}: {done.stderr}")
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    return [(w[1], w[2]) for w in lines if w[0] == "ACCEPT"] if done.returncode == 0 else None, done.stdout.strip().splitlines()[-1]


def second(cert, options):
    """What this reader accepts, or None; and why it rejects or does not read."""
    try:
        return read_certificate(str(cert), options)[0], "", True
    except Reject as why:
        return None, str(why), True
    except NotRead as why:
        return None, str(why), False


class Tally:
    """What both readers said, file by file."""

    def __init__(self, root, checker):
        self.root, self.checker = root.resolve(), os.path.abspath(checker)
        self.read, self.unread, self.different = 0, [], 0

    def one(self, cert, name, subject):
        os.chdir(self.root / "subjects" / subject)
        words, options = arguments(self.root / "subjects" / subject)
        theirs, line = first(self.checker, cert, words)
        ours, why, was_read = second(cert, options)
        if not was_read:
            self.unread.append(f"{name}: {why}")
            return
        self.read += 1
        if ours != theirs:
            self.different += 1
            print(f"DIFFERENT {name}: assay-check {theirs if theirs is not None else line}; second reader {ours if ours is not None else 'REJECT ' + why}")

    def end(self, least):
        for line in self.unread:
            print(f"not read {line}")
        print(f"second reader: {self.read} of {self.read + len(self.unread)} certificates read, {self.different} read otherwise than by assay-check")
        if self.read < least:
            print(f"fewer than {least} were read")
        return 1 if self.different or self.read < least else 0


def compare(root, checker, least):
    tally = Tally(root, checker)
    for folder in ("accept", "reject", "nocrash"):
        for cert in sorted((tally.root / folder).glob("*.cert")):
            tally.one(cert, f"{folder}/{cert.name}", cert.name.split(".")[0])
    return tally.end(least)


def compare_mutations(root, checker, count):
    """`count` mutations, spread evenly over those of every accepted certificate that is read."""
    tally, texts = Tally(root, checker), {}
    for cert in sorted((tally.root / "accept").glob("*.cert")):
        texts.setdefault((cert.name.split(".")[0], cert.read_bytes()), cert)
    for (subject, text), cert in texts.items():
        lines = text.decode("ascii")[:-1].split("\n")
        every = list(mutation.of(lines, 1))
        each = max(1, count // len(texts))
        stride = max(1, len(every) // each)
        with tempfile.TemporaryDirectory() as folder:
            changed = pathlib.Path(folder) / cert.name
            for i in range(0, len(every), stride):
                changed.write_text("\n".join(every[i]) + "\n", encoding="ascii")
                at = next((k for k, (a, b) in enumerate(zip(lines, every[i])) if a != b), len(lines) - 1)
                tally.one(changed, f"{cert.name}, mutation {i}, line {at + 1}: {(every[i][at] if at < len(every[i]) else '')[:160]}", subject)
    tally.unread = [line for line in tally.unread if "rule" not in line]
    return tally.end(0)
