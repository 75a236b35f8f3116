"""Patches whose names, labels or releases lie."""

from __future__ import annotations

import hashlib
import math

from attacks.attempt import PATCH, Attempts
from attacks.frame import changed
from attacks.patch_bytes import of_header
from attacks.small_world import RESULT, SmallWorld

from object_detection_patch.patch_file import errors

ATTEMPTS = Attempts(PATCH)
_OTHER_BASE = hashlib.sha256(b"another base").digest()


@ATTEMPTS.add(errors.LabelMapError, "Received: 0")
def label_of_the_background(small: SmallWorld) -> bytes:
    """A label with id 0."""
    return _labelled(small, (0, "cat", ""))


@ATTEMPTS.add(errors.LabelMapError, "Received: 4294967295")
def negative_label_id(small: SmallWorld) -> bytes:
    """A label with id -1, which is 2^32 - 1."""
    return _labelled(small, (2**32 - 1, "cat", ""))


@ATTEMPTS.add(errors.LabelMapError, "1 twice")
def label_id_twice(small: SmallWorld) -> bytes:
    """Two names for one class."""
    return _labelled(small, (1, "cat", ""), (1, "dog", ""))


@ATTEMPTS.add(errors.TextError, "control characters")
def label_with_a_line_feed(small: SmallWorld) -> bytes:
    """A display name that would be two lines of labelmap.txt."""
    return _labelled(small, (1, "cat", "Cat\nDog"))


@ATTEMPTS.add(errors.TextError, "control characters")
def label_with_a_terminal_code(small: SmallWorld) -> bytes:
    """A name that would clear the screen of whoever inspects the patch."""
    return _labelled(small, (1, "\x1b[2Jcat", ""))


@ATTEMPTS.add(errors.TextError, "control characters")
def label_with_a_nul(small: SmallWorld) -> bytes:
    """A name that ends early in C."""
    return _labelled(small, (1, "cat\0dog", ""))


@ATTEMPTS.add(errors.TextError, "control characters")
def label_written_backwards(small: SmallWorld) -> bytes:
    """A right-to-left override: shown in another order than it is."""
    return _labelled(small, (1, "cat", "\u202etac"))


@ATTEMPTS.add(errors.TextError, "must be UTF-8")
def label_in_latin_1(small: SmallWorld) -> bytes:
    """A name that is no UTF-8."""
    return _raw_name(small, b"c\xe4t")


@ATTEMPTS.add(errors.TextError, "must be UTF-8")
def label_overlong(small: SmallWorld) -> bytes:
    """A slash in two bytes, past whoever looks for the byte 2F."""
    return _raw_name(small, b"c\xc0\xaf")


@ATTEMPTS.add(errors.TextError, "must be UTF-8")
def label_with_a_surrogate(small: SmallWorld) -> bytes:
    """Half of a surrogate pair, encoded."""
    return _raw_name(small, b"\xed\xa0\x80")


@ATTEMPTS.add(None)
def label_with_a_path(small: SmallWorld) -> bytes:
    """A label that is a path. Labels are lines of labelmap.txt, never names
    of files: it is written there as it is."""
    name = "../../../etc/passwd"
    return _labelled(small, (1, name, ""), (3, "C:\\cat", ""))


@ATTEMPTS.add(errors.TextError, "invisible characters. Received: U\\+200B")
def target_with_zero_width(small: SmallWorld) -> bytes:
    """A target that looks like another one."""
    return _renamed(small, "body/\u200bkernel")


@ATTEMPTS.add(errors.TextError, "control characters")
def target_with_a_terminal_code(small: SmallWorld) -> bytes:
    """A target that would drive a terminal in an error message."""
    return _renamed(small, "body/\x1b]0;kernel")


@ATTEMPTS.add(errors.TextError, "empty name")
def target_without_a_name(small: SmallWorld) -> bytes:
    """A target of no bytes."""
    return _renamed(small, "")


@ATTEMPTS.add(errors.TextError, "invisible characters")
def method_with_a_mark(small: SmallWorld) -> bytes:
    """A method with a byte order mark before it."""
    header = changed(small.patch.header(), b"\4\0TEST", b"\7\0\xef\xbb\xbfTEST")
    return of_header(small, header)


