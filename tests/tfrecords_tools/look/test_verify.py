"""Each rule is broken once, in records written byte by byte."""

import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tfrecords_tools.label_map import parse_label_map
from tfrecords_tools.look.verify import Verifier


@pytest.fixture
def verify(handmade, tmp_path):
    """Verdict on files; records given alone become a file."""
    label_map = parse_label_map(handmade.LABEL_MAP, "map")

    def run(*payloads, files=None, **options):
        if files is None:
            files = [handmade.write(tmp_path / "a.record", *payloads)]
        verifier = Verifier(label_map, **options)
        return verifier.verify(files, lambda size: None)

    return run


def only_fault(verdict):
    assert verdict.num_faults == 1, verdict.faults
    return verdict.faults[0]


def test_good_records_have_no_fault(handmade, verify):
    verdict = verify(
        handmade.record("a"),
        handmade.record("b", boxes=handmade.NO_BOXES),
        handmade.record("c", encoded=handmade.picture("JPEG")),
        handmade.record("d", encoded=handmade.picture("JPEG", mode="L")),
        handmade.record("e", encoded=handmade.picture("PNG", mode="L")),
    )
    assert verdict.faults == []
    assert (verdict.files, verdict.images, verdict.boxes) == (1, 5, 8)


def test_a_fault_names_file_record_and_source_id(handmade, verify, tmp_path):
    bad = handmade.record("7/é", **{"object/area": ("float", [1.0, -1.0])})
    assert only_fault(verify(handmade.record("a"), bad)) == (
        f"{tmp_path}/a.record, record 2 (7/é): object 2: area must be finite "
        f"and 0 or more. Received: -1.0"
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", None, "A record must have image/format. Received: none"),
        ("height", None, "A record must have image/height. Received: none"),
        ("width", None, "A record must have image/width. Received: none"),
        ("filename", None, "must have image/filename. Received: none"),
        ("source_id", None, "must have image/source_id. Received: none"),
        ("key/sha256", None, "must have image/key/sha256. Received: none"),
        (
            "height",
            ("float", [20.0]),
            "image/height must be one int64 value. Received: 1 float value",
        ),
        (
            "width",
            ("int64", [40, 40]),
            "image/width must be one int64 value. Received: 2 int64 values",
        ),
        (
            "width",
            ("int64", []),
            "image/width must be one int64 value. Received: 0 int64 values",
        ),
        (
            "filename",
            ("", []),
            "image/filename must be one bytes value. Received: 0 values",
        ),
        (
            "width",
            ("int64", [20]),
            "image/width must be that of the decoded image, 40. Received: 20",
        ),
        (
            "height",
            ("int64", [21]),
            "image/height must be that of the decoded image, 20. Received: 21",
        ),
        (
            "key/sha256",
            ("bytes", [b"0" * 64]),
            "image/key/sha256 must be that of image/encoded, ",
        ),
        (
            "source_id",
            ("bytes", [b""]),
            "image/source_id must not be empty: evaluators match images by "
            "it. Received: b''",
        ),
        (
            "source_id",
            ("bytes", [b"\xff"]),
            r"image/source_id must be UTF-8. Received: b'\xff'",
        ),
        (
            "filename",
            ("bytes", [b"/images/a.jpg"]),
            'image/filename must be a relative path with "/". Received: '
            "b'/images/a.jpg'",
        ),
        (
            "filename",
            ("bytes", [b"zoo\\a.jpg"]),
            'image/filename must be a relative path with "/"',
        ),
        (
            "format",
            ("bytes", [b"PNG"]),
            "image/format must be jpeg or png. Received: b'PNG'",
        ),
        (
            "format",
            ("bytes", [b"jpeg"]),
            r"must be the jpeg file that image/format announces. Received: "
            r"b'\x89PNG'",
        ),
    ],
)
def test_faults_of_image_columns(handmade, verify, key, value, message):
    verdict = verify(handmade.record(**{key: value}))
    assert message in only_fault(verdict)
    # The header alone tells as much.
    bad = verify(handmade.record(**{key: value}), decode_pixels=False)
    assert bad.faults == verdict.faults


