"""Both readers over the kept certificates."""
import os
import subprocess
import time

from .certificate import read_certificate
from .lexis import NotRead, Reject


def arguments(subject):
    """The checker's arguments as they are kept, one a line."""
    words = (subject / "args").read_text().splitlines()
    options = {"readout": [], "data": []}
    for name, value in zip(words[::2], words[1::2], strict=True):
        if name in ("--readout", "--data"):
            options[name[2:]].append(value)
        else:
            options[name[2:]] = value
    return words, options


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


def compare(root, checker, least):
    checker = os.path.abspath(checker)
    read, unread, different = 0, [], 0
    for folder in ("accept", "reject", "nocrash"):
        for cert in sorted((root / folder).glob("*.cert")):
            cert = cert.resolve()
            name = f"{folder}/{cert.name}"
            os.chdir((root / "subjects" / cert.name.split(".")[0]).resolve()) if not root.is_absolute() else os.chdir(root / "subjects" / cert.name.split(".")[0])
            words, options = arguments(cert.parents[1] / "subjects" / cert.name.split(".")[0])
            theirs, line = first(checker, cert, words)
            start = time.monotonic()
            ours, why, was_read = second(cert, options)
            took = time.monotonic() - start
            if not was_read:
                unread.append(f"{name}: {why}")
                continue
            read += 1
            if ours != theirs:
                different += 1
                print(f"DIFFERENT {name}: assay-check {theirs if theirs is not None else line}; second reader {ours if ours is not None else 'REJECT ' + why}")
            elif took > 5:
                print(f"slow {name}: {took:.1f} s")
    for line in unread:
        print(f"not read {line}")
    print(f"second reader: {read} of {read + len(unread)} certificates read, {different} read otherwise than by assay-check")
    if read < least:
        print(f"fewer than {least} were read")
    return 1 if different or read < least else 0
