"""Pictures: where pixels change, sizes, equal runs, errors."""

import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from object_detection_patch import pictures

NAMES = {1: "cat", 2: "dog"}
GREY = np.full((96, 96, 3), 128, np.uint8)


def draw(image=GREY, boxes=((0.25, 0.5, 0.75, 0.9),), **changes):
    arguments = {
        "classes": [1] * len(boxes),
        "scores": [0.9] * len(boxes),
        "label_names": NAMES,
        **changes,
    }
    return pictures.draw_detections(image, boxes, **arguments)


def has_colour(image, colour):
    return bool(np.all(image == np.array(colour), axis=-1).any())


# --- draw_detections --------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "factor"), [(1, 4), (96, 4), (120, 3), (200, 2), (360, 1)]
)
def test_small_images_are_enlarged_by_a_whole_factor(side, factor):
    image = np.full((side // 2 + 1, side, 3), 128, np.uint8)
    drawn = draw(image, boxes=())
    assert drawn.shape == (image.shape[0] * factor, side * factor, 3)
    assert (drawn == 128).all()


def test_pixels_change_at_the_box_and_nowhere_else():
    drawn = draw(boxes=[(0.25, 0.5, 0.75, 0.9)])
    changed = np.any(drawn != 128, axis=-1)
    # 383 is the last pixel of 384: the edges.
    top, left, bottom, right = 96, 192, 287, 345
    for row in (top, bottom):
        assert changed[row, left:right].all()
    for column in (left, right):
        assert changed[top:bottom, column].all()
    assert not changed[top + 8 : bottom - 8, left + 8 : right - 8].any()
    outside = changed.copy()
    # The label stands on the box and is about 20 pixels high.
    outside[top - 25 : bottom + 3, left - 3 : right + 3] = False
    assert not outside.any()
    assert changed[top - 20 : top - 3, left : left + 40].any()


def test_colour_is_the_class_and_repeats_with_the_palette():
    for class_id in (1, 2, 8):
        drawn = draw(classes=[class_id])
        expected = pictures.PALETTE[(class_id - 1) % 7]
        assert has_colour(drawn, expected)
        for other in set(pictures.PALETTE) - {expected}:
            assert not has_colour(drawn, other)


def test_palette_is_told_apart_by_red_green_blind_eyes():
    # Simulations of Viénot, Brettel and Mollon (1999), in linear RGB: a row
    # per channel seen; red and green become one.
    simulations = {
        "normal": np.eye(3),
        "protanopia": [[0.112, 0.888, 0]] * 2 + [[0.004, -0.004, 1]],
        "deuteranopia": [[0.293, 0.707, 0]] * 2 + [[-0.022, 0.022, 1]],
    }
    linear = (np.array(pictures.PALETTE) / 255) ** 2.2
    for name, matrix in simulations.items():
        seen = np.clip(linear @ np.transpose(matrix), 0, 1) ** (1 / 2.2)
        distances = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
        distances[np.diag_indices(len(seen))] = np.inf
        # A tenth of the whole range is a plain difference side by side.
        assert distances.min() > 0.1, name


def test_min_score_decides_what_is_drawn():
    both = draw(boxes=[(0.1, 0.1, 0.4, 0.4), (0.5, 0.5, 0.9, 0.9)])
    one = draw(
        boxes=[(0.1, 0.1, 0.4, 0.4), (0.5, 0.5, 0.9, 0.9)],
        scores=[0.9, 0.3],
    )
    only = draw(boxes=[(0.1, 0.1, 0.4, 0.4)])
    np.testing.assert_array_equal(one, only)
    assert (both != one).any()
    assert (draw(scores=[0.3], min_score=0.3) != 128).any()


def test_groundtruth_is_drawn_without_a_number():
    with_number = draw(scores=[1.0])
    without = draw(scores=None)

    # The chip, in the class's colour, is narrower without "100%".
    def chip_width(image):
        row = np.all(image[85] == pictures.PALETTE[0], axis=-1)
        return int(row.sum())

    assert 0 < chip_width(without) < chip_width(with_number)


def test_an_id_without_a_name_is_shown_as_its_number():
    unknown = draw(classes=[8], label_names={})
    named = draw(classes=[8], label_names={8: "#8"})
    np.testing.assert_array_equal(unknown, named)


def test_boxes_are_clipped_and_those_outside_not_drawn():
    np.testing.assert_array_equal(
        draw(boxes=[(-0.5, 0.2, 0.5, 2.0)]), draw(boxes=[(0, 0.2, 0.5, 1)])
    )
    assert (draw(boxes=[(0.2, 1.1, 0.4, 1.5)]) == 128).all()
    assert (draw(boxes=[(0, 0, 0, 0)]) == 128).all()


def test_labels_do_not_cover_each_other_where_there_is_room():
    boxes = [(0.4, 0.3, 0.8, 0.8), (0.41, 0.31, 0.81, 0.81)]
    together = draw(boxes=boxes, classes=[1, 2], scores=[0.9, 0.8])
    alone = draw(boxes=boxes[:1], classes=[1], scores=[0.9])
    # The best detection's label stands above its box (row 153) and is whole.
    label = (slice(128, 150), slice(None))
    np.testing.assert_array_equal(together[label], alone[label])
    # The other's stands elsewhere: more rows hold a run of its colour than
    # the three of the upper and the three of the lower edge.
    second = np.all(together == pictures.PALETTE[1], axis=-1).sum(axis=1)
    assert (second > 40).sum() >= 12


def test_image_is_not_written_to_and_runs_are_equal():
    image = np.random.default_rng(0).integers(0, 255, (96, 64, 3), np.uint8)
    before = image.copy()
    first, second = draw(image), draw(image)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(first, second)
    first[:] = 0  # the result is the caller's own


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    corners=st.lists(
        st.tuples(*[st.floats(-2, 2)] * 4).map(
            lambda c: (
                min(c[0], c[2]), min(c[1], c[3]),
                max(c[0], c[2]), max(c[1], c[3]),
            )
        ),
        max_size=5,
    ),
)  # fmt: skip
def test_any_valid_box_can_be_drawn(shape, corners):
    image = np.zeros((*shape, 3), np.uint8)
    drawn = draw(image, boxes=corners)
    assert drawn.shape == (4 * shape[0], 4 * shape[1], 3)
    assert drawn.dtype == np.uint8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": GREY[..., 0]}, r"`image` must be uint8.*\[96, 96\]"),
        ({"image": GREY / 255}, "`image` must be uint8.*float64"),
        ({"image": GREY[:0]}, r"`image` must be uint8.*\[0, 96, 3\]"),
        ({"scores": [0.9, 0.8]}, r"`scores` must have shape \[1\].*\[2\]"),
        ({"classes": [1, 2]}, r"`boxes` must have shape \[2, 4\].*\[1, 4\]"),
        ({"scores": [np.nan]}, "`scores` must be finite.*nan"),
        ({"boxes": [(0, 0, np.inf, 1)]}, "`boxes` must be finite.*inf"),
        ({"boxes": [(0.5, 0, 0.2, 1)]}, "ymax >= ymin.*row 0 is"),
    ],
)
def test_bad_detections(changes, message):
    with pytest.raises(ValueError, match=message):
        draw(**changes)


