"""Texts against patch_file/texts.py."""

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.patch_file import errors, texts


def _python_allows(encoded, is_name):
    check = texts.check_name if is_name else texts.check_text
    try:
        check("x", encoded.decode("utf-8"))
    except (UnicodeDecodeError, errors.TextError):
        return False
    return True


def _native_allows(library, encoded, is_name):
    size = ctypes.c_size_t(len(encoded))
    return bool(library.odp_test_text(encoded, size, int(is_name)))


@pytest.mark.parametrize("is_name", [False, True])
def test_every_letter(library, is_name):
    for code in range(0x110000):
        if 0xD800 <= code < 0xE000 or 0x20000 <= code < 0xDF000:
            continue  # surrogates below; planes of ideographs
        encoded = chr(code).encode()
        found = _native_allows(library, encoded, is_name)
        try:
            if is_name:
                texts.check_name("x", chr(code))
            else:
                texts.check_text("x", chr(code))
            assert found, hex(code)
        except errors.TextError:
            assert not found, hex(code)


_PARTS = st.sampled_from(
    [
        *(b"a", b"/", b"\xc3\xa4", b"\xe9\x9b\x8c", b"\xf0\x9f\x90\x95"),
        *(b"\x80", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf"),
        *(b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\x80"),
        *(b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80"),
        *(b"\xff", b"\xfe", b"\xc3", b"\xe9\x9b", b"\xf0\x9f\x90", b"\xef"),
        *(b"\xe2\x80\x8b", b"\xe2\x80\xae", b"\x7f", b"\n", b"\xc2\x85"),
    ]
)


@pytest.mark.parametrize("is_name", [False, True])
@given(encoded=st.one_of(st.lists(_PARTS).map(b"".join), st.binary()))
def test_bytes_of_any_kind(library, is_name, encoded):
    found = _native_allows(library, encoded, is_name)
    assert found == _python_allows(encoded, is_name)


@given(text=st.text())
def test_texts_of_any_kind(library, text):
    encoded = text.encode("utf-8", "surrogatepass")
    for is_name in (False, True):
        found = _native_allows(library, encoded, is_name)
        assert found == _python_allows(encoded, is_name)
