"""examples/detect.py on a small model: answers, pictures, errors."""

import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from object_detection_patch.patch_file import LabelMapItem
from object_detection_patch.tflite import metadata_schema, model_metadata

_DETECT = pathlib.Path(__file__).parents[2] / "examples/detect.py"
# (204 - 127.5) / 127.5; red is at 1.
_BLUE_SCORE = 0.6
_RED = {"label": "Red", "score": 1.0, "top": 0, "left": 0}
_RED |= {"bottom": 16, "right": 24}
_BLUE = {"label": "Bläu", "score": _BLUE_SCORE, "top": 16, "left": 24}
_BLUE |= {"bottom": 32, "right": 48}


@pytest.fixture
def model(tmp_path, tiny_detector):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tiny_detector())
    return str(path)


@pytest.fixture
def photo(tmp_path, quarters):
    path = tmp_path / "photo.png"
    Image.fromarray(quarters).save(path)
    return str(path)


def _json(detect, capsys, *arguments):
    assert detect.main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_as_a_process_without_tensorflow(model, photo, tmp_path):
    output = tmp_path / "found.png"
    arguments = ["--model", model, photo, "--json", "--output", str(output)]
    code = (
        "import runpy, sys\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "try:\n"
        f"    runpy.run_path({str(_DETECT)!r}, run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0, end.code\n"
        "assert 'ai_edge_litert' in sys.modules\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout) == [
        {"image": photo, "objects": [_RED, _BLUE]}
    ]
    with Image.open(output) as sheet:
        assert sheet.height > 4 * 32 and sheet.width > 4 * 48


@pytest.mark.parametrize("kind", ["FLOAT32", "UINT8", "INT8"])
def test_every_kind_of_input(
    detect, capsys, tmp_path, photo, tiny_detector, kind
):
    path = tmp_path / "kind.tflite"
    path.write_bytes(tiny_detector(kind=kind))
    ((red, blue),) = (
        image["objects"]
        for image in _json(detect, capsys, "--model", str(path), photo)
    )
    # 8 bits have steps of 1 / 127.5, and 0 or 255 may be half a step off.
    assert red.pop("score") == pytest.approx(1, abs=1 / 127)
    assert blue.pop("score") == pytest.approx(_BLUE_SCORE, abs=1 / 127)
    assert red.items() < _RED.items() and blue.items() < _BLUE.items()


def test_outputs_are_found_by_name_in_any_order(
    detect, capsys, tmp_path, photo, tiny_detector
):
    order = ("score", "location", "number of detections", "category")
    path = tmp_path / "order.tflite"
    path.write_bytes(tiny_detector(outputs=order))
    (found,) = _json(detect, capsys, "--model", str(path), photo)
    assert found["objects"] == [_RED, _BLUE]


def test_the_table_has_a_line_for_each_object(detect, capsys, model, photo):
    assert detect.main(["--model", model, photo, photo]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        f"{photo}: 2 found",
        "  score   left    top  right bottom  label",
        "   1.00      0      0     24     16  Red",
        "   0.60     24     16     48     32  Bläu",
    ]
    assert lines[4:] == lines[:4]


def test_min_score_leaves_out(detect, capsys, model, photo, tmp_path):
    arguments = ["--model", model, photo, "--min_score"]
    (found,) = _json(detect, capsys, *arguments, "0.7")
    assert found["objects"] == [_RED]
    output = tmp_path / "none.png"
    assert detect.main([*arguments, "1.1", "--output", str(output)]) == 0
    assert capsys.readouterr().out == f"{photo}: 0 found\n"
    assert output.exists()


def test_boxes_are_drawn_into_the_images(
    detect, capsys, model, photo, quarters, tmp_path
):
    output = tmp_path / "found.png"
    assert detect.main(["--model", model, photo, "--output", str(output)]) == 0
    with Image.open(output) as image:
        sheet = np.asarray(image)
    # The image is enlarged four times; pure red fills the quarter but for
    # what is drawn on it, which is a box of the first colour.
    red = np.all(sheet == quarters[0, 0], axis=-1)
    assert 0.5 < red.sum() / (16 * 24 * 16) < 1
    assert np.all(sheet == (230, 159, 0), axis=-1).any()