# --- side_by_side -----------------------------------------------------------


def flat(height, width, value):
    return np.full((height, width, 3), value, np.uint8)


def test_sheet_holds_every_image_whole_and_in_order():
    rows = [
        [flat(40, 60, 10), flat(30, 50, 20)],
        [flat(20, 60, 30), flat(20, 70, 40)],
    ]
    sheet = pictures.side_by_side(rows, ["base", "patch"], ["near", "far"])
    places = {}
    for row in rows:
        for image in row:
            value = image[0, 0, 0]
            found = np.argwhere(np.all(sheet == value, axis=-1))
            low, high = found.min(axis=0), found.max(axis=0)
            # Antialiased text has stray pixels of many greys; the image is
            # the block of its size.
            assert len(found) >= image.shape[0] * image.shape[1]
            places[value] = np.median(found, axis=0)
            assert (high - low + 1 >= image.shape[:2]).all()
    assert places[10][1] < places[20][1] and places[30][1] < places[40][1]
    assert places[10][0] < places[30][0] and places[20][0] < places[40][0]


def test_sheet_shows_its_titles():
    rows = [[flat(40, 60, 10)]]
    plain = pictures.side_by_side(rows, [""], [""])
    column = pictures.side_by_side(rows, ["base"], [""])
    row = pictures.side_by_side(rows, [""], ["near"])
    assert (column != plain).any()
    assert row.shape[1] > plain.shape[1]
    wide = pictures.side_by_side(rows, ["a much wider title"], [""])
    assert wide.shape[1] > plain.shape[1]
    two_lines = pictures.side_by_side(rows, ["base\n41 kB"], [""])
    assert two_lines.shape[0] > plain.shape[0]


