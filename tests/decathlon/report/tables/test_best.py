from object_detection_patch.decathlon.report.tables.best import best


def test_ends_ties_gaps_and_rows_apart():
    rows = [
        ("FINE_TUNING", 9.0, 99.0, 1.0),
        ("a", 0.2, 50.0, 1.0),
        ("b", 0.2, "failed", 1.0),
        ("c", 0.5, 70.0, 1.0),
        ("d", None, None, 1.0),
    ]
    wanted = {1: "lowest", 2: "highest", 3: "highest"}
    found = best(rows, wanted, apart=["FINE_TUNING"])
    # Column 3 is all alike: nothing is best.
    assert found == {(1, 1), (2, 1), (3, 2)}


def test_one_number_has_nothing_to_be_better_than():
    assert best([("a", 1.0), ("b", None)], {1: "highest"}) == frozenset()
