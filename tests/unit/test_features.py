"""docs/features.md names a test for every documented feature, and is current."""

from __future__ import annotations

from tests.features import FEATURES, PAGE, page, shown_by


def test_every_feature_has_a_test_of_its_name() -> None:
    assert [feature for feature, names in shown_by().items() if not names] == []
    assert len(FEATURES) == 46


def test_the_page_is_current() -> None:
    expected = page(shown_by(), passed=True)
    assert PAGE.read_text() == expected, "run: python -m tests.features"
