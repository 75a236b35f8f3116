"""The tables of the metadata, against bytes that other code has written."""

import base64
import copy
import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.tflite import metadata_schema

# Written with the generated classes of tflite-support 0.4.4, every field set.
_FOREIGN = zlib.decompress(
    base64.b64decode(
        "eNqNUi1PA0EQfdc7ylEu0JALqaioQKCalpDg6EkEJEgkLde0JHwkUKCyEo+pQCAQ8A+Q"
        "BP4CEoFAIBAEhaAsb3fncgcYNnmZnZ23s29mtgxgrVarh5hDBWWUEKKIAD487sAzYJ5Y"
        "IVaJdeLCBS6JK2KMfr26WK3TOoRH3H0ppV29LxAH7Wa82672+j3L2RFuU2wZes3ynb8a"
        "ZhmZIzaIATEkHohP4pmXPWrw3fTteKSUL7pzRFHOdbxPkIr9o56J7XfSe+dyL8zUoTnb"
        "e2Iz3Efh6nTvttZGEvtIY85bJqdrjgbLmgtEDevfcl+JgM3IEa26Y7pyYNz0jmvMMx5w"
        "eNQyTdTckgnNmE7pZe94PLF5YuKUuJF6QsOakt5Om95OyXlJailJ3zR/QeqP20Bez6zZ"
        "au8c2v39dTpLre1FKRWYDHmTN2/zNXxWMEHfT2pzbW3jZNjaHNeTHK6850DEyJwS7cVf"
        "/6IoumsyV13nC/FKdJXte5DmuxUbJZovVDqnofr/nPR8kv4V5A37f5F7Yp6nMw8jky/A"
        "ZLZ2xn3R7ovuSLTMS47sX90SeyK2K7aV/Mv45//sxDbekfjxkvVjuUcavgHx+Gp/"
    )
)
_NORMALIZATION = {
    "options_type": 1,
    "options": {"mean": [1.5, 2.5, 3.5], "std": [0.25, 0.5, 0.75]},
}
# A score threshold: we have no table for it, and pass it over.
_UNKNOWN = {"options_type": 3}
_EXPECTED = {
    "name": "n",
    "description": "d",
    "version": "v7",
    "author": "a",
    "license": "l",
    "associated_files": [{"name": "readme.txt", "type": 1}],
    "min_parser_version": "1.4.1",
    "subgraph_metadata": [
        {
            "name": "g",
            "description": "gd",
            "input_tensor_metadata": [
                {
                    "name": "in",
                    "description": "id",
                    "dimension_names": ["b", "h", "w", "c"],
                    "content": {
                        "content_properties_type": 2,
                        "content_properties": {
                            "color_space": 2,
                            "default_size": {"width": 64, "height": 48},
                        },
                        "range": {"min": -3, "max": 300000},
                    },
                    "process_units": [_NORMALIZATION],
                    "stats": {"max": [2.0], "min": [-2.0]},
                }
            ],
            "output_tensor_metadata": [
                {
                    "name": "out",
                    "content": {
                        "content_properties_type": 3,
                        "content_properties": {
                            "index": [3, 2, 1, 0],
                            "type": 3,
                            "coordinate_type": 1,
                        },
                    },
                    "process_units": [_UNKNOWN],
                    "associated_files": [
                        {
                            "name": "é.txt",
                            "description": "labels",
                            "type": 3,
                            "locale": "de",
                            "version": "2",
                        }
                    ],
                }
            ],
            "associated_files": [{"name": "sub.txt", "type": 5}],
            "input_process_units": [_NORMALIZATION],
            "output_process_units": [_UNKNOWN],
            "input_tensor_groups": [{"name": "ig", "tensor_names": ["in"]}],
            "output_tensor_groups": [
                {"name": "og", "tensor_names": ["out", "x"]}
            ],
        }
    ],
}


def _read(raw):
    reader = metadata_schema.TableReader(raw)
    return reader.table("ModelMetadata", reader.root())


