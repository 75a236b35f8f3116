"""The fields of an inflated header or body, found by walking over its bytes.

For files that are mostly sound: IndexError where the bytes end too early.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable

FORMATS = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i32": "i"}
# Where the first vector is described in a body, and each takes 10 bytes.
_VECTORS_AT, _VECTOR_BYTES = 89, 10
_SINGLES = {2: 1, 3: 3}  # single numbers of a section, by the edit's kind


@dataclasses.dataclass(frozen=True)
class Field:
    """Bytes from `at` on that mean one thing.

    `name` says what: fields of one name are alike. `kind` is u8, u16, u32,
    u64, i32, f32, digest, text (its length included) or bytes.
    """

    name: str
    kind: str
    at: int
    size: int


@dataclasses.dataclass(frozen=True)
class Group:
    """A u32 count at `count_at`, and the (start, end) of what is counted."""

    count_at: int
    items: tuple[tuple[int, int], ...]


class Tokens:
    """Fields and groups of some bytes, filled while it walks."""

    def __init__(self, raw: bytes) -> None:
        self.fields: list[Field] = []
        self.groups: dict[str, Group] = {}
        # Of each edit of a header: bytes of its section, and of its numbers.
        self.sections: list[tuple[int, int]] = []
        self.at = 0
        self._raw = raw

    def number(self, name: str, kind: str = "u32") -> int:
        at, layout = self.at, "<" + FORMATS[kind]
        self.skip(name, kind, struct.calcsize(layout))
        (value,) = struct.unpack_from(layout, self._raw, at)
        return value

    def numbers(self, *names: str) -> None:
        for name in names:
            self.number(name)

    def floats(self, name: str, count: int) -> None:
        for _ in range(count):
            self.skip(name, "f32", 4)

    def text(self, name: str) -> None:
        length = int.from_bytes(self._raw[self.at : self.at + 2], "little")
        self.skip(name, "text", 2 + length)

    def skip(self, name: str, kind: str, size: int) -> None:
        if self.at + size > len(self._raw):
            raise IndexError(f"{name} ends behind the last byte")
        self.fields.append(Field(name, kind, self.at, size))
        self.at += size

    def group(self, name: str, walk: Callable[[Tokens], None]) -> None:
        """Groups of one name are one of several: the last one is kept."""
        count_at = self.at
        items = []
        for _ in range(self.number(f"number of {name}s")):
            start = self.at
            walk(self)
            items.append((start, self.at))
        self.groups[name] = Group(count_at, tuple(items))


def of_header(raw: bytes, version: int) -> Tokens:
    """The inflated header of a patch."""
    tokens = Tokens(raw)
    tokens.skip("fingerprint", "digest", 32)
    tokens.text("method")
    tokens.group("edit", _edit)
    tokens.group("label", _label)
    size = tokens.number("bytes of metadata")
    tokens.skip("metadata", "bytes", size)
    if version > 1:
        tokens.group("release", _release)
        size = tokens.number("bytes of model metadata")
        tokens.skip("model metadata", "bytes", size)
    return tokens


def of_body(raw: bytes, version: int) -> Tokens:
    """The inflated body of a sidecar."""
    tokens = Tokens(raw)
    tokens.skip("fingerprint", "digest", 32)
    tokens.skip("base's digest", "digest", 32)
    tokens.number("base's bytes", "u64")
    tokens.number("precision", "u8")
    tokens.numbers("skeleton", "classes", "capacity")
    tokens.group("vector", _vector)
    tokens.numbers("metadata's vector")
    tokens.group("link", lambda t: t.numbers("link at", "link to"))
    tokens.group("class number", _class_number)
    tokens.group("activation", lambda t: t.numbers("scale at", "zero at"))
    tokens.group("norm", _norm)
    tokens.group("bias", _bias)
    tokens.group("kernel", _kernel)
    if version > 1:
        tokens.numbers("base's height", "base's width")
        tokens.group("size", _size_walk(raw))
    return tokens


def _size_walk(raw: bytes) -> Callable[[Tokens], None]:
    """Walks over a size, whose vectors have the items that `raw` states."""

    def item_bytes(index: int) -> int:
        at = _VECTORS_AT + _VECTOR_BYTES * index
        if at >= len(raw):
            raise IndexError("a vector behind the last byte")
        return raw[at]

    def content(tokens: Tokens) -> None:
        index = tokens.number("size's vector")
        items = tokens.number("size's items")
        tokens.skip("size's content", "bytes", items * item_bytes(index))

    def walk(tokens: Tokens) -> None:
        tokens.numbers("size's height", "size's width")
        tokens.skip("size's digest", "digest", 32)
        tokens.group("word", lambda t: t.numbers("word at", "word"))
        tokens.group("content", content)

    return walk


def _edit(tokens: Tokens) -> None:
    kind = tokens.number("kind", "u8")
    value_type = tokens.number("value type", "u8")
    tokens.number("codec", "u8")
    for _ in range(tokens.number("rank", "u8")):
        tokens.number("size")
    if value_type in (3, 4):
        tokens.number("grid's bits", "u8")
        tokens.numbers("grid's inner", "grid's groups")
    stored = tokens.number("section's bytes")
    tokens.text("target")
    singles = 4 * _SINGLES.get(kind, 0)
    tokens.sections.append((singles + stored, singles))


def _label(tokens: Tokens) -> None:
    tokens.number("label's id")
    tokens.text("label's name")
    tokens.text("label's display name")


def _release(tokens: Tokens) -> None:
    tokens.skip("release's base", "digest", 32)
    tokens.skip("release's result", "digest", 32)
    tokens.group("activation", _release_activation)


def _release_activation(tokens: Tokens) -> None:
    tokens.floats("activation's scale", 1)
    tokens.number("activation's zero point", "i32")


def _vector(tokens: Tokens) -> None:
    tokens.number("vector's item bytes", "u8")
    tokens.numbers("vector's items", "vector's leader")
    tokens.number("vector's sharing", "u8")


def _class_number(tokens: Tokens) -> None:
    tokens.numbers("number at", "number's factor", "number's addend")


def _norm(tokens: Tokens) -> None:
    tokens.text("norm's name")
    count = tokens.number("norm's channels")
    for name in ("gamma", "beta", "mean", "inverse deviation"):
        tokens.floats(name, count)


def _bias(tokens: Tokens) -> None:
    tokens.text("bias's name")
    tokens.floats("bias", tokens.number("bias's size"))


def _kernel(tokens: Tokens) -> None:
    tokens.text("kernel's name")
    tokens.number("kernel's form", "u8")
    for _ in range(4):
        tokens.number("kernel's dimension")
    tokens.numbers("class factor", "class addend")
    tokens.group("copy", _copy)


def _copy(tokens: Tokens) -> None:
    tokens.numbers("weights", "scales", "zero points", "copy's norm")
    tokens.group("operation", _operation)


def _operation(tokens: Tokens) -> None:
    tokens.numbers("bias's vector", "bias's scales", "bias's zero points")
    tokens.numbers("bias's tensor", "operation's activation")
