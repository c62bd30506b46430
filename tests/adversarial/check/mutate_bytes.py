#!/usr/bin/env python3
"""Every byte of small certificates, and every word of their statements, changed in turn.
    mutate_bytes.py ASSAY_CHECK [--all]     without --all every 5th byte of each
A changed certificate is rejected, or accepts word for word what the control accepts (a number that proves more, an id that nothing
names). A changed statement, its digest in the certificate made right again, is rejected, or what is accepted is another sentence: a
proof of one claim is never taken for one of another. The untouched control is accepted."""
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CERTIFICATES = ("12.INV", "26.REACH-MOST", "41.POINT", "45.RESIDUAL", "06.FEATURE-OFF", "77.UNREAD", "15.SITE-SPHERE")
#: Words of a statement that no accepted claim reads: comments, the decoder beside claims of features, properties that are not concluded.
STATEMENTS = ("26.REACH-MOST", "45.RESIDUAL", "77.UNREAD", "15.SITE-SPHERE")


def accepted(checker, cert, folder):
    args = (folder / "args").read_text().splitlines()
    done = subprocess.run([checker, str(cert), *args], cwd=folder, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{cert}: assay-check ended with {done.returncode}: {done.stderr}")
    return [l for l in done.stdout.splitlines() if l.startswith("ACCEPT ")] if done.returncode == 0 else None


def bytes_of(checker, name, stride, scratch):
    folder = HERE / "subjects" / name.split(".")[0]
    data = (HERE / "accept" / f"{name}.cert").read_bytes()
    scratch.write_bytes(data)
    control = accepted(checker, scratch, folder)
    assert control, f"{name}: the control is not accepted"
    tried = same = 0
    for at in range(0, len(data), stride):
        for byte in {data[at] ^ 1, data[at] ^ 0x80, ord("0"), ord(" "), ord("\n")} - {data[at]}:
            scratch.write_bytes(data[:at] + bytes([byte]) + data[at + 1 :])
            now = accepted(checker, scratch, folder)
            tried += 1
            same += now is not None
            if now is not None and now != control:
                sys.exit(f"{name}: byte {at} changed to {byte}: accepted as another claim: {now}")
    return tried, same


def others(word):
    if word.isdigit():
        return [str(int(word) + 1), str(max(int(word) - 1, 0))]
    if "/" in word and word.replace("/", "").isdigit():
        above, below = map(int, word.split("/"))
        return [f"{2 * above}/{below}", f"{above}/{2 * below}"]
    if "0x" in word:
        return [(float.fromhex(word) * 2).hex(), (float.fromhex(word) + 1).hex()]
    return [word + "x", word[::-1]]


def statement_of(checker, name, scratch, work):
    source = HERE / "subjects" / name.split(".")[0]
    folder = work / name
    shutil.copytree(source, folder)
    lines = (HERE / "accept" / f"{name}.cert").read_text().splitlines()
    request = (source / "case.request").read_text().splitlines()
    scratch.write_text("\n".join(lines) + "\n")
    control = accepted(checker, scratch, folder)
    assert control, f"{name}: the control is not accepted"
    tried = other = 0
    for i, line in enumerate(request):
        words = line.split(" ")
        for k, word in enumerate(words):
            for changed in others(word):
                if changed == word:
                    continue
                text = "\n".join([*request[:i], " ".join([*words[:k], changed, *words[k + 1 :]]), *request[i + 1 :]]) + "\n"
                (folder / "case.request").write_text(text)
                digest = hashlib.sha256(text.encode()).hexdigest()
                scratch.write_text("\n".join(f"statement {digest}" if l.startswith("statement ") else l for l in lines) + "\n")
                now = accepted(checker, scratch, folder)
                tried += 1
                other += now is not None
                if now == control:
                    sys.exit(f"{name}: {line!r} with {changed!r} for {word!r}: accepted in the control's own words")
    return tried, other


def main():
    checker, stride = str(pathlib.Path(sys.argv[1]).resolve()), 1 if "--all" in sys.argv else 5
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        scratch = work / "changed.cert"
        for name in CERTIFICATES:
            tried, same = bytes_of(checker, name, stride, scratch)
            print(f"{name}: {tried} changed bytes, {same} accepted as the control's own claim, none as another")
        for name in STATEMENTS:
            tried, other = statement_of(checker, name, scratch, work)
            print(f"{name}: {tried} changed words of the statement, {other} accepted as what the changed statement says, none as the control's")


if __name__ == "__main__":
    main()
