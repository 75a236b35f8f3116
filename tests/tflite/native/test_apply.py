"""Models of the tool, byte for byte."""

import dataclasses

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
@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("seed", range(12))
def test_matrices_and_half_grids(native, tmp_path, precision, version, seed):
    case = applied.make_case(seed, _PRECISIONS[precision], version=version)
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


@pytest.mark.parametrize("precision", _PRECISIONS)
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("size", [0, 1])
def test_another_input_size(native, tmp_path, precision, seed, size):
    case = applied.make_case(seed, _PRECISIONS[precision], size=size)
    expected = apply_bytes(case.base, case.sidecar, case.patch)
    assert expected == case.model
    assert _apply(native, tmp_path, case) == case.model


@pytest.mark.parametrize("precision", _PRECISIONS)
@pytest.mark.parametrize("seed", range(5))
def test_is_the_model_of_an_export_at_that_size(
    native, tmp_path, precision, seed
):
    """The same patch, on a base that was exported at its size alone."""
    case = applied.make_case(seed, _PRECISIONS[precision], size=1)
    world = worlds.make_world(
        seed, _PRECISIONS[precision], classes=1 + seed % 5
    )
    worlds.add_sizes(world, seed)
    exported = world.at_size(world.sizes[1])
    alone = dataclasses.replace(
        case, base=exported.base(), sidecar=exported.sidecar()
    )
    assert _apply(native, tmp_path, alone) == case.model


@pytest.mark.parametrize("precision", _PRECISIONS)
def test_the_base_s_own_size_beside_others(native, tmp_path, precision):
    case = applied.make_case(3, _PRECISIONS[precision], size=applied.OWN)
    assert apply_bytes(case.base, case.sidecar, case.patch) == case.model
    assert _apply(native, tmp_path, case) == case.model
