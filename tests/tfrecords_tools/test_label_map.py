"""Label maps: the text format against protobuf, the rules one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrecords_tools.label_map import (
    LabelMapItem,
    parse_label_map,
    read_label_map,
    validate_label_map,
    write_label_map,
)

CAT = LabelMapItem(1, "cat", "Cat")
DOG = LabelMapItem(2, "dog", "Dog")
CAT_DOG_TEXT = """\
item {
  id: 1
  name: 'cat'
  display_name: 'Cat'
}
item {
  id: 2
  name: 'dog'
  display_name: 'Dog'
}
"""
names = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20
)


def items_named(texts):
    return [LabelMapItem(i, text, text) for i, text in enumerate(texts, 1)]


def test_written_text(tmp_path):
    path = tmp_path / "map.pbtxt"
    write_label_map(path, [CAT, DOG])
    assert path.read_text() == CAT_DOG_TEXT
    assert read_label_map(path) == [CAT, DOG]
    assert list(tmp_path.iterdir()) == [path]


@given(st.lists(names, min_size=1, max_size=5, unique=True))
def test_every_name_survives(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("map") / "map.pbtxt"
    items = items_named(texts)
    write_label_map(path, items)
    assert read_label_map(path) == items


@pytest.mark.parametrize(
    "text",
    [
        "item{id:1 name:'cat' display_name:'Cat'}",
        'item: {\n name: "cat", display_name: "Cat"; id: 1 },',
        "# zoo\nitem { id: 0x1 name: 'c' \"at\" # split\n display_name: 'Cat'}",
        r"item { id: 1 name: '\143\x61t' display_name: '\103at' }",
    ],
)
def test_spellings_that_protobuf_accepts(text):
    assert parse_label_map(text, "zoo.pbtxt") == [CAT]


def test_absent_display_name_is_the_name():
    text = "item { id: 1 name: 'cat' }"
    assert parse_label_map(text, "m") == [LabelMapItem(1, "cat", "cat")]


def test_escapes_are_bytes_of_utf8():
    text = (
        r"""item { id: 3 name: '\303\251\'\"\\\n' display_name: '\xC3\xA9' }"""
    )
    assert parse_label_map(text, "m") == [LabelMapItem(3, "é'\"\\\n", "é")]


def test_a_digit_after_a_control_character_stays_apart(tmp_path):
    path = tmp_path / "map.pbtxt"
    write_label_map(path, items_named(["\x017"]))
    assert r"name: '\0017'" in path.read_text()
    assert read_label_map(path)[0].name == "\x017"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("itm { }", r"must have `item` here. Received: itm \(m, line 1\)"),
        ("item\n( id", r"Received: \( id \(m, line 2\)"),
        ("item id", "must have `{` here. Received: id"),
        ("item {", r"field name here. Received: the end \(m, line 1\)"),
        ("item { id 1 }", "must have `:` here. Received: 1"),
        ("item { id: 'x' }", "an integer here. Received: 'x'"),
        ("item { id: 1.5 }", r"Received: 1.5 } \(m"),
        ("item { id: 010 }", "without leading zero here. Received: 010"),
        ("item { id: 12345678901 }", "an integer up to 2147483647"),
        ("item { id: 1 name: cat }", "a quoted string here. Received: cat"),
        ("item { id: 1 name: 'cat\n' }", r"Received: 'cat \(m, line 1\)"),
        (r"item { name: '\q' }", r"a known escape .*Received: \\q"),
        (r"item { name: '\400' }", r"an escape up to \\377"),
        (r"item { name: '\377' }", "whose escapes give UTF-8"),
        ("item { id: 1 id: 2 }", "one `id` an item here. Received: id again"),
        ("item { id: 1 keypoints { } }", "a field `id`, `name` or"),
        ("item {\n id: 1\n}", r"with `name` here. Received: none \(m, line 1"),
        ("item { name: 'cat' }", "with `id` here. Received: none"),
        ("item { id: 1 name: 'a' } }", "must have `item` here. Received: }"),
    ],
)
def test_parser_names_line_and_expectation(text, message):
    with pytest.raises(ValueError, match=message):
        parse_label_map(text, "m")


@given(st.text(max_size=60))
def test_parser_refuses_or_reads_any_text(text):
    try:
        items = parse_label_map(text, "any.pbtxt")
    except ValueError as error:
        assert "any.pbtxt, line " in str(error)
    else:
        assert items == []  # Only blanks and comments are a valid empty map.


@given(st.data())
def test_parser_agrees_with_protobuf_on_damaged_maps(data):
    from google.protobuf import text_format

    start = data.draw(st.integers(0, len(CAT_DOG_TEXT)))
    stop = data.draw(st.integers(start, min(start + 9, len(CAT_DOG_TEXT))))
    patch = data.draw(st.text("item{}:'\" \n\\07an#,;", max_size=6))
    damaged = CAT_DOG_TEXT[:start] + patch + CAT_DOG_TEXT[stop:]
    try:
        ours = parse_label_map(damaged, "m")
    except ValueError:
        return  # Stricter than protobuf, by design.
    theirs = text_format.Parse(damaged, _label_map_class()()).item
    expected = [
        (i.id, i.name, i.display_name if i.HasField("display_name") else i.name)
        for i in theirs
    ]
    assert [(i.id, i.name, i.display_name) for i in ours] == expected


@given(st.lists(names, min_size=1, max_size=4, unique=True))
def test_protobuf_reads_what_we_write(tmp_path_factory, texts):
    from google.protobuf import text_format

    path = tmp_path_factory.mktemp("map") / "map.pbtxt"
    write_label_map(path, items_named(texts))
    read = text_format.Parse(path.read_bytes(), _label_map_class()())
    assert [(i.id, i.name) for i in read.item] == list(enumerate(texts, 1))


def test_we_read_what_protobuf_writes():
    from google.protobuf import text_format

    message = _label_map_class()()
    message.item.add(id=1, name='Zoë\'s "cat"', display_name="a\tb\x01")
    items = parse_label_map(text_format.MessageToString(message), "m")
    assert items == [LabelMapItem(1, 'Zoë\'s "cat"', "a\tb\x01")]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], r"at least one item. Received: 0 \(m\)"),
        ([LabelMapItem(0, "a", "a")], "must start at 1 .*id 0 of 'a'"),
        ([LabelMapItem(-1, "a", "a")], "must start at 1 .*id -1 of 'a'"),
        ([LabelMapItem(2**31, "a", "a")], "end at 2147483647"),
        ([DOG], "leave no gap between 1 and 2. Received: none with id 1"),
        ([CAT, LabelMapItem(3, "c", "c")], "no gap .*none with id 2"),
        (
            [CAT, LabelMapItem(1, "ox", "ox")],
            "Ids .*unique. Received: id 1 for 'cat' and 'ox'",
        ),
        (
            [CAT, LabelMapItem(2, "cat", "Ox")],
            "Names .*unique. Received: 'cat' for ids 1 and 2",
        ),
        (
            [CAT, LabelMapItem(2, "Cat", "Ox")],
            "unique. Received: 'Cat' for ids 1 and 2",
        ),
        ([LabelMapItem(1, "", "a")], "must not be empty. Received: name ''"),
        ([LabelMapItem(1, "a", "")], "display_name '' of id 1"),
    ],
)
def test_rules(items, message):
    with pytest.raises(ValueError, match=message):
        validate_label_map(items, "m")


def test_gaps_may_be_allowed(tmp_path):
    sparse = [CAT, LabelMapItem(90, "toothbrush", "toothbrush")]
    path = tmp_path / "coco.pbtxt"
    write_label_map(path, sparse, allow_gaps=True)
    assert read_label_map(path, allow_gaps=True) == sparse
    with pytest.raises(ValueError, match="no gap.*coco.pbtxt"):
        read_label_map(path)


def test_refused_items_leave_the_old_file(tmp_path):
    path = tmp_path / "map.pbtxt"
    path.write_text("old")
    with pytest.raises(ValueError, match="map.pbtxt"):
        write_label_map(path, [DOG])
    assert path.read_text() == "old"


def test_file_that_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "map.pbtxt"
    path.write_bytes(b"item { name: '\xe9' }")
    with pytest.raises(ValueError, match="byte 0xe9 at offset 14.*map.pbtxt"):
        read_label_map(path)


def _label_map_class():
    """The OD API's message, declared in a pool of its own.

    Source: `object_detection/protos/string_int_label_map.proto`.
    """
    from google.protobuf import (
        descriptor_pb2,
        descriptor_pool,
        message_factory,
    )

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="m", syntax="proto2")
    item = file.message_type.add(name="Item")
    types = [field.TYPE_STRING, field.TYPE_INT32, field.TYPE_STRING]
    for number, (name, kind) in enumerate(
        zip(["name", "id", "display_name"], types, strict=True), 1
    ):
        item.field.add(
            name=name, number=number, type=kind, label=field.LABEL_OPTIONAL
        )
    file.message_type.add(name="Map").field.add(
        name="item",
        number=1,
        type=field.TYPE_MESSAGE,
        type_name=".Item",
        label=field.LABEL_REPEATED,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Map"))
