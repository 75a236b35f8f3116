import msgspec

from object_detection_patch.decathlon.report.tables import order
from tests.decathlon.report import results as made


def test_the_papers_order_then_the_suites():
    suite = made.suite(1)
    names = ["SPOTPATCH", "Z_OWN", "BN_PATCH", "A_OWN", "FINE_TUNING"]
    method = suite.methods["BN_PATCH"]
    suite = msgspec.structs.replace(suite, methods=dict.fromkeys(names, method))
    assert order.methods(made.of(suite)) == (
        *("FINE_TUNING", "BN_PATCH", "SPOTPATCH", "Z_OWN", "A_OWN"),
    )


def test_labels_of_numbers_by_size_and_words_as_given():
    assert order.labels(["3e-4", "1e-1", "2"]) == ["2", "1e-1", "3e-4"]
    assert order.labels(["weak", "strong"]) == ["weak", "strong"]
