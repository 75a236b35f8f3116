r"""Label maps of the OD API: text protobuf `StringIntLabelMap`.

    item { id: 1 name: 'circle' display_name: 'Circle' }

Read by a small strict parser rather than protobuf's, which would need the OD
API's generated code. What the parser does not know (keypoints, hierarchies)
it refuses, with the line, instead of dropping it.
"""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from tfrecords_tools.atomic import replace_together
from tfrecords_tools.files import to_path

MAX_ID = 2**31 - 1  # The field is an int32.

_TOKEN = re.compile(
    r"""(?P<skip>(?:[ \t\r\n\f\v]|\#[^\n]*)+)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>-?(?:0[xX][0-9a-fA-F]+|[0-9]+)(?![0-9A-Za-z_.]))
    |(?P<text>'(?:[^'\\\n]|\\[^\n])*'|"(?:[^"\\\n]|\\[^\n])*")
    |(?P<mark>[{}:,;])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|(.))", re.S)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LETTER_ESCAPES = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
    b"\\": b"\\",
    b"'": b"'",
    b'"': b'"',
    b"?": b"?",
}


@dataclasses.dataclass(frozen=True, slots=True)
class LabelMapItem:
    """A class: its id, the name that records use, the name that people read."""

    id: int
    name: str
    display_name: str


def read_label_map(
    path: str | Path, *, allow_gaps: bool = False
) -> list[LabelMapItem]:
    """Items in the order of the file, validated.

    Raises: ValueError naming the file and the broken rule; OSError.
    """
    try:
        text = to_path(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"A label map must be UTF-8 text. Received: byte "
            f"{error.object[error.start]:#04x} at offset {error.start} ({path})"
        ) from error
    items = parse_label_map(text, str(path))
    validate_label_map(items, str(path), allow_gaps=allow_gaps)
    return items


def write_label_map(
    path: str | Path,
    items: Sequence[LabelMapItem],
    *,
    allow_gaps: bool = False,
) -> None:
    """Validates and writes the items; an older file stays if either fails."""
    validate_label_map(items, str(path), allow_gaps=allow_gaps)
    text = "".join(map(_format_item, items)).encode("utf-8")
    with replace_together([to_path(path)]) as (file,):
        file.write(text)


def validate_label_map(
    items: Sequence[LabelMapItem],
    source: str = "label map",
    *,
    allow_gaps: bool = False,
) -> None:
    """Checks what the OD API needs in order to find every class by its name.

    Ids start at 1 (0 is the background), occur once and, unless `allow_gaps`
    (COCO's map has ten), leave none out. A record's class text is looked up
    among names and display names alike, so both together are unambiguous.

    Raises: ValueError stating rule, received value and `source`.
    """
    if not items:
        raise ValueError(
            f"A label map must hold at least one item. Received: 0 ({source})"
        )
    by_id: dict[int, LabelMapItem] = {}
    by_text: dict[str, LabelMapItem] = {}
    for item in items:
        _check_id(item, by_id, source)
        _check_texts(item, by_text, source)
    if not allow_gaps:
        _check_gaps(by_id, source)


def parse_label_map(text: str, source: str) -> list[LabelMapItem]:
    """Items as written; an absent display_name becomes the name.

    Says nothing about ids and duplicates: see `validate_label_map`.
    Raises: ValueError naming `source`, line and what was expected.
    """
    return _Parser(text, source).items()


def _check_id(
    item: LabelMapItem, by_id: dict[int, LabelMapItem], source: str
) -> None:
    if not 1 <= item.id <= MAX_ID:
        raise ValueError(
            f"Ids of a label map must start at 1 (0 is the background) and "
            f"end at {MAX_ID}. Received: id {item.id} of {item.name!r} "
            f"({source})"
        )
    if item.id in by_id:
        raise ValueError(
            f"Ids of a label map must be unique. Received: id {item.id} for "
            f"{by_id[item.id].name!r} and {item.name!r} ({source})"
        )
    by_id[item.id] = item


def _check_texts(
    item: LabelMapItem, by_text: dict[str, LabelMapItem], source: str
) -> None:
    if not item.name or not item.display_name:
        raise ValueError(
            f"Names of a label map must not be empty. Received: name "
            f"{item.name!r}, display_name {item.display_name!r} of id "
            f"{item.id} ({source})"
        )
    for text in dict.fromkeys((item.name, item.display_name)):
        if text in by_text:
            raise ValueError(
                f"Names and display names of a label map must be unique. "
                f"Received: {text!r} for ids {by_text[text].id} and {item.id} "
                f"({source})"
            )
        by_text[text] = item


def _check_gaps(by_id: dict[int, LabelMapItem], source: str) -> None:
    for expected, found in enumerate(sorted(by_id), start=1):
        if found != expected:
            raise ValueError(
                f"Ids of a label map must leave no gap between 1 and "
                f"{max(by_id)}. Received: none with id {expected} ({source})"
            )


def _format_item(item: LabelMapItem) -> str:
    return (
        "item {\n"
        f"  id: {item.id}\n"
        f"  name: {_quote(item.name)}\n"
        f"  display_name: {_quote(item.display_name)}\n"
        "}\n"
    )


def _quote(text: str) -> str:
    """Text in single quotes; control characters as three octal digits."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + _CONTROL.sub(_octal_escape, escaped) + "'"


def _octal_escape(match: re.Match[str]) -> str:
    # Three digits always: a digit that follows must not join the escape.
    return f"\\{ord(match[0]):03o}"


class _Parser:
    """Recursive descent over (kind, text, line) tokens."""

    def __init__(self, text: str, source: str):
        self._source = source
        self._tokens = self._scan(text)
        self._kind, self._text, self._line = next(self._tokens)

    def items(self) -> list[LabelMapItem]:
        found = []
        while self._kind != "end":
            self._take("word", "item")
            self._skip_mark(":")
            found.append(self._item())
            self._skip_separator()
        return found

    def _item(self) -> LabelMapItem:
        opened = self._line
        self._take("mark", "{")
        values: dict[str, int | str] = {}
        while self._text != "}":
            field = self._field_name(values)
            self._take("mark", ":")
            values[field] = self._integer() if field == "id" else self._string()
            self._skip_separator()
        self._advance()
        for field in ("id", "name"):
            if field not in values:
                self._fail(f"an item with `{field}`", "none", opened)
        values.setdefault("display_name", values["name"])
        return LabelMapItem(**values)  # type: ignore[arg-type]

    def _field_name(self, values: dict[str, int | str]) -> str:
        line, field = self._line, self._take("word", None)
        if field not in ("id", "name", "display_name"):
            self._fail("a field `id`, `name` or `display_name`", field, line)
        if field in values:
            self._fail(f"one `{field}` an item", f"{field} again", line)
        return field

    def _integer(self) -> int:
        line, text = self._line, self._take("number", None)
        digits = text.lstrip("-")
        if digits[:2] in ("0x", "0X"):
            value = int(digits, 16)
        elif len(digits) > 1 and digits[0] == "0":
            # Protobuf reads a leading zero as octal; nobody means that.
            self._fail("an integer without leading zero", text, line)
        elif len(digits) > 10:
            self._fail(f"an integer up to {MAX_ID}", text, line)
        else:
            value = int(digits)
        return -value if text.startswith("-") else value

    def _string(self) -> str:
        """One quoted string or several in a row, which are joined."""
        line = self._line
        raw = self._unescape(self._take("text", None)[1:-1], line)
        while self._kind == "text":
            raw += self._unescape(self._take("text", None)[1:-1], self._line)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            self._fail("a string whose escapes give UTF-8", repr(raw), line)

    def _unescape(self, text: str, line: int) -> bytes:
        # Escapes stand for bytes, not characters: \303\251 is one letter.
        def replace(match: re.Match[bytes]) -> bytes:
            octal, hexadecimal, letter = match.groups()
            if letter is None:
                value = int(octal, 8) if octal else int(hexadecimal, 16)
                if value > 255:
                    self._fail("an escape up to \\377", f"\\{value:o}", line)
                return bytes([value])
            if letter not in _LETTER_ESCAPES:
                shown = match[0].decode("utf-8", "replace")
                self._fail("a known escape in a string", shown, line)
            return _LETTER_ESCAPES[letter]

        return _ESCAPE.sub(replace, text.encode("utf-8", "surrogatepass"))

    def _skip_separator(self) -> None:
        if self._text in (",", ";"):
            self._advance()

    def _skip_mark(self, mark: str) -> None:
        if self._text == mark:
            self._advance()

    def _take(self, kind: str, text: str | None) -> str:
        """The current token's text, if it is of this kind; moves on."""
        if self._kind != kind or text not in (None, self._text):
            names = {"word": "a field name", "text": "a quoted string"}
            expected = f"`{text}`" if text else names.get(kind, "an integer")
            self._fail(expected, self._text or "the end", self._line)
        taken = self._text
        self._advance()
        return taken

    def _advance(self) -> None:
        self._kind, self._text, self._line = next(self._tokens)

    def _scan(self, text: str) -> Iterator[tuple[str, str, int]]:
        position, line = 0, 1
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                rest = text[position:].split("\n", 1)[0][:20]
                self._fail("a name, number, string or mark", rest, line)
            if match.lastgroup != "skip":
                yield str(match.lastgroup), match[0], line
            line += match[0].count("\n")
            position = match.end()
        yield "end", "", line

    def _fail(self, expected: str, received: str, line: int) -> NoReturn:
        raise ValueError(
            f"A label map must have {expected} here. Received: {received} "
            f"({self._source}, line {line})"
        )