def test_a_class_without_a_label_is_shown_as_its_number(
    detect, capsys, tmp_path, photo, tiny_detector
):
    path = tmp_path / "short.tflite"
    path.write_bytes(tiny_detector(label_map=(LabelMapItem(1, "red", ""),)))
    (found,) = _json(detect, capsys, "--model", str(path), photo)
    assert [o["label"] for o in found["objects"]] == ["red", "#3"]


def test_images_are_turned_upright_and_into_rgb(
    detect, capsys, model, quarters, tmp_path
):
    image = Image.fromarray(quarters)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter to the right
    turned = tmp_path / "turned.png"
    image.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    clear = tmp_path / "clear.png"
    image.convert("RGBA").save(clear)
    found = _json(detect, capsys, "--model", model, str(turned), str(clear))
    for objects in (image["objects"] for image in found):
        assert objects == [_RED, _BLUE]


@pytest.mark.parametrize("size", [(96, 80), (20, 30), (8, 8), (1, 1), (5, 200)])
def test_resizing_is_bilinear_from_the_first_pixel(detect, size):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, [*size, 3], np.uint8)
    expected = np.zeros([8, 10, 3])
    for row in range(8):
        for column in range(10):
            y, x = row * size[0] / 8, column * size[1] / 10
            top, left = int(y), int(x)
            for j, part in ((top, 1 - (y - top)), (top + 1, y - top)):
                for i, share in ((left, 1 - (x - left)), (left + 1, x - left)):
                    pixel = image[min(j, size[0] - 1), min(i, size[1] - 1)]
                    expected[row, column] += part * share * pixel
    resized = detect.resized(image, 8, 10)
    assert resized.dtype == np.float32
    np.testing.assert_allclose(resized, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"No model at all", "identifier TFL3"),
        ({"metadata": b""}, "must hold TFLite Model Metadata"),
        ({"label_map": None}, "must end in a zip archive with labelmap.txt"),
        ({"metadata": b"\xff\0\0\0M001"}, "must lead into its flatbuffer"),
    ],
)
def test_files_that_are_no_detector(
    detect, capsys, tmp_path, photo, tiny_detector, content, message
):
    if isinstance(content, dict):
        content = tiny_detector(**content)
    path = tmp_path / "bad.tflite"
    path.write_bytes(content)
    assert detect.main(["--model", str(path), photo]) == 2
    out, err = capsys.readouterr()
    assert out == "" and message in err


def _changed_metadata(change):
    raw = model_metadata.detector_metadata(
        name="", description="", image_size=(8, 8)
    )
    reader = metadata_schema.TableReader(raw)
    metadata = reader.table("ModelMetadata", reader.root())
    change(metadata["subgraph_metadata"][0])
    return metadata_schema.encode_metadata(metadata)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.clear(), "must describe one image.*'input_tensor"),
        (
            lambda s: s["input_tensor_metadata"][0].pop("process_units"),
            "must describe one image.*no normalization",
        ),
        (
            lambda s: s["output_tensor_metadata"].pop(),
            "must have the outputs.*'number of detections'.*Received",
        ),
    ],
)
def test_metadata_that_is_not_about_a_detector(
    detect, capsys, tmp_path, photo, tiny_detector, change, message
):
    path = tmp_path / "other.tflite"
    path.write_bytes(tiny_detector(metadata=_changed_metadata(change)))
    assert detect.main(["--model", str(path), photo]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_a_file_that_is_no_image(detect, capsys, model, photo):
    assert detect.main(["--model", model, photo, model]) == 2
    assert f"readable JPEG or PNG file. Received: {model}" in (
        capsys.readouterr().err
    )


def test_files_that_are_missing(detect, capsys, model, photo, tmp_path):
    none = str(tmp_path / "none")
    assert detect.main(["--model", none, photo]) == 2
    assert "No such file" in capsys.readouterr().err
    assert detect.main(["--model", model, none]) == 2
    assert f"Received: {none}" in capsys.readouterr().err
    output = str(tmp_path / "none" / "found.png")
    assert detect.main(["--model", model, photo, "--output", output]) == 2
    assert "No such file" in capsys.readouterr().err


def test_help_says_what_is_needed(detect, capsys):
    with pytest.raises(SystemExit) as end:
        detect.main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert "--model task.tflite" in text and "pip install" in text
