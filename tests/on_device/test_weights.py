"""Files of weights are read back as they were written, or refused."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.on_device import names, weights

_ARRAYS = {
    "kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    names.FINGERPRINT: np.arange(32, dtype=np.int32),
    names.STEPS: np.int32(7),
}


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "weights.npz"
    weights.write_weights(path, _ARRAYS)
    found = weights.read_weights(path)
    assert found.keys() == _ARRAYS.keys()
    for name, value in _ARRAYS.items():
        np.testing.assert_array_equal(found[name], value)
        assert found[name].dtype == value.dtype


@pytest.mark.parametrize("missing", [names.FINGERPRINT, names.STEPS])
def test_weights_say_where_they_are_from(tmp_path, missing):
    path = tmp_path / "weights.npz"
    kept = {k: v for k, v in _ARRAYS.items() if k != missing}
    weights.write_weights(path, kept)
    with pytest.raises(ValueError, match=f"without {missing}"):
        weights.read_weights(path)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "weights.npz"
    with pytest.raises(ValueError, match="must be a file"):
        weights.read_weights(path)
    path.write_bytes(b"no zip file")
    with pytest.raises(ValueError, match=r"must be an \.npz file"):
        weights.read_weights(path)
    np.savez(path, steps=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match=r"must be an \.npz file"):
        weights.read_weights(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_file_cut_short_is_refused(tmp_path, kept):
    path = tmp_path / "weights.npz"
    weights.write_weights(path, _ARRAYS)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(ValueError, match=r"must be an \.npz file"):
        weights.read_weights(path)