@ATTEMPTS.add(None)
def metadata_key_twice(small: SmallWorld) -> bytes:
    """A JSON key twice. Who reads the metadata refuses it
    (`DuplicateKeyError`); applying looks at their length alone."""
    return _metadata(small, b'{"a":1,"a":2}')


@ATTEMPTS.add(None)
def metadata_nested_deeply(small: SmallWorld) -> bytes:
    """2,000 brackets, for the stack of a JSON parser. Who reads the
    metadata refuses them (`MetadataError`); applying never parses."""
    return _metadata(small, b'{"a":' + b"[" * 2000 + b"}")


@ATTEMPTS.add(errors.ReleaseError, "twice", "int8")
def release_twice(small: SmallWorld) -> bytes:
    """Two results for one base: which of them was tested?"""
    small.patch.releases *= 2
    return small.patch_bytes()


@ATTEMPTS.add(errors.ReleaseError, "finite number above 0. Received: 0", "int8")
def activation_scale_0(small: SmallWorld) -> bytes:
    """An activation with scale 0, to be divided by."""
    return _released(small, (0.0, 0))


@ATTEMPTS.add(errors.ReleaseError, "above 0. Received: nan", "int8")
def activation_scale_nan(small: SmallWorld) -> bytes:
    """An activation with scale NaN."""
    return _released(small, (math.nan, 0))


@ATTEMPTS.add(errors.ReleaseError, "above 0. Received: inf", "int8")
def activation_scale_infinite(small: SmallWorld) -> bytes:
    """An activation with an infinite scale."""
    return _released(small, (math.inf, 0))


@ATTEMPTS.add(errors.ReleaseError, "above 0. Received: -0.5", "int8")
def activation_scale_negative(small: SmallWorld) -> bytes:
    """An activation with a scale below 0."""
    return _released(small, (-0.5, 0))


@ATTEMPTS.add(errors.ReleaseError, "Received: 128", "int8")
def zero_point_128(small: SmallWorld) -> bytes:
    """A zero point that no int8 reaches."""
    return _released(small, (0.5, 128))


@ATTEMPTS.add(errors.ReleaseError, "Received: -2147483648", "int8")
def zero_point_of_an_int32(small: SmallWorld) -> bytes:
    """The least zero point that 32 bits hold."""
    return _released(small, (0.5, -(2**31)))


@ATTEMPTS.add(errors.ReleaseError, "Received: 0 in a release")
def release_for_another_base_with_scale_0(small: SmallWorld) -> bytes:
    """A bad activation in a release that nobody here will use."""
    small.patch.releases = [(_OTHER_BASE, RESULT, [(0.0, 0)])]
    return small.patch_bytes()


def _labelled(small: SmallWorld, *labels: tuple[int, str, str]) -> bytes:
    small.patch.labels = [*labels]
    if max(number for number, _, _ in labels) < 3:
        small.patch.labels.append((3, "cow", ""))
    return small.patch_bytes()


def _raw_name(small: SmallWorld, name: bytes) -> bytes:
    """The patch with other bytes as the name of its first label."""
    size = len(name).to_bytes(2, "little")
    header = changed(
        small.patch.header(), b"\3\0cat\3\0Cat", size + name + b"\0\0"
    )
    return of_header(small, header)


def _renamed(small: SmallWorld, target: str) -> bytes:
    small.edit("body/kernel").target = target
    return small.patch_bytes()


def _metadata(small: SmallWorld, encoded: bytes) -> bytes:
    size = len(encoded).to_bytes(4, "little")
    header = changed(small.patch.header(), b"\2\0\0\0{}", size + encoded)
    return of_header(small, header)


def _released(small: SmallWorld, *activations: tuple[float, int]) -> bytes:
    """The patch with other activations in its release, the second as first."""
    base, result, _ = small.patch.releases[0]
    small.patch.releases = [(base, result, 2 * [*activations])]
    return small.patch_bytes()