def test_a_record_without_image(handmade, verify):
    columns = handmade.columns()
    del columns["image/encoded"]
    fault = only_fault(verify(handmade.example(columns)))
    assert fault.endswith("A record must have image/encoded. Received: none")


def test_an_empty_image(handmade, verify):
    verdict = verify(handmade.record(encoded=b""))
    assert "image/encoded must not be empty" in only_fault(verdict)


def test_bytes_that_are_no_image(handmade, verify):
    verdict = verify(handmade.record(encoded=b"GIF89a..."))
    assert only_fault(verdict).endswith(
        "image/encoded must be a JPEG or PNG file. Received: b'GIF89a..'"
    )


@pytest.mark.parametrize("size", [4, 300, -100, -2])
def test_images_that_end_too_early(handmade, verify, size):
    file = io.BytesIO()
    Image.effect_noise((handmade.WIDTH, handmade.HEIGHT), 90).save(file, "JPEG")
    encoded = file.getvalue()[:size]
    verdict = verify(handmade.record(encoded=encoded), decode_pixels=False)
    assert "must be decodable. Received: damaged JPEG" in only_fault(verdict)


def test_a_png_that_ends_too_early(handmade, verify):
    verdict = verify(handmade.record(encoded=handmade.picture()[:-12]))
    assert "must be decodable. Received: damaged PNG" in only_fault(verdict)


def test_broken_pixels_are_found_by_decoding_alone(handmade, verify):
    """A JPEG with all its markers whose Huffman codes are nonsense."""
    file = io.BytesIO()
    Image.new("RGB", (40, 20)).save(file, "JPEG")
    encoded = bytearray(file.getvalue())
    table = encoded.index(b"\xff\xc4") + 5
    encoded[table : table + 16] = bytes([255] * 16)
    encoded = bytes(encoded)
    record = handmade.record(encoded=encoded)
    assert verify(record, decode_pixels=False).num_faults == 0
    found = only_fault(verify(record))
    assert found.count("must be decodable. Received:") == 1


@pytest.mark.parametrize(
    ("kind", "mode", "colour"),
    [
        ("JPEG", "CMYK", (9, 9, 9, 9)),
        ("PNG", "RGBA", (9, 9, 9, 9)),
        ("PNG", "P", 9),
        ("PNG", "I;16", 9),
    ],
)
def test_channels(handmade, verify, kind, mode, colour):
    encoded = handmade.picture(kind, mode=mode, colour=colour)
    verdict = verify(handmade.record(encoded=encoded))
    assert "must have 8 bits and 3 channels, or be grey" in only_fault(verdict)


@pytest.mark.parametrize(
    "key",
    [
        "bbox/xmin",
        "bbox/xmax",
        "bbox/ymin",
        "bbox/ymax",
        "class/text",
        "class/label",
        "difficult",
    ],
)
def test_lists_must_exist_even_when_empty(handmade, verify, key):
    record = handmade.record(boxes=handmade.NO_BOXES, **{f"object/{key}": None})
    assert only_fault(verify(record)).endswith(
        f"A record must have image/object/{key}, be it empty. Received: none"
    )


