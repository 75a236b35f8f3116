"""The archive of labels against Python's zipfile."""

import ctypes
import io
import zipfile

import pytest


@pytest.mark.parametrize("text", ["", "cat\n", "???\nUmlaut \u00e4\n" * 500])
def test_zipfile_reads_it_behind_a_model(library, text):
    encoded = text.encode()
    model = b"model" * 20
    out = ctypes.create_string_buffer(len(encoded) + 200)
    size = library.odp_test_zip(
        encoded, ctypes.c_size_t(len(encoded)), len(model), out
    )
    with zipfile.ZipFile(io.BytesIO(model + out.raw[:size])) as archive:
        assert archive.testzip() is None
        (member,) = archive.infolist()
        assert archive.read(member) == encoded
    assert member.filename == "labelmap.txt"
    assert member.header_offset == len(model)
    assert member.compress_type == zipfile.ZIP_STORED
    assert member.date_time == (1980, 1, 1, 0, 0, 0)
    assert (member.create_version, member.extract_version) == (20, 10)
    assert (member.flag_bits, member.external_attr) == (0, 0)
