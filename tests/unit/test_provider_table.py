"""docs/providers/ has a page for each provider, and says what the providers declare."""

from __future__ import annotations

import pytest

from tests.provider_table import BEGIN, PAGE, PAGES, renewed, specs


def test_the_table_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == renewed(page), "renew it: python -m tests.provider_table"


def test_every_provider_has_a_page_that_names_it_and_its_kinds() -> None:
    for spec in specs():
        page = (PAGES / f"{spec.name}.md").read_text(encoding="utf-8")
        assert page.startswith("# "), spec.name
        missing = [kind for kind in spec.kinds if f"`{kind}`" not in page]
        assert not missing, f"docs/providers/{spec.name}.md says nothing of {missing}"
        assert spec.service.state.value in page, f"docs/providers/{spec.name}.md: is it in service?"
        source = spec.service.source.rpartition("docs/")[2]
        assert source in page, f"docs/providers/{spec.name}.md does not link {source}"


def test_every_page_is_of_a_provider() -> None:
    pages = {path.stem for path in PAGES.glob("*.md")} - {"README"}
    assert pages == {spec.name for spec in specs()}


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks"):
        renewed(PAGE.read_text(encoding="utf-8").replace(BEGIN, ""))
