"""Sound files, broken field by field, their lengths and checksums repaired.

What is repaired lets a mutation reach the check that concerns it, instead of
the checksum or the first length.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence

import numpy as np
import tokens
from applied import Case
from parts import Parts, parts_of

_INTEGERS = (0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 64, 127, 128, 255, 256)
_INTEGERS += (2**15, 2**16 - 1, 2**16, 2**16 + 1, 2**22, 2**24, 2**26)
_INTEGERS += (2**28, 2**28 + 2**23, 2**31 - 1, 2**31, 2**32 - 16, 2**32 - 1)
_FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e-38, -1e-30, 1e30, 3e38, -3e38)
_FLOATS += (float("inf"), float("-inf"), float("nan"), 65504.0, 65520.0)
_TEXTS = (b"", b"x", b"../x", b"a\nb", b"\xc3\xa4", b"\xe2\x80\x8b", b"\xff")
_TEXTS += (b"box_head", b"class_head/x", b"x" * 1024, b"x" * 1025, b"\x00")


def mutated(case: Case, donor: Case, rng: np.random.Generator) -> Parts:
    """The case with one to three mutations.

    Args:
      donor: a sound case from which pieces are taken.
    """
    parts = parts_of(case)
    for _ in range(int(rng.choice((1, 1, 1, 2, 3)))):
        try:
            _MUTATIONS[int(rng.integers(len(_MUTATIONS)))](
                parts, parts_of(donor), rng
            )
        # What an earlier mutation has broken cannot be walked over.
        except (IndexError, ValueError, zlib.error):
            break
    return parts


def _header_field(parts: Parts, donor: Parts, rng: np.random.Generator) -> None:
    found = tokens.of_header(parts.header, parts.version)
    parts.header = _field_changed(parts.header, found.fields, rng)


def _body_field(parts: Parts, donor: Parts, rng: np.random.Generator) -> None:
    found = tokens.of_body(parts.body, parts.sidecar_version)
    parts.body = _field_changed(parts.body, found.fields, rng)


def _header_group(parts: Parts, donor: Parts, rng: np.random.Generator) -> None:
    """Edits, labels and releases doubled, left out, swapped, or another's."""
    found = tokens.of_header(parts.header, parts.version)
    others = tokens.of_header(donor.header, donor.version)
    name = _chosen(sorted(found.groups), rng)
    theirs = others.groups.get(name)
    pieces = _pieces(donor.header, theirs) if theirs else []
    order = _new_order(found.groups[name], pieces, rng)
    if name == "edit":
        parts.sections = [
            donor.sections[index] if is_donor else parts.sections[index]
            for is_donor, index in order
        ]
    parts.header = _reordered(parts.header, found.groups[name], pieces, order)


def _body_group(parts: Parts, donor: Parts, rng: np.random.Generator) -> None:
    found, others = (
        tokens.of_body(one.body, one.sidecar_version) for one in (parts, donor)
    )
    name = _chosen(sorted(found.groups), rng)
    theirs = others.groups.get(name)
    pieces = _pieces(donor.body, theirs) if theirs else []
    group = found.groups[name]
    order = _new_order(group, pieces, rng)
    parts.body = _reordered(parts.body, group, pieces, order)


def _section(parts: Parts, donor: Parts, rng: np.random.Generator) -> None:
    """Numbers of a section, behind their compression, its length repaired."""
    found = tokens.of_header(parts.header, parts.version)
    index = int(rng.integers(len(parts.sections)))
    singles = found.sections[index][1]
    section = parts.sections[index]
    head, stored = section[:singles], section[singles:]
    at = found.groups["edit"].items[index][0]
    is_deflated = parts.header[at + 2] != 0
    raw = zlib.decompress(stored) if is_deflated else stored
    head, raw = _bytes_changed(head, rng, 0.3), _bytes_changed(raw, rng, 0.8)
    stored = zlib.compress(raw) if is_deflated else raw
    parts.sections[index] = head + stored
    fields = [f for f in found.fields if f.name == "section's bytes"]
    size = struct.pack("<I", len(stored))
    parts.header = _spliced(parts.header, fields[index], size)


def _stored_section(
    parts: Parts, donor: Parts, rng: np.random.Generator
) -> None:
    """The bytes of a section as they lie in the file."""
    index = int(rng.integers(len(parts.sections)))
    parts.sections[index] = _bytes_changed(parts.sections[index], rng, 1)


def _base(parts: Parts, donor: Parts, rng: np.random.Generator) -> None:
    """Bytes of the base; its digest is mostly mended in the other files."""
    old = hashlib.sha256(parts.base).digest()
    parts.base = _bytes_changed(parts.base, rng, 1)
    if rng.random() < 0.8:
        new = hashlib.sha256(parts.base).digest()
        size = struct.pack("<Q", len(parts.base))
        parts.body = parts.body[:32] + new + size + parts.body[72:]
        parts.header = parts.header.replace(old, new)


