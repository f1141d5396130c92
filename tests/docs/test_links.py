"""Every link between the pages, and into the repository, leads somewhere."""

from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.markdown import ROOT, anchors, links, pages, prose

_RELATIVE = [
    (page, target)
    for page in pages()
    for target in links(page)
    if not target.startswith(("http://", "https://", "mailto:"))
]


@pytest.mark.parametrize(
    ("page", "target"), _RELATIVE, ids=[f"{page.relative_to(ROOT)}: {target}" for page, target in _RELATIVE]
)
def test_a_relative_link_resolves(page: Path, target: str) -> None:
    name, _, anchor = unquote(target).partition("#")
    there = (page.parent / name).resolve() if name else page
    assert there.is_relative_to(ROOT), "a link must not leave the repository"
    assert there.exists()
    if anchor:
        assert anchor in anchors(there)


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        there = [(page.parent / target.partition("#")[0]).resolve() for target in links(page)]
        waiting += [each for each in there if each.suffix == ".md" and each.exists() and each not in reached]
    assert set(pages()) <= reached


@pytest.mark.parametrize("page", pages(), ids=[str(page.relative_to(ROOT)) for page in pages()])
def test_a_page_has_one_title_and_no_leftovers(page: Path) -> None:
    text = prose(page)
    assert [line for line in text.splitlines() if line.startswith("# ")][:1] == [text.splitlines()[0]]
    assert not [word for word in ("TODO", "FIXME", "XXX", "_OUTPUT") if word in text]
