"""Names in any script become one line that the font can draw."""

import pytest
from PIL import ImageFont

from tfrecords_tools.look import lettering


@pytest.fixture
def plain_font():
    """Pillow's own, which has English letters only."""
    return ImageFont.load_default(12)


def test_letters_without_glyph_lose_accents_or_become_question_marks(
    plain_font,
):
    text = lettering.make_drawable("café Žuk 中文\n!", plain_font)
    assert text == "cafe Zuk ???!"


def test_english_stays(plain_font):
    text = "A plain name, 12 (3)?"
    assert lettering.make_drawable(text, plain_font) == text


def test_text_is_cut_to_its_room(plain_font):
    assert lettering.fit("short", plain_font, 100) == "short"
    cut = lettering.fit("a rather long name", plain_font, 50)
    assert cut.startswith("a r") and cut.endswith("..")
    assert plain_font.getlength(cut) <= 50
    assert lettering.fit("name", plain_font, -1) == ".."


def test_lines_break_between_words(plain_font):
    lines = lettering.wrap("one two three four", plain_font, 50)
    assert " ".join(lines) == "one two three four"
    assert len(lines) > 1
    assert all(plain_font.getlength(line) <= 50 for line in lines)


def test_without_a_wide_font_there_is_pillows_own(monkeypatch):
    monkeypatch.setattr(lettering, "_WIDE_FONT", "no-such-font.ttf")
    lettering.load_font.cache_clear()
    try:
        assert lettering.load_font(12).getname()[0] == "Aileron"
    finally:
        lettering.load_font.cache_clear()
