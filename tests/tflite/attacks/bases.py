"""Files in the base's place that are not the base."""

from __future__ import annotations

from attacks.attempt import BASE, Attempts
from attacks.small_world import SmallWorld, archive, small_world

from object_detection_patch.tflite.errors import BaseMismatchError

ATTEMPTS = Attempts(BASE)


@ATTEMPTS.add(BaseMismatchError, "590 bytes. Received: 0 bytes")
def empty_file(small: SmallWorld) -> bytes:
    """A file of no bytes."""
    return b""


@ATTEMPTS.add(BaseMismatchError, "590 bytes. Received: 580 bytes")
def cut_short(small: SmallWorld) -> bytes:
    """The last 10 bytes are missing."""
    return small.model()[:-10]


@ATTEMPTS.add(BaseMismatchError, "590 bytes. Received: 922 bytes")
def wrong_base(small: SmallWorld) -> bytes:
    """Another base of the same detector."""
    return small_world("int8").model()


@ATTEMPTS.add(BaseMismatchError, "SHA-256")
def bit_of_the_flatbuffer(small: SmallWorld) -> bytes:
    """One bit of the skeleton, where the operations lie."""
    model = bytearray(small.model())
    model[100] ^= 1
    return bytes(model)


@ATTEMPTS.add(BaseMismatchError, "SHA-256")
def bit_of_a_weight(small: SmallWorld) -> bytes:
    """One bit of the last vector."""
    at = small.model().index(b"PK\x03\x04") - 1
    model = bytearray(small.model())
    model[at] ^= 1
    return bytes(model)


@ATTEMPTS.add(BaseMismatchError, "SHA-256")
def zip_with_other_labels(small: SmallWorld) -> bytes:
    """Other labels of the same length behind the flatbuffer."""
    return _without_archive(small) + archive("dog\ncat\n")


@ATTEMPTS.add(BaseMismatchError, "590 bytes. Received: 720 bytes")
def zip_appended(small: SmallWorld) -> bytes:
    """A second archive behind the first, which is the one that is found."""
    return small.model() + archive("dog\ncat\n")


@ATTEMPTS.add(BaseMismatchError, "590 bytes")
def zip_removed(small: SmallWorld) -> bytes:
    """A flatbuffer with nothing behind it."""
    return _without_archive(small)


@ATTEMPTS.add(BaseMismatchError, "590 bytes")
def sidecar_as_base(small: SmallWorld) -> bytes:
    """The sidecar in the base's place."""
    return small.sidecar_bytes()


def _without_archive(small: SmallWorld) -> bytes:
    model = small.model()
    return model[: model.index(b"PK\x03\x04")]
