"""The phone's process, on a detector that can be checked by hand."""

import hashlib
import io
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from object_detection_patch import tflite
from object_detection_patch.demo import phone
from tfrecords_tools import tf_example, writer
from tfrecords_tools.example import Example, ExampleObject

_QUARTERS = {"top left": (0.0, 0.0), "bottom right": (0.5, 0.5)}
_BLOCKED = """
import sys
sys.modules["tensorflow"] = sys.modules["tf_keras"] = None
from object_detection_patch.demo import phone
print(phone.run_model(*sys.argv[1:])[0])
"""


def _object(label: int, quarter: str, **flags: bool) -> ExampleObject:
    top, left = _QUARTERS[quarter]
    return ExampleObject(
        name=str(label),
        label=label,
        xmin=left,
        ymin=top,
        xmax=left + 0.5,
        ymax=top + 0.5,
        area=16,
        **flags,
    )


def _record(source_id: str, objects: list[ExampleObject]) -> bytes:
    """A PNG of 8 x 8 pixels, red top left and blue bottom right."""
    pixels = np.zeros([8, 8, 3], np.uint8)
    pixels[:4, :4, 0] = 255
    pixels[4:, 4:, 2] = 204
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    example = Example(
        encoded=file.getvalue(),
        encoding="png",
        width=8,
        height=8,
        filename=f"{source_id}.png",
        source_id=source_id,
        objects=objects,
    )
    return writer.frame(tf_example.serialize(example))


def _write_records(folder: pathlib.Path) -> str:
    """Two images; in the second the blue is called class 2, by mistake."""
    true = [_object(1, "top left"), _object(3, "bottom right")]
    false = [_object(1, "top left"), _object(2, "bottom right")]
    (folder / "a-1").write_bytes(_record("two", false))
    (folder / "a-0").write_bytes(_record("one", true))
    return str(folder / "a-*")


def test_records_are_read_in_the_order_of_their_files(
    tmp_path: pathlib.Path,
) -> None:
    found = list(phone.read_records(_write_records(tmp_path)))
    assert [truth.classes.tolist() for _, truth in found] == [[1, 3], [1, 2]]
    image, truth = found[0]
    assert image.shape == (8, 8, 3)
    np.testing.assert_array_equal(image[0, 0], [255, 0, 0])
    np.testing.assert_array_equal(
        truth.boxes, [[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]]
    )


def test_flags_are_read(tmp_path: pathlib.Path) -> None:
    objects = [_object(1, "top left", difficult=True)]
    objects.append(_object(1, "bottom right", is_crowd=True))
    (tmp_path / "a").write_bytes(_record("one", objects))
    ((_, truth),) = phone.read_records(str(tmp_path / "a"))
    assert truth.difficult.tolist() == [True, False]
    assert truth.is_crowd.tolist() == [False, True]
    assert truth.group_of.tolist() == [False, False]


def test_an_image_without_objects_is_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").write_bytes(_record("one", []))
    ((_, truth),) = phone.read_records(str(tmp_path / "a"))
    assert truth.boxes.shape == (0, 4)


def test_a_model_is_run_and_measured(
    tmp_path: pathlib.Path, tiny_detector: Callable[..., bytes]
) -> None:
    (tmp_path / "m.tflite").write_bytes(tiny_detector())
    value, milliseconds = phone.run_model(
        str(tmp_path / "m.tflite"),
        _write_records(tmp_path),
        str(tmp_path / "drawn.npz"),
    )
    # Class 1 is found in both images, 2 never. One of class 3 is true; the
    # equal score in the second image, later, is false: precision 1 up to it.
    assert value == pytest.approx((1 + 0 + 1) / 3)
    assert 0 < milliseconds < 1000
    with np.load(tmp_path / "drawn.npz") as arrays:
        assert arrays["label_names"].tolist() == ["Red", "green", "Bläu"]
        assert arrays["classes_1"].tolist() == [1, 3]


def test_tensorflow_is_not_needed(
    tmp_path: pathlib.Path, tiny_detector: Callable[..., bytes]
) -> None:
    (tmp_path / "m.tflite").write_bytes(tiny_detector())
    records = _write_records(tmp_path)
    arguments = [str(tmp_path / "m.tflite"), records, str(tmp_path / "d.npz")]
    ran = subprocess.run(
        [sys.executable, "-c", _BLOCKED, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(ran.stdout) == pytest.approx(2 / 3)


class _Phone:
    """Directories as `od-patch publish` and `od-patch apply` leave them."""

    def __init__(self, folder: pathlib.Path, model: bytes) -> None:
        self.model = model
        self.base = folder / "base.tflite"
        self.base.write_bytes(model)
        (folder / "base.odpatch").write_bytes(b"sidecar")
        self.source, self.task = folder / "source", folder / "task"
        self.source.mkdir()
        self.task.mkdir()
        (self.task / "released.patch").write_bytes(b"patch")
        (self.task / "task.tflite").write_bytes(model)
        self.records = _write_records(folder)
        self.outputs: list[str] = []
        self.verified = True

    def apply(self, base: str, patch: str, output: str) -> tflite.Applied:
        """Stands for tflite.apply."""
        assert pathlib.Path(patch).read_bytes() == b"patch"
        self.outputs.append(output)
        pathlib.Path(output).write_bytes(self.model)
        digest = hashlib.sha256(self.model).hexdigest()
        return tflite.Applied(len(self.model), digest, 3, self.verified)

    def run(self) -> dict:
        options = [f"--base={self.base}", "--source", str(self.source)]
        options += [self.records, "--task", str(self.task), self.records]
        assert phone.main(options) == 0
        return json.loads((self.task / "phone.json").read_text())


@pytest.fixture
def device(
    tmp_path: pathlib.Path,
    tiny_detector: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> _Phone:
    device = _Phone(tmp_path, tiny_detector())
    monkeypatch.setattr(tflite, "apply", device.apply)
    return device


def test_base_and_task_are_measured(device: _Phone) -> None:
    task = device.run()
    size = len(device.model)
    assert task["numbers"] == {
        "patch_bytes": 5,
        "model_bytes": size,
        "fraction": 5 / size,
        "sha256": hashlib.sha256(device.model).hexdigest(),
        "verified": True,
        "map": pytest.approx(2 / 3),
    }
    assert set(task["milliseconds"]) == {"apply", "inference"}
    base = json.loads((device.source / "phone.json").read_text())
    assert base["numbers"]["model_bytes"] == size
    assert base["numbers"]["sidecar_bytes"] == len(b"sidecar")
    assert base["numbers"]["map"] == pytest.approx(2 / 3)
    assert set(base["milliseconds"]) == {"inference"}
    assert (device.source / "drawn_phone.npz").exists()
    assert (device.task / "drawn_phone.npz").exists()


def test_applying_leaves_no_scratch_file(device: _Phone) -> None:
    device.run()
    # Once to warm up, then often enough for a median.
    assert len(device.outputs) >= 4
    assert not any(map(os.path.exists, device.outputs))
    assert str(device.task / "task.tflite") not in device.outputs


def test_another_model_is_not_called_verified(device: _Phone) -> None:
    with (device.task / "task.tflite").open("ab") as file:
        file.write(b"\0")
    assert device.run()["numbers"]["verified"] is False


def test_an_unstated_result_is_not_called_verified(device: _Phone) -> None:
    device.verified = False
    assert device.run()["numbers"]["verified"] is False