@pytest.mark.parametrize(
    ("rows", "columns", "titles", "message"),
    [
        ([], ["a"], [], "at least one image. Received: 0 rows"),
        ([[]], [], ["a"], "at least one image.* 0 column titles"),
        ([[GREY]], ["a", "b"], ["a"], r"rows of \[1\] images.*2 column"),
        ([[GREY], [GREY, GREY]], ["a"], ["a", "b"], r"rows of \[1, 2\]"),
        ([[GREY]], ["a"], ["a", "b"], "2 row titles"),
        ([[GREY, GREY[0]]], ["a", "b"], ["c"], r"`rows\[0\]\[1\]` must be"),
    ],
)
def test_bad_sheet(rows, columns, titles, message):
    with pytest.raises(ValueError, match=message):
        pictures.side_by_side(rows, columns, titles)


# --- save_png ---------------------------------------------------------------


def png_pixels(data):
    """Width, height and pixels of an 8-bit RGB PNG, filters undone by hand."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    position, chunks = 8, {}
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        kind = data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + length]
        chunks[kind] = chunks.get(kind, b"") + body
        position += 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (8, 2)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8)
    lines = lines.reshape(height, 1 + 3 * width)
    return width, height, lines


def test_png_holds_the_pixels(tmp_path):
    pictures.save_png(tmp_path / "a.png", flat(3, 5, 0))
    width, height, lines = png_pixels((tmp_path / "a.png").read_bytes())
    # A black image is zeros under every PNG filter.
    assert (width, height) == (5, 3)
    assert not lines[:, 1:].any()
    image = np.random.default_rng(0).integers(0, 255, (7, 4, 3), np.uint8)
    pictures.save_png(str(tmp_path / "b.png"), image)
    from PIL import Image

    with Image.open(tmp_path / "b.png") as read:
        np.testing.assert_array_equal(np.asarray(read), image)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_png_bytes_are_equal_on_a_second_run(tmp_path):
    for name in "ab":
        pictures.save_png(tmp_path / name, draw())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_old_png_survives_a_failing_write(tmp_path, monkeypatch, failing):
    target = tmp_path / "a.png"
    target.write_bytes(b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="No space left"):
        pictures.save_png(target, GREY)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_png_of_something_else(tmp_path):
    with pytest.raises(ValueError, match="`image` must be uint8"):
        pictures.save_png(tmp_path / "a.png", GREY[..., :2])
    assert not list(tmp_path.iterdir())


def test_png_in_a_folder_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        pictures.save_png(tmp_path / "none" / "a.png", GREY)


# --- gates ------------------------------------------------------------------


def gates(opened, size=1000, count=6):
    return [
        (f"layer_{i}", "backbone" if i < 4 else "fpn", i in opened, size)
        for i in range(count)
    ]


def inked(chart, colour):
    """Pixels of one palette colour, more or less: area of full bars."""
    return int(np.all(chart == np.array(colour), axis=-1).sum())


def test_open_gates_are_full_bars_in_their_place_s_colour():
    backbone, fpn = pictures.PALETTE[:2]
    closed = pictures.gate_chart(gates(()), title="t")
    one = pictures.gate_chart(gates({0}), title="t")
    three = pictures.gate_chart(gates({0, 1, 2}), title="t")
    last = pictures.gate_chart(gates({5}), title="t")
    areas = [inked(chart, backbone) for chart in (closed, one, three, last)]
    bar = areas[1] - areas[0]
    assert bar > 2000
    assert areas[2] - areas[0] == pytest.approx(3 * bar, rel=0.1)
    assert areas[3] == areas[0]
    assert inked(last, fpn) - inked(one, fpn) > 2000


def test_open_and_closed_differ_without_colour():
    def darkness(chart):
        return (255 - chart.astype(float).mean(axis=-1)).sum()

    def black(chart):
        return int((chart.max(axis=-1) < 30).sum())

    closed = pictures.gate_chart(gates(()), title="0000")
    opened = pictures.gate_chart(gates({2}), title="0000")
    assert darkness(opened) > 1.02 * darkness(closed)
    assert black(opened) - black(closed) > 20  # the mark under the bar


def test_height_of_a_bar_is_the_logarithm_of_its_parameters():
    def tallest(size):
        rows = [("a", "backbone", True, size), ("b", "fpn", False, 10**6)]
        chart = pictures.gate_chart(rows, title="t")
        full = np.all(chart == pictures.PALETTE[0], axis=-1)
        # Neither the legend's swatch nor the frame is this wide.
        rows_of_bar = np.flatnonzero(full.sum(axis=1) > 200)
        return rows_of_bar.max() - rows_of_bar.min()

    heights = [tallest(10**k) for k in (1, 3, 5)]
    steps = np.diff(heights)
    assert steps[0] == pytest.approx(steps[1], abs=3)
    assert steps[0] > 20


def test_comparison_stacks_charts_of_equal_width():
    rows = gates({1, 2})
    one = pictures.gate_comparison({"near": rows})
    two = pictures.gate_comparison({"near": rows, "far": gates({0})})
    assert one.shape[1] == two.shape[1]
    assert two.shape[0] > 1.3 * one.shape[0]
    assert one.dtype == np.uint8 and one.shape[2] == 3


def test_gate_charts_of_equal_input_are_equal():
    first = pictures.gate_chart(gates({1}), title="t")
    second = pictures.gate_chart(gates({1}), title="t")
    np.testing.assert_array_equal(first, second)


def test_71_layers_fit_without_names():
    few = pictures.gate_chart(gates({1}, count=30), title="t")
    many = pictures.gate_chart(gates({1}, count=71), title="t")
    assert many.shape[0] < few.shape[0]
    assert many.shape[1] == few.shape[1]


@pytest.mark.parametrize(
    ("charts", "message"),
    [
        ({}, "`charts` must hold at least one"),
        ({"near": []}, "needs a layer. Received: none, 'near'"),
        ({"near": gates((), size=0)}, "at least 1. Received: 0 for 'layer_0'"),
        (
            {"near": gates(()), "far": gates((), count=5)},
            r"'far' and 'near' differ in \['layer_5'\]",
        ),
        (
            {"near": gates(()), "far": gates(())[::-1]},
            "'far' and 'near' differ in another order",
        ),
    ],
)
def test_bad_gates(charts, message):
    with pytest.raises(ValueError, match=message):
        pictures.gate_comparison(charts)


# --- costs ------------------------------------------------------------------

POINTS = {"near": {"FINE_TUNING": (0.9, 9000), "SPOTPATCH": (0.8, 400)}}


def test_a_method_keeps_its_colour_in_every_panel():
    def chart(far):
        near = {"a": (0.5, 1000), "b": (0.6, 1000)}
        return pictures.cost_scatter(
            {"near": near, "far": {far: (0.5, 1000)}}, title="t"
        )

    a, b = chart("a"), chart("b")
    # A mark in the legend, one in the near panel, and one more or not.
    assert inked(a, pictures.PALETTE[0]) > 1.4 * inked(b, pictures.PALETTE[0])
    assert inked(b, pictures.PALETTE[1]) > 1.4 * inked(a, pictures.PALETTE[1])
    assert not inked(b, pictures.PALETTE[2])


def test_points_move_with_bytes_in_log_and_with_map():
    def centre(value, file_bytes):
        chart = pictures.cost_scatter(
            {
                "near": {
                    "moving": (value, file_bytes),
                    "low": (0.1, 1_000),
                    "high": (0.1, 10_000_000),
                }
            },
            title="t",
        )
        full = np.all(chart == pictures.PALETTE[0], axis=-1)
        return np.median(np.argwhere(full[: chart.shape[0] * 3 // 4]), axis=0)

    at = centre(0.5, 10_000)
    right, further = centre(0.5, 100_000), centre(0.5, 1_000_000)
    assert right[1] - at[1] == pytest.approx(further[1] - right[1], abs=2)
    assert right[1] - at[1] > 20
    assert centre(0.9, 10_000)[0] < at[0] - 20


def test_every_cost_chart_has_labelled_ticks():
    # Between two decades there is no labelled tick unless limits are widened.
    near = pictures.cost_scatter({"t": {"a": (0.5, 30_000)}}, title="t")
    far = pictures.cost_scatter({"t": {"a": (0.5, 30_000_000)}}, title="t")
    assert (near != far).any()  # they differ in nothing but the labels


def test_cost_charts_of_equal_input_are_equal():
    points = {"near": {"a": (0.5, 1000), "b": (0.6, 2000)}}
    np.testing.assert_array_equal(
        pictures.cost_scatter(points, title="t"),
        pictures.cost_scatter(points, title="t"),
    )


def test_four_panels_take_two_lines():
    three = pictures.cost_scatter(
        {str(i): POINTS["near"] for i in range(3)}, title="t"
    )
    four = pictures.cost_scatter(
        {str(i): POINTS["near"] for i in range(4)}, title="t"
    )
    assert four.shape[1] == three.shape[1]
    assert four.shape[0] > three.shape[0]


@pytest.mark.parametrize("panels", [{}, {"near": {}}])
def test_nothing_to_draw(panels):
    with pytest.raises(ValueError, match=f"{len(panels)} panels, empty"):
        pictures.cost_scatter(panels, title="t")


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, 64.4])
def test_map_in_percent_is_refused(value):
    message = r"mAP must lie in \[0, 1\].*'a' on 'near'"
    with pytest.raises(ValueError, match=message):
        pictures.cost_scatter({"near": {"a": (value, 9)}}, title="t")


@pytest.mark.parametrize("file_bytes", [0, -5, float("nan")])
def test_bytes_must_be_positive(file_bytes):
    with pytest.raises(ValueError, match="at least 1. Received.*'a' on 'near'"):
        pictures.cost_scatter({"near": {"a": (0.5, file_bytes)}}, title="t")


# --- dependencies -----------------------------------------------------------


@pytest.mark.parametrize(
    ("package", "name", "use"),
    [
        ("PIL", "Pillow", draw),
        ("matplotlib", "Matplotlib", lambda: pictures.cost_scatter(
            POINTS, title="t")),
    ],
)  # fmt: skip
def test_a_missing_package_names_its_extra(monkeypatch, package, name, use):
    def refuse(module, *_):
        raise ImportError(f"No module named {module!r}")

    monkeypatch.setattr(pictures.importlib, "import_module", refuse)
    with pytest.raises(ImportError, match=rf"need {name}: .*\[train\]"):
        use()


def test_import_is_light_and_pyplot_is_never_touched():
    code = (
        "import sys\n"
        "from object_detection_patch import pictures\n"
        "heavy = {'PIL', 'matplotlib', 'tensorflow'} & set(sys.modules)\n"
        "pictures.cost_scatter({'a': {'b': (0.5, 9)}}, title='t')\n"
        "heavy |= {'matplotlib.pyplot'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
