"""Pascal VOC's XML: direct children, strict numbers, no document types."""

import hypothesis
import hypothesis.strategies as st
import pytest

from tfrecords_tools.errors import DatasetError, MissingDataError, ParseError
from tfrecords_tools.formats.pascal_xml import (
    PascalAnnotation,
    PascalObject,
    read_pascal_xml,
)

BOX = (
    "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>"
)
OBJECT = f"<object><name>dog</name>{BOX}</object>"
WHOLE = (
    "<annotation><filename>a.jpg</filename>"
    "<size><width>8</width><height>6</height><depth>3</depth></size>"
    "<object><name>dog</name><pose>Left</pose><truncated>1</truncated>"
    "<occluded>1</occluded><difficult>1</difficult>"
    f"{BOX}</object></annotation>"
)
DOG = PascalObject("dog", "Unspecified", False, 0, False, 1, 2, 3, 4)


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "n02085620_7"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_pascal_xml(path)

    return read


def test_whole_annotation(read):
    dog = PascalObject("dog", "Left", True, 1, True, 1.0, 2.0, 3.0, 4.0)
    assert read(WHOLE) == PascalAnnotation("a.jpg", (8, 6), (dog,))


def test_everything_but_name_and_box_may_be_absent(read):
    text = f"<annotation>{OBJECT}</annotation>"
    assert read(text) == PascalAnnotation("", None, (DOG,))


def test_image_without_objects(read):
    assert read("<annotation/>").objects == ()


def test_part_boxes_are_not_taken_for_objects(read):
    part = f"<part><name>head</name>{BOX.replace('>1<', '>9<')}</part>"
    nested = f"<object>{part}{OBJECT[8:]}"
    assert read(f"<annotation>{nested}</annotation>").objects == (DOG,)


def test_object_with_a_box_in_its_part_only_is_refused(read):
    text = f"<object><name>dog</name><part>{BOX}</part></object>"
    with pytest.raises(ParseError, match="must have a box"):
        read(f"<annotation>{text}</annotation>")


def test_objects_nested_in_other_elements_are_not_read(read):
    assert read(f"<annotation><x>{OBJECT}</x></annotation>").objects == ()


def test_order_of_tags_is_free(read):
    text = (
        "<annotation><object><difficult>1</difficult><bndbox><ymax>4</ymax>"
        "<xmax>3</xmax><ymin>2</ymin><xmin>1</xmin></bndbox>"
        "<name>dog</name></object><size><height>6</height><width>8</width>"
        "</size></annotation>"
    )
    annotation = read(text)
    assert annotation.size == (8, 6)
    assert annotation.objects[0].difficult
    assert annotation.objects[0].xmin == 1
    assert annotation.objects[0].ymax == 4


@pytest.mark.parametrize(
    "size", ["", "<size/>", "<size><width>8</width></size>"]
)
def test_absent_size_is_none(read, size):
    assert read(f"<annotation>{size}</annotation>").size is None


def test_size_of_zero_is_none(read):
    assert read(WHOLE.replace(">8<", ">0<")).size is None


@pytest.mark.parametrize(
    ("text", "value"), [("45.70000076293945", 45.70000076293945), ("-2e1", -20)]
)
def test_edges_may_be_fractions_and_leave_the_image(read, text, value):
    assert read(WHOLE.replace(">1</xmin", f">{text}</xmin")).objects[
        0
    ].xmin == (value)


@pytest.mark.parametrize(
    "text",
    ["", "nan", "inf", "-Infinity", "1e999", "1_0", "0x1", "1,5", "١", "a"],
)
def test_edge_that_is_no_finite_number_is_refused(read, text):
    with pytest.raises(
        ParseError,
        match=r"finite number.*n02085620_7, object 2, tag `ymin`",
    ):
        bad = OBJECT.replace(">2<", f">{text}<")
        read(f"<annotation>{OBJECT}{bad}</annotation>")


@pytest.mark.parametrize("edge", ["xmin", "ymin", "xmax", "ymax"])
def test_missing_edge_is_refused(read, edge):
    with pytest.raises(ParseError, match=f"four edges.*object 1, tag `{edge}`"):
        read(WHOLE.replace(f"<{edge}>", "<x>").replace(f"</{edge}>", "</x>"))


@pytest.mark.parametrize(
    ("old", "tag"),
    [
        ("<xmin>1</xmin>", "xmin"),
        (BOX, "bndbox"),
        ("<name>dog</name>", "name"),
        ("<difficult>1</difficult>", "difficult"),
    ],
)
def test_repeated_tag_is_refused(read, old, tag):
    with pytest.raises(
        ParseError, match=f"Received: 2 times .*object 1, tag `{tag}`"
    ):
        read(WHOLE.replace(old, old * 2))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<name>dog</name>", "", "must have a name.*tag `name`"),
        ("<name>dog</name>", "<name> </name>", "must have a name"),
        ("<difficult>1", "<difficult>2", "0 or 1. Received: 2 .*`difficult`"),
        ("<truncated>1", "<truncated>-1", "whole number.*'-1'.*`truncated`"),
        ("<occluded>1", "<occluded>some", "whole number.*'some'.*`occluded`"),
        ("<width>8", "<width>8.5", "whole number.*'8.5'.*`width`"),
        ("annotation>", "annotations>", "outermost.*'annotations'"),
    ],
)
def test_broken_value_is_refused(read, old, new, message):
    with pytest.raises(ParseError, match=message):
        read(WHOLE.replace(old, new))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<annotation>",
        "<annotation/><annotation/>",
        "<annotation>&nothing;</annotation>",
        '<?xml version="1.0" encoding="no-such"?><annotation/>',
        '<?xml version="1.0" encoding="shift_jis"?><annotation/>',
        '<?xml version="1.0" encoding="rot13"?><annotation/>',
        b"<annotation>\xff</annotation>",
        b"\x00\x01\x02",
    ],
)
def test_what_is_no_xml_is_refused(read, text):
    with pytest.raises(ParseError, match="plain XML.*n02085620_7"):
        read(text)


@pytest.mark.parametrize(
    "document_type",
    [
        '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;&b;">]>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE a SYSTEM "http://localhost/a.dtd">',
        "<!DOCTYPE a>",
    ],
)
def test_document_types_and_entities_are_refused(read, document_type):
    with pytest.raises(ParseError, match="without a document type"):
        read(document_type + WHOLE.replace("dog", "&b;"))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(MissingDataError, match="none.xml"):
        read_pascal_xml(tmp_path / "none.xml")


@hypothesis.given(st.data())
def test_mutated_files_give_finite_boxes_or_a_dataset_error(
    tmp_path_factory, data
):
    whole = bytearray(WHOLE.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(whole) - 1))
        length = data.draw(st.integers(0, 6))
        whole[position : position + length] = data.draw(st.binary(max_size=6))
    path = tmp_path_factory.getbasetemp() / "mutated.xml"
    path.write_bytes(bytes(whole))
    _read_or_refuse(path)


@hypothesis.given(st.binary(max_size=200))
def test_any_bytes_give_an_annotation_or_a_dataset_error(
    tmp_path_factory, data
):
    path = tmp_path_factory.getbasetemp() / "any.xml"
    path.write_bytes(data)
    _read_or_refuse(path)


def _read_or_refuse(path):
    try:
        annotation = read_pascal_xml(path)
    except DatasetError:
        return
    for found in annotation.objects:
        assert abs(found.xmin + found.ymin + found.xmax + found.ymax) < 1e300
