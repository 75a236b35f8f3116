"""Footprints against the figures that the SpotPatch paper prints.

The printed figures are those of SpotPatch (Ye et al.), Table 3 (float32 share,
percent) and Table 4 (nine tasks together, 32 and 8 bits).
"""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.footprint import (
    BaseSize,
    Footprint,
    nominal_footprint,
)
from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    AddSigned,
    AffineMask,
    KeepMasked,
    MixOutputs,
    MixOutputsByProduct,
    Replace,
    ScaleOffset,
)

BASE = BaseSize(
    kernels=2_051_520,
    batch_norm=38_208,
    biases=384,
    box_head=4_248,
    class_head_counted=1_152,
)
KERNELS = 71
LAST_LAYER = ("class_head/c/pointwise_kernel", "class_head/c/bias")
HEADS = (
    Replace("box_head/b/kernel", np.zeros(9 * 128 + 128 * 24 + 24)),
    Replace("class_head/c/depthwise_kernel", np.zeros(1_152)),
    Replace("class_head/c/pointwise_kernel", np.zeros((1, 1, 128, 228))),
    Replace("class_head/c/bias", np.zeros(228)),
)
BATCH_NORM = (ScaleOffset("backbone/bn", np.zeros(19_104), np.zeros(19_104)),)
DEPTHWISE = (Replace("backbone/dw", np.zeros(73_440)),)
TOWER = (
    Replace("tower/kernels", np.zeros(4 * (9 * 128 + 128 * 128))),
    ScaleOffset("tower/bn", np.zeros(20 * 128), np.zeros(20 * 128)),
)


def masks(kind, *numbers):
    """71 masks over all kernels: 70 small ones and one with the rest."""
    sizes = [1000] * (KERNELS - 1)
    sizes.append(BASE.kernels - sum(sizes))
    return tuple(
        kind(f"backbone/{i}/kernel", np.zeros(size, bool), *numbers)
        for i, size in enumerate(sizes)
    )


FINE_TUNING = (
    Replace("backbone/kernels", np.zeros(BASE.kernels)),
    Replace("fpn/biases", np.zeros(BASE.biases)),
    *BATCH_NORM,
)
SPOTPATCH = masks(AddSigned, 0.1) + BATCH_NORM
WEIGHTTRANS = masks(AffineMask, 1, 1, 1) + BATCH_NORM

# edits, percent of a float32 base, nine tasks at 32 bits, at 8 bits
PRINTED = {
    "FINE_TUNING": (FINE_TUNING, "100.00", "9.00", "9.00"),
    "TOWER_PATCH": (TOWER, "3.85", "0.35", "0.35"),
    "BN_PATCH": (BATCH_NORM, "2.08", "0.19", "0.19"),
    "DW_PATCH": (DEPTHWISE, "3.76", "0.34", "0.34"),
    "BN_DW_PATCH": (BATCH_NORM + DEPTHWISE, "5.59", "0.50", "0.50"),
    "PIGGYBACK": (masks(KeepMasked), "3.32", "0.30", "1.12"),
    "WEIGHTTRANS": (WEIGHTTRANS, "5.15", "0.46", "1.29"),
    "SPOTPATCH, open": (SPOTPATCH, "5.14", "0.46", "1.29"),
    "SPOTPATCH, closed": (BATCH_NORM, "2.08", "0.19", "0.19"),
}


def test_base_is_the_paper_s():
    assert BASE.total == 2_095_512
    assert f"{BASE.total * 4 / 2**20:.2f}" == "7.99"
    assert f"{BASE.total / 2**20:.2f}" == "2.00"


@pytest.mark.parametrize("method", PRINTED)
def test_printed_figures(method):
    edits, percent, nine_32, nine_8 = PRINTED[method]
    counted = nominal_footprint(edits + HEADS, uncounted=LAST_LAYER)

    assert f"{100 * counted.fraction(BASE, bits=32):.2f}" == percent
    assert f"{9 * counted.fraction(BASE, bits=32):.2f}" == nine_32
    assert f"{9 * counted.fraction(BASE, bits=8):.2f}" == nine_8


@pytest.mark.parametrize(
    ("method", "mib_32", "mib_8"),
    [
        ("FINE_TUNING", "71.9", "18.0"),
        ("TOWER_PATCH", "2.77", "0.692"),
        ("BN_PATCH", "1.50", "0.374"),
        ("DW_PATCH", "2.71", "0.677"),
        ("BN_DW_PATCH", "4.02", "1.01"),
        ("PIGGYBACK", "2.39", "2.25"),
        ("WEIGHTTRANS", "3.70", "2.58"),
    ],
)
def test_printed_sizes_of_nine_tasks(method, mib_32, mib_8):
    counted = nominal_footprint(
        PRINTED[method][0] + HEADS, uncounted=LAST_LAYER
    )
    for printed, bits in ((mib_32, 32), (mib_8, 8)):
        mib = 9 * counted.nominal_bits(bits) / 8 / 2**20
        # The paper rounds twice: its 1.01 is 4.02 / 4, where we get 1.0046,
        # and its 3.70 our 3.7055. Hence 0.6 of the last digit, not 0.5.
        last_digit = 10.0 ** -len(printed.split(".")[1])
        assert mib == pytest.approx(float(printed), abs=0.6 * last_digit)


def test_counts():
    edits = (
        AddSigned("a", np.zeros((3, 3), bool), 1.0),
        AffineMask("b", np.zeros(5, bool), 1, 1, 1),
        KeepMasked("c", np.zeros(7, bool)),
        ScaleOffset("d", [1, 2], [3, 4]),
        Replace("e", np.zeros((2, 3))),
        Replace("f", np.zeros(11)),
        Replace("g", 1.0),
    )

    assert nominal_footprint(edits, uncounted={"f", "not there"}) == Footprint(
        mask_bits=9 + 5 + 7,
        float_values=1 + 3 + 0 + 4 + 6 + 1,
        class_head_values=11,
        open_kernels=3,
    )


def test_bits_of_a_footprint():
    counted = Footprint(100, 10, 1000, 3)

    assert counted.nominal_bits() == 100 + 320
    assert counted.nominal_bits(8) == 100 + 80
    base = BaseSize(80, 5, 5, 5, 5)
    assert counted.fraction(base) == pytest.approx(420 / 3200)
    assert counted.fraction(base, bits=8) == pytest.approx(180 / 800)


def test_no_edits():
    assert nominal_footprint(iter(())) == Footprint(0, 0, 0, 0)


@pytest.mark.parametrize("bits", [0, 16, 32.5])
def test_other_widths(bits):
    with pytest.raises(ValueError, match=r"one of \(32, 8\).* Received: "):
        Footprint(1, 1, 1, 1).nominal_bits(bits)


def test_base_without_parameters():
    with pytest.raises(ValueError, match="base model with parameters"):
        Footprint(1, 1, 1, 1).fraction(BaseSize(0, 0, 0, 0, 0))


def test_residual_adapters_by_the_formulas_of_their_paper():
    """Rebuffi et al., Section 3: C^2 numbers, and 2 K C of rank K."""
    channels, rank = 64, 8
    whole = np.zeros((channels, channels))
    factors = np.zeros((rank, 2 * channels))
    for edit, numbers in (
        (AddAtCentre("a", whole), channels**2),
        (MixOutputs("a", whole), channels**2),
        (AddProductAtCentre("a", factors), 2 * rank * channels),
        (MixOutputsByProduct("a", factors), 2 * rank * channels),
    ):
        counted = nominal_footprint([edit])
        assert counted == Footprint(0, numbers, 0, 0)
        assert counted.nominal_bits() == 32 * numbers
