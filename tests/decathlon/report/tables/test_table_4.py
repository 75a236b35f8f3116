import msgspec
import pytest

from object_detection_patch.decathlon.report.tables import table_4
from object_detection_patch.decathlon.running import record
from tests.decathlon.report import results as made

_MIB = 2**20


def _of(*runs, **options):
    methods = ["FINE_TUNING", "BN_PATCH"]
    return made.of(made.suite(2, methods), runs, **options)


def test_the_papers_sizes_follow_from_its_parameters():
    # BatchNorms and heads; WEIGHTTRANS has 3 numbers a kernel besides.
    numbers = {"BN_PATCH": 43_608, "WEIGHTTRANS": 43_608 + 3 * 71}
    masks = {"BN_PATCH": 0, "WEIGHTTRANS": 2_051_520}
    runs = []
    for method, floats in numbers.items():
        bits = {w: masks[method] + w * floats for w in (32, 8)}
        outcome = made.outcome(
            0.5,
            share=bits[32] / 32 / made.BASE_PARAMETERS,
            share_8=bits[8] / 8 / made.BASE_PARAMETERS,
        )
        runs += [made.run(method, task, outcome) for task in made.TASKS]
    table = table_4.nominal(made.of(made.suite(methods=list(numbers)), runs))
    for row in table.rows:
        for ours, printed in zip(row[1::2], row[2::2], strict=True):
            # The paper prints two decimals of most, three of some.
            assert ours == pytest.approx(printed, abs=0.0101)


def test_files_are_summed_over_tasks():
    outcomes = {
        "birds": made.outcome(0.5, share=0.1, file_bytes=100, patch_bytes=130),
        "cars": made.outcome(0.5, share=0.2, file_bytes=200, patch_bytes=240),
    }
    table = table_4.files(
        _of(
            *(made.run("BN_PATCH", t, o) for t, o in outcomes.items()),
            bases=[made.base()],
        )
    )
    titles = [column.title for column in table.columns]
    assert titles == [
        *("Method", "nominal", "exact", "exact without class head"),
        *("half", "half without class head"),
        *("small", "small without class head"),
        *("published, float32", "published, int8"),
    ]
    row, base = table.rows
    assert row[0] == "BN_PATCH"
    # 4 bytes a number.
    assert row[1] == pytest.approx(0.3 * made.BASE_PARAMETERS * 4, abs=1)
    # The class head of `made.sizes` is at most half of a file.
    assert row[2:] == (1200, 600, 600, 300, 300, 150, 370, 370)
    assert base[-2:] == (9 * _MIB, 2.5 * _MIB)
    assert len(base) == len(titles)


def test_older_records_lack_an_encoding():
    old, new = made.outcome(0.5), made.outcome(0.5)
    files = {**new.file_bytes, "compact": record.FileBytes(40, 30)}
    new = msgspec.structs.replace(new, file_bytes=files)
    table = table_4.files(
        _of(
            made.run("BN_PATCH", "birds", new),
            made.run("FINE_TUNING", "birds", old),
        )
    )
    titles = [column.title for column in table.columns]
    at = titles.index("compact")
    assert titles[at + 1] == "compact without class head"
    rows = {row[0]: row[at : at + 2] for row in table.rows}
    assert rows["BN_PATCH"] == (40, 30)
    assert rows["FINE_TUNING"] == (None, None)
    assert any(
        note.startswith("exact, half, small and compact are encodings")
        for note in table.notes
    )


def test_nothing_published_is_a_gap():
    outcome = made.outcome(0.5, on_phone=False)
    table = table_4.files(_of(made.run("BN_PATCH", "birds", outcome)))
    assert table.rows[0][-2:] == (None, None)
    assert table.rows[-1][-2:] == (None, None)


def test_no_run_is_no_table_of_files():
    assert table_4.files(_of()) is None
    assert [row[1] for row in table_4.nominal(_of()).rows] == [None, None]


def test_the_size_of_the_base_is_told():
    notes = table_4.nominal(_of(bases=[made.base()])).notes
    assert any("2,095,512 counted parameters" in note for note in notes)
    assert not any("counted" in note for note in table_4.nominal(_of()).notes)
