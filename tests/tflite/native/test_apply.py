"""Models of the tool, byte for byte."""

import applied
import pytest
import worlds

from object_detection_patch.tflite import apply_bytes

_PRECISIONS = {
    "float32": worlds.FLOAT32,
    "float16": worlds.FLOAT16,
    "int8": worlds.INT8,
}


def _apply(native, tmp_path, case):
    arguments = applied.write(tmp_path, case)
    found = native.run(*arguments)
    assert (found.returncode, found.stderr, found.stdout) == (0, "", "")
    return (tmp_path / "model").read_bytes()


@pytest.mark.parametrize("precision", _PRECISIONS)
@pytest.mark.parametrize("seed", range(20))
def test_is_the_oracles_model(native, tmp_path, precision, seed):
    case = applied.make_case(seed, _PRECISIONS[precision])
    assert _apply(native, tmp_path, case) == case.model


@pytest.mark.parametrize("precision", _PRECISIONS)
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_another_number_of_classes(native, tmp_path, precision, classes):
    case = applied.make_case(3, _PRECISIONS[precision], classes=classes)
    assert _apply(native, tmp_path, case) == case.model


@pytest.mark.parametrize("precision", _PRECISIONS)
@pytest.mark.parametrize("seed", range(8))
def test_kernels_of_many_pieces(native, tmp_path, precision, seed):
    """Channels of thousands of weights, rows of thousands of channels."""
    case = applied.make_case(seed, _PRECISIONS[precision], width=60)
    assert _apply(native, tmp_path, case) == case.model


@pytest.mark.parametrize("precision", _PRECISIONS)
@pytest.mark.parametrize("seed", range(12))
def test_matrices_between_channels(native, tmp_path, precision, seed):
    case = applied.make_case(seed, _PRECISIONS[precision], version=3)
    expected = apply_bytes(case.base, case.sidecar, case.patch)
    assert expected == case.model
    assert _apply(native, tmp_path, case) == case.model


@pytest.mark.parametrize("precision", _PRECISIONS)
def test_matrices_of_kernels_of_many_pieces(native, tmp_path, precision):
    case = applied.make_case(1, _PRECISIONS[precision], version=3, width=60)
    assert _apply(native, tmp_path, case) == case.model


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_patch_of_version_1(native, tmp_path, precision):
    case = applied.make_case(7, _PRECISIONS[precision], version=1)
    assert _apply(native, tmp_path, case) == case.model


@pytest.mark.parametrize("precision", _PRECISIONS)
@pytest.mark.parametrize("seed", range(100, 120))
def test_is_pythons_model(native, tmp_path, precision, seed):
    case = applied.make_case(seed, _PRECISIONS[precision])
    expected = apply_bytes(case.base, case.sidecar, case.patch)
    assert _apply(native, tmp_path, case) == expected