def test_every_field_of_foreign_metadata_is_read():
    assert _FOREIGN[4:8] == b"M001"
    assert _read(_FOREIGN) == _EXPECTED


def test_every_field_is_written():
    raw = metadata_schema.encode_metadata(_EXPECTED)
    assert raw[4:8] == b"M001"
    assert _read(raw) == _EXPECTED
    assert raw == metadata_schema.encode_metadata(copy.deepcopy(_EXPECTED))


def test_numbers_that_are_left_out_are_zero():
    raw = metadata_schema.encode_metadata({"associated_files": [{}]})
    assert _read(raw) == {"associated_files": [{"type": 0}]}


@pytest.mark.parametrize(
    "values", [{"nam": "x"}, {"associated_files": [{"nam": "x"}]}]
)
def test_a_field_that_the_schema_lacks(values):
    with pytest.raises(KeyError, match="has no field.*nam"):
        metadata_schema.encode_metadata(values)


def _table_of_strings(count, text_bytes):
    """A ModelMetadata by hand: `count` links to the same subgraph.

    The description of that subgraph has `text_bytes`.
    """
    # Root; identifier; vtable of 12 bytes for a table of 8 with field 3 at 4.
    head = struct.pack("<I4s6H", 20, b"M001", 12, 8, 0, 0, 0, 4)
    table = struct.pack("<iI", 12, 4)  # back to the vtable; on to the vector
    links = len(head) + len(table) + 4
    subgraph = links + 4 * count + 8
    vector = struct.pack("<I", count) + b"".join(
        struct.pack("<I", subgraph - (links + 4 * i)) for i in range(count)
    )
    # Its vtable, with field 1 at 4, lies right before it.
    inner = struct.pack("<4H", 8, 8, 0, 4) + struct.pack("<iI", 8, 4)
    text = struct.pack("<I", text_bytes) + b"x" * text_bytes
    return head + table + vector + inner + text


def test_bytes_by_hand_are_read():
    assert _read(_table_of_strings(2, 3)) == {
        "subgraph_metadata": [{"description": "xxx"}, {"description": "xxx"}]
    }


@pytest.mark.parametrize(("count", "text_bytes"), [(2**18, 2), (2**10, 2**16)])
def test_parts_that_are_met_over_and_over_are_refused_in_time(
    count, text_bytes
):
    raw = _table_of_strings(count, text_bytes)
    started = time.process_time()
    with pytest.raises(ValueError, match="read in 1048576 steps"):
        _read(raw)
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "of 0 bytes. Received: one to 0"),
        (struct.pack("<I", 2**32 - 1), "Received: one to 4294967295"),
        # A table whose vtable would lie before the first byte.
        (struct.pack("<Ii", 4, 5), "Received: one to -1"),
        (_table_of_strings(2, 3)[:-1], "must end within the 62 bytes"),
        (_table_of_strings(1, 1)[:-1] + b"\xff", "'utf-8' codec"),
    ],
)
def test_offsets_that_lead_outside(raw, message):
    with pytest.raises(ValueError, match=message):
        _read(raw)


def test_a_table_of_a_vector_is_found_by_its_index():
    reader = metadata_schema.TableReader(_table_of_strings(2, 3))
    field = reader.field(reader.root(), 3)
    text = reader.field(reader.item(field, 1), 1)
    assert reader.data(text) == b"xxx"
    with pytest.raises(ValueError, match="must be below 2. Received: 2"):
        reader.item(field, 2)
    with pytest.raises(ValueError, match="must have this vector"):
        reader.data(reader.field(reader.root(), 4))


@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(_FOREIGN) - 1), st.integers(0, 255)),
        max_size=6,
    ),
    end=st.integers(0, len(_FOREIGN)),
)
def test_damaged_metadata_is_read_or_refused(changes, end):
    raw = bytearray(_FOREIGN)
    for at, value in changes:
        raw[at] = value
    try:
        assert isinstance(_read(bytes(raw[:end])), dict)
    except ValueError:
        pass