@pytest.mark.parametrize(
    "key", ["area", "truncated", "occluded", "is_crowd", "group_of"]
)
def test_other_lists_may_be_absent(handmade, verify, key):
    record = handmade.record(**{f"object/{key}": None})
    assert verify(record).num_faults == 0


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("bbox/xmin", ("int64", [0, 0]), "must hold float values. Received: 2"),
        ("class/text", ("int64", [1, 3]), "must hold bytes values. Received:"),
        ("difficult", ("float", [0.0, 1.0]), "must hold int64 values"),
        ("truncated", ("float", [0.0, 1.0]), "must hold int64 values"),
        (
            "difficult",
            ("int64", [0]),
            "image/object/difficult must be as long as "
            "image/object/bbox/xmin, 2. Received: 1",
        ),
        ("class/text", ("bytes", []), "2. Received: 0"),
        ("area", ("float", [1.0] * 3), "2. Received: 3"),
        ("pose", ("bytes", [b"left"]), "image/object/pose must be as long as"),
        ("view", ("bytes", [b"left", b"\xff"]), "object 2: view must be UTF-8"),
        ("area", ("float", [math.inf, 1]), "object 1: area must be finite"),
        ("area", ("float", [1, math.nan]), "object 2: area must be finite"),
        ("area", ("float", [-1.0, 1.0]), "object 1: area must be finite and"),
        ("weight", ("float", [-1.0, 1.0]), "weight must be finite and 0 or m"),
        ("difficult", ("int64", [0, 2]), "object 2: difficult must be 0 or 1"),
        ("truncated", ("int64", [-1, 0]), "truncated must be 0 or 1. Receive"),
        ("is_crowd", ("int64", [0, 5]), "is_crowd must be 0 or 1. Received: 5"),
        ("group_of", ("int64", [-1, 1]), "group_of must be 0 or 1. Received"),
        ("depiction", ("int64", [3, 1]), "depiction must be 0 or 1. Received"),
        ("occluded", ("int64", [0, -1]), "occluded must be 0 or more. Receiv"),
        ("class/label", ("int64", [1, 2]), "class/label must be an id of the"),
        (
            "class/label",
            ("int64", [3, 3]),
            "object 1: class/label must be the label map's id of 'cat', 1. "
            "Received: 3",
        ),
        (
            "class/text",
            ("bytes", [b"cat", b"Dog"]),
            "object 2: class/text must be a name of the label map. Received: "
            "'Dog'",
        ),
        ("class/text", ("bytes", [b"", b"dog"]), "label map. Received: ''"),
        ("class/text", ("bytes", [b"\xff", b"dog"]), "class/text must be UTF"),
    ],
)
def test_faults_of_object_columns(handmade, verify, key, value, message):
    record = handmade.record(**{f"object/{key}": value})
    assert message in only_fault(verify(record))


def test_an_empty_list_of_the_wrong_type_is_a_fault(handmade, verify):
    record = handmade.record(
        boxes=handmade.NO_BOXES, **{"object/bbox/xmin": ("int64", [])}
    )
    assert "must hold float values" in only_fault(verify(record))


def test_an_empty_list_without_type_is_none(handmade, verify):
    record = handmade.record(
        boxes=handmade.NO_BOXES, **{"object/bbox/xmin": ("", [])}
    )
    assert verify(record).num_faults == 0


def test_lists_of_several_values_per_object_are_left_alone(handmade, verify):
    more = {
        "object/keypoint/x": ("float", [0.5] * 7),
        "object/mask": ("float", [0.0] * 9),
    }
    assert verify(handmade.record(**more)).num_faults == 0


@pytest.mark.parametrize(
    ("xmin", "xmax", "message"),
    [
        (-0.001, 0.5, "edges must be finite and lie in [0, 1]"),
        (0.5, 1.0000001, "edges must be finite and lie in [0, 1]"),
        (math.nan, 0.5, "edges must be finite and lie in [0, 1]"),
        (0.5, math.inf, "edges must be finite and lie in [0, 1]"),
        (12.0, 30.0, "edges must be finite and lie in [0, 1]"),
        (0.5, 0.5, "xmin < xmax and ymin < ymax must hold"),
        (0.6, 0.5, "xmin < xmax and ymin < ymax must hold"),
        # Different before they were rounded to float32.
        (0.5, 0.5 + 1e-9, "xmin < xmax and ymin < ymax must hold"),
    ],
)
@pytest.mark.parametrize("axis", ["x", "y"])
def test_faults_of_edges(handmade, verify, axis, xmin, xmax, message):
    edges = {
        f"object/bbox/{axis}min": ("float", [0.0, xmin]),
        f"object/bbox/{axis}max": ("float", [1.0, xmax]),
    }
    fault = only_fault(verify(handmade.record(**edges)))
    assert f"object 2: {message}. Received (xmin, ymin, xmax, ymax): (" in fault


def test_display_names_are_names_too(handmade, verify):
    texts = ("bytes", [b"Cat", b"Hound"])
    record = handmade.record(**{"object/class/text": texts})
    assert verify(record).num_faults == 0


