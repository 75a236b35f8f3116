"""Records of JSON files: what is kept, passed over, refused."""

import json

import hypothesis
import hypothesis.strategies as st
import pytest

from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.json_stream import json_records

SECTIONS = {"things": frozenset(("id", "box"))}


def records(tmp_path, data):
    path = tmp_path / "file.json"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(json_records(path, SECTIONS))


def test_only_wanted_keys_are_kept(tmp_path):
    text = """{"other": {"things": [{"id": 9}]},
        "things": [{"id": 1, "deep": [[{"id": 2}]], "box": [1, 2.5]}, {}],
        "last": null}"""
    found = records(tmp_path, text)
    assert [record.values for record in found] == [
        {"id": 1, "box": [1, 2.5]},
        {},
    ]
    assert [record.index for record in found] == [0, 1]


def test_what_is_nested_in_a_wanted_value_is_none(tmp_path):
    text = '{"things": [{"id": {"a": [1]}, "box": [1, [2, [3]], {"b": 4}, 5]}]}'
    (record,) = records(tmp_path, text)
    assert record.values == {"id": None, "box": [1, None, None, 5]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be JSON"),
        ("[]", "must be one object"),
        ("3", "must be one object"),
        ("{}", "must have `things`"),
        ('{"things": 3}', "must be a list"),
        ('{"things": {}}', "must be a list"),
        ('{"things": []} {}', "must be JSON"),
        ('{"things": [', "must be JSON"),
        ('{"things": [], "things": []}', "`things` twice"),
        ('{"things": [{}, 3]}', r"must be an object.*things\[1\]"),
        ('{"things": [{}, []]}', r"must be an object.*things\[1\]"),
        ('{"things": [{"id": 1, "id": 2}]}', r"`id` twice.*things\[0\]"),
        ('{"things": [{"id": 1e999}]}', "must be JSON"),
        ('{"things": [{"id": NaN}]}', "must be JSON"),
        ('{"things": [{"id": %s}]}' % ("9" * 30), "must be JSON"),
        (b'{"things": [], "a": "\xff"}', "must be JSON"),
    ],
)
def test_anything_else_is_refused(tmp_path, text, message):
    with pytest.raises(ParseError, match=message):
        records(tmp_path, text)


def test_message_names_the_file_on_one_line(tmp_path):
    with pytest.raises(ParseError) as caught:
        records(tmp_path, '{"things": [}')
    assert "file.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_deep_lists_are_passed_over(tmp_path):
    deep = "[" * 5000 + "]" * 5000
    assert records(tmp_path, f'{{"x": {deep}, "things": []}}') == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@hypothesis.given(
    st.dictionaries(st.sampled_from(["things", "a"]), _JSON)
    | st.fixed_dictionaries(
        {"things": st.lists(st.dictionaries(st.sampled_from(["id"]), _JSON))}
    )
)
def test_any_json_gives_records_or_a_parse_error(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("any", numbered=True)
    try:
        found = records(folder, json.dumps(content))
    except ParseError:
        return
    assert len(found) == len(content["things"])


@hypothesis.given(st.binary())
def test_any_bytes_give_a_parse_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("bytes", numbered=True)
    with pytest.raises(ParseError):
        records(folder, data)
