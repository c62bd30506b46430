"""Files: digests, strict JSON, safetensors."""
import hashlib
import json
import math
import pathlib
import struct
from fractions import Fraction

from .lexis import Reject, hexfloat, need


def read(path):
    return pathlib.Path(path).read_bytes()


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Decimal(str):
    """A number of JSON that is no whole number, as it is written."""


def strict_json(data, floats=True):
    def unique(pairs):
        need(len({k for k, _ in pairs}) == len(pairs), "a key stands twice")
        return dict(pairs)

    def number(word):
        need(floats, "a number that is not whole")
        return Decimal(word)

    def constant(word):
        raise Reject(f"no JSON: {word}")

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_float=number, parse_constant=constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as e:
        raise Reject(f"no JSON: {e}") from e


SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1, "U16": 2, "U32": 4, "U64": 8}


class Tensor:
    """Values as floats of Python (each float16, bfloat16, float32 and float64 is one, exactly) or integers; finite once they are asked for."""

    def __init__(self, dtype, shape, raw):
        self.dtype, self.shape, n = dtype, tuple(shape), math.prod(shape)
        if dtype == "BF16":
            self.values = [struct.unpack("<f", b"\0\0" + raw[2 * i : 2 * i + 2])[0] for i in range(n)]
        else:
            code = {"F64": "d", "F32": "f", "F16": "e", "I64": "q", "I32": "i", "I16": "h", "I8": "b", "U8": "B", "BOOL": "B", "U16": "H", "U32": "I", "U64": "Q"}[dtype]
            self.values = list(struct.unpack(f"<{n}{code}", raw))

    def finite(self):
        need(all(math.isfinite(v) for v in self.values), "a value that is not finite")
        return self.values

    def at(self, *index):
        flat = 0
        for i, n in zip(index, self.shape, strict=True):
            assert 0 <= i < n
            flat = flat * n + i
        return self.values[flat]

    def exact(self):
        return [Fraction(v) for v in self.finite()]


def safetensors(data):
    """The tensors by name and the metadata; every byte belongs to exactly one tensor."""
    need(len(data) >= 8, "no safetensors file")
    (length,) = struct.unpack("<Q", data[:8])
    need(length <= len(data) - 8, "a header longer than the file")
    header = strict_json(data[8 : 8 + length])
    need(isinstance(header, dict), "no header")
    metadata = header.pop("__metadata__", {})
    need(isinstance(metadata, dict) and all(isinstance(v, str) for v in metadata.values()), "metadata that are no strings")
    body, tensors, at = data[8 + length :], {}, 0
    for name, t in sorted(header.items(), key=lambda item: tuple(item[1]["data_offsets"])):
        need(set(t) == {"dtype", "shape", "data_offsets"} and t["dtype"] in SIZES, f"{name}: no tensor")
        need(all(type(n) is int and n >= 0 for n in t["shape"]), f"{name}: no shape")
        begin, end = t["data_offsets"]
        need(begin == at and end - begin == math.prod(t["shape"]) * SIZES[t["dtype"]] and end <= len(body), f"{name}: no span")
        tensors[name] = Tensor(t["dtype"], t["shape"], body[begin:end])
        at = end
    need(at == len(body), "bytes that belong to no tensor")
    return tensors, metadata


def readout(data):
    """hook, weights, bias of a readout file."""
    j = strict_json(data, floats=False)
    need(isinstance(j, dict) and set(j) == {"assay-readout", "hook", "weights", "bias"} and j["assay-readout"] == 1, "no readout file")
    return j["hook"], [hexfloat(w) for w in j["weights"]], hexfloat(j["bias"])