def test_source_ids_are_unique_within_a_split(handmade, verify, tmp_path):
    record = handmade.record("a")
    names = (
        "pet_train.record-00000-of-00002",
        "pet_train.record-00001-of-00002",
        "pet_eval.record-00000-of-00001",
    )
    files = [handmade.write(tmp_path / name, record) for name in names]
    assert verify(files=[files[0], files[2]]).num_faults == 1  # One shard.
    fault = only_fault(verify(files=files))
    assert fault == (
        f"{files[1]}, record 1 (a): image/source_id must be unique within a "
        f"split. Received: b'a'"
    )


def test_missing_shards_are_a_fault(handmade, verify, tmp_path):
    name = "pet_train.record-00000-of-00002"
    path = handmade.write(tmp_path / name, handmade.record())
    assert "must have all its 2 shards" in only_fault(verify(files=[path]))


def test_a_broken_frame_ends_its_file_only(handmade, verify, tmp_path):
    good = handmade.record("a")
    one = handmade.write(tmp_path / "one.record", good, handmade.record("b"))
    broken = bytearray(one.read_bytes())
    broken[len(handmade.frame(good)) + 20] ^= 1
    one.write_bytes(broken)
    two = handmade.write(tmp_path / "two.record", good)
    verdict = verify(files=[one, two])
    start = len(handmade.frame(good))
    fault = only_fault(verdict)
    assert fault.startswith(
        f"{one}, record 2 (byte {start}): A record's bytes must match"
    )
    assert fault.endswith("; the rest of the file was not read")
    assert (verdict.files, verdict.images) == (2, 2)


def test_bytes_that_are_no_example_leave_the_rest_readable(handmade, verify):
    verdict = verify(b"\xff\xd8\xff no example", handmade.record())
    assert "record 1: A record must hold a tf.Example" in only_fault(verdict)
    assert verdict.images == 2


def test_all_faults_are_counted_and_ten_kept(handmade, verify):
    bad = {"format": ("bytes", [b"jpg"]), "height": ("int64", [7])}
    records = [handmade.record(str(i), **bad) for i in range(8)]
    verdict = verify(*records)
    assert (verdict.num_faults, len(verdict.faults)) == (16, 10)
    assert "record 5 (4)" in verdict.faults[-1]


def test_faults_of_one_record_are_all_told(handmade, verify):
    bad = {
        "source_id": ("bytes", [b""]),
        "object/area": ("float", [-1.0, 0.0]),
        "object/class/label": ("int64", [3, 1]),
    }
    # One line a rule, about the first object that breaks it.
    assert verify(handmade.record(**bad)).num_faults == 3


def test_an_empty_example_lacks_everything(verify):
    assert verify(b"").num_faults == 14


def test_many_boxes_are_counted_but_no_fault(handmade, verify):
    one = {k: (kind, v[:1]) for k, (kind, v) in handmade.BOXES.items()}
    verdict = verify(
        handmade.record("a"),
        handmade.record("b", boxes=one),
        max_number_of_boxes=1,
    )
    assert verdict.num_faults == 0
    assert (verdict.num_crowded, verdict.most_boxes) == (1, 2)


def test_faults_stay_on_one_line(handmade, verify):
    texts = ("bytes", [b"two\nlines" + b"x" * 999, b"dog"])
    record = handmade.record("id\n2", **{"object/class/text": texts})
    fault = only_fault(verify(record))
    assert "\n" not in fault
    assert len(fault) < 400


@given(data=st.data())
def test_mutated_records_are_judged_and_never_raise(
    handmade, tmp_path_factory, data
):
    payload = bytearray(handmade.record())
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(payload) - 1))
        payload[position] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("mutated")
    path = handmade.write(folder / "a.record", bytes(payload))
    label_map = parse_label_map(handmade.LABEL_MAP, "map")
    verdict = Verifier(label_map).verify([path], lambda size: None)
    assert verdict.images == 1


def test_files_without_any_record_are_a_fault(verify):
    assert "There must be a record" in only_fault(verify())
