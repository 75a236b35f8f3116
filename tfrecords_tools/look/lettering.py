"""Text on pictures: names in any script, in whatever font there is."""

import functools
import unicodedata
from typing import cast

from PIL import ImageFont

_WIDE_FONT = "DejaVuSans.ttf"
UNKNOWN = "?"
_NO_CHARACTER = "\uffff"


@functools.cache
def load_font(height: int) -> ImageFont.FreeTypeFont:
    """A font of many scripts if installed, else Pillow's own for English."""
    try:
        return ImageFont.truetype(_WIDE_FONT, height)
    except OSError:
        return cast(ImageFont.FreeTypeFont, ImageFont.load_default(height))


def make_drawable(text: str, font: ImageFont.FreeTypeFont) -> str:
    """One line in which each character has a glyph.

    A letter without glyph loses its accents, or else becomes "?".
    """
    return "".join(_drawable(character, font) for character in text)


def fit(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The text, or as much of its start as `width` pixels hold and ".."."""
    if font.getlength(text) <= width:
        return text
    kept = text
    while kept and font.getlength(f"{kept}..") > width:
        kept = kept[:-1]
    return f"{kept}.."


def wrap(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Lines of whole words, where a word fits; the rest is cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [fit(line, font, width) for line in lines]


def _drawable(character: str, font: ImageFont.FreeTypeFont) -> str:
    if _has_glyph(character, font):
        return character
    bare = unicodedata.normalize("NFKD", character)[0]
    return bare if _has_glyph(bare, font) else UNKNOWN


@functools.cache
def _has_glyph(character: str, font: ImageFont.FreeTypeFont) -> bool:
    if not character.isprintable():
        return False
    missing = bytes(font.getmask(_NO_CHARACTER))
    return character == " " or bytes(font.getmask(character)) != missing