def _prelude(parts: Parts, donor: Parts, rng: np.random.Generator) -> None:
    at = 4 * int(rng.integers(8))
    lie = (at, struct.pack("<I", int(rng.choice(_INTEGERS))))
    if rng.random() < 0.5:
        parts.patch_lie = lie
    else:
        parts.sidecar_lie = lie


def _whole_file(parts: Parts, donor: Parts, rng: np.random.Generator) -> None:
    """A whole piece of another case."""
    kind = int(rng.integers(4))
    if kind == 0:
        parts.base = donor.base
    elif kind == 1:
        parts.body = donor.body
        parts.sidecar_version = donor.sidecar_version
    elif kind == 2:
        parts.header, parts.sections = donor.header, donor.sections
        parts.version = donor.version
    else:
        parts.version = 1 + (parts.version + int(rng.integers(2))) % 4


# Those that reach furthest stand here more than once.
_MUTATIONS = (
    *(_header_field, _header_field, _header_field),
    *(_body_field, _body_field, _body_field, _body_field),
    *(_section, _section, _section),
    *(_header_group, _body_group, _base, _stored_section),
    *(_prelude, _whole_file),
)


def _field_changed(
    raw: bytes, fields: Sequence[tokens.Field], rng: np.random.Generator
) -> bytes:
    """One field is changed: each name is as likely as any other."""
    name = _chosen(sorted({field.name for field in fields}), rng)
    field = _chosen([f for f in fields if f.name == name], rng)
    old = raw[field.at : field.at + field.size]
    other = _chosen([f for f in fields if f.kind == field.kind], rng)
    like = raw[other.at : other.at + other.size]
    if field.kind == "f32":
        new = struct.pack("<f", _chosen(_FLOATS, rng))
    elif field.kind == "text":
        text = _chosen([*_TEXTS, *8 * [like[2:]], old[2:] + b"2"], rng)
        new = struct.pack("<H", len(text)) + text
    elif field.kind in tokens.FORMATS:
        new = _integer("<" + tokens.FORMATS[field.kind], old, like, rng)
    else:
        new = _bytes_changed(old, rng, 1)
    return _spliced(raw, field, new)


def _integer(
    layout: str, old: bytes, like: bytes, rng: np.random.Generator
) -> bytes:
    """Another value: near, from elsewhere, or one that breaks things."""
    bits = 8 * struct.calcsize(layout)
    (value,) = struct.unpack(layout, old)
    kind = int(rng.integers(4))
    if kind == 0:
        value += int(rng.choice((-2, -1, 1, 2)))
    elif kind == 1:
        return like
    elif kind == 2:
        value ^= 1 << int(rng.integers(bits))
    else:
        value = int(rng.choice(_INTEGERS))
    return (value % 2**bits).to_bytes(bits // 8, "little")


def _bytes_changed(raw: bytes, rng: np.random.Generator, share: float) -> bytes:
    """Bits, bytes or numbers changed, or the length, in a share of cases."""
    if not raw or rng.random() >= share:
        return raw
    out = bytearray(raw)
    at = int(rng.integers(len(out)))
    kind = int(rng.integers(6))
    if kind == 0:
        out[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        out[at] = int(rng.integers(256))
    elif kind == 2 and len(out) >= 4:
        at = 4 * int(rng.integers(len(out) // 4))
        out[at : at + 4] = struct.pack("<f", _chosen(_FLOATS, rng))
    elif kind == 3:
        del out[at : at + int(rng.integers(1, 9))]
    elif kind == 4:
        out[at:at] = rng.bytes(int(rng.integers(1, 9)))
    else:
        out[-1] ^= 1
    return bytes(out)


def _pieces(raw: bytes, group: tokens.Group) -> list[bytes]:
    return [raw[start:end] for start, end in group.items]


def _new_order(
    group: tokens.Group, pieces: list[bytes], rng: np.random.Generator
) -> list[tuple[bool, int]]:
    """The items anew: (is it the donor's, its index)."""
    order = [(False, index) for index in range(len(group.items))]
    kind = int(rng.integers(4))
    if order and kind == 0:
        order.append(_chosen(order, rng))
    elif order and kind == 1:
        order.remove(_chosen(order, rng))
    elif order and kind == 2:
        one, two = (int(rng.integers(len(order))) for _ in range(2))
        order[one], order[two] = order[two], order[one]
    elif pieces:
        at = int(rng.integers(len(order) + 1))
        taken = (True, int(rng.integers(len(pieces))))
        order[at : at + int(rng.integers(2))] = [taken]
    return order


def _reordered(
    raw: bytes,
    group: tokens.Group,
    pieces: list[bytes],
    order: list[tuple[bool, int]],
) -> bytes:
    mine = _pieces(raw, group)
    items = [pieces[i] if theirs else mine[i] for theirs, i in order]
    end = group.items[-1][1] if group.items else group.count_at + 4
    count = struct.pack("<I", len(items))
    return raw[: group.count_at] + count + b"".join(items) + raw[end:]


def _spliced(raw: bytes, field: tokens.Field, new: bytes) -> bytes:
    return raw[: field.at] + new + raw[field.at + field.size :]


def _chosen(values, rng: np.random.Generator):
    return values[int(rng.integers(len(values)))]
