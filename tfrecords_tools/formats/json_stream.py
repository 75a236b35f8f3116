"""Records of JSON files too large to hold, one at a time.

    {"images": [{"id": 1, ...}, ...], "annotations": [...], ...}

Sections may come in any order. What nobody asks for is passed over without
being kept, as COCO's outlines must be: they are nearly all of its file.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ijson

from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.json_record import JsonRecord, shown

_BUFFER_BYTES = 1 << 20
_OPENING = frozenset(("start_map", "start_array"))
_CLOSING = frozenset(("end_map", "end_array"))

_Events = Iterator[tuple[str, Any]]


def json_records(
    path: Path, sections: Mapping[str, frozenset[str]]
) -> Iterator[JsonRecord]:
    """Records of the sections, in the order of the file.

    Args:
        sections: keys to keep of each record, by section; all must be there.
    Raises: ParseError for anything but such a JSON file.
    """
    with path.open("rb") as file:
        events = ijson.basic_parse(file, buf_size=_BUFFER_BYTES, use_float=True)
        try:
            yield from _records(path, events, sections)
        except ParseError:
            raise
        except (ijson.JSONError, ValueError) as error:
            said = " ".join(_text(error).split())[:120]
            raise ParseError(
                path, "", f"The file must be JSON. Received: {said}"
            ) from error


def _records(
    path: Path, events: _Events, sections: Mapping[str, frozenset[str]]
) -> Iterator[JsonRecord]:
    event, _ = next(events)
    if event != "start_map":
        raise ParseError(path, "", "JSON must be one object. Received: a value")
    seen: set[str] = set()
    for event, key in events:
        if event == "end_map":
            break
        if key not in sections:
            _skip(events)
            continue
        if key in seen:
            raise ParseError(path, "", f"Received `{key}` twice")
        seen.add(key)
        yield from _section(path, events, key, sections[key])
    for _ in events:  # Text after the object is an error of the parser's.
        pass
    for key in sections:
        if key not in seen:
            raise ParseError(path, "", f"The file must have `{key}`")


def _section(
    path: Path, events: _Events, section: str, wanted: frozenset[str]
) -> Iterator[JsonRecord]:
    event, value = next(events)
    if event != "start_array":
        raise ParseError(
            path, "", f"`{section}` must be a list. Received: {shown(value)}"
        )
    index = 0
    while (event := next(events)[0]) != "end_array":
        record = JsonRecord(path, section, index, {})
        if event != "start_map":
            record.fail("A record must be an object. Received: another value")
        yield dataclasses.replace(
            record, values=_object(events, wanted, record)
        )
        index += 1


def _object(
    events: _Events, wanted: frozenset[str], record: JsonRecord
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for event, key in events:
        if event == "end_map":
            break
        if key not in wanted:
            _skip(events)
        elif key in found:
            record.fail(f"Received `{key}` twice")
        else:
            found[key] = _value(events)
    return found


def _value(events: _Events) -> Any:
    event, value = next(events)
    if event == "start_array":
        return _flat_list(events)
    if event == "start_map":
        _skip(events, depth=1)
    return value


def _flat_list(events: _Events) -> list[Any]:
    values = []
    for event, value in events:
        if event == "end_array":
            break
        if event in _OPENING:
            _skip(events, depth=1)
        values.append(value)
    return values


def _skip(events: _Events, depth: int = 0) -> None:
    """Passes over one value, `depth` levels of which are open already."""
    for event, _ in events:
        if event in _OPENING:
            depth += 1
        elif event in _CLOSING:
            depth -= 1
        if depth == 0:
            return


def _text(error: Exception) -> str:
    """The parser's message, which may be bytes."""
    said = error.args[0] if error.args else ""
    return (
        said.decode("utf-8", "replace")
        if isinstance(said, bytes)
        else f"{said}"
    )
