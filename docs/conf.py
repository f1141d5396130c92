"""The documentation as a site: `make docs` builds it into build/site; a warning is an error."""

import sys
from pathlib import Path

from sphinx.application import Sphinx

from rrcli import __version__

sys.path.insert(0, str(Path(__file__).parent))
from diagrams import pictured

project = "rrule-scheduler"
release = __version__
copyright = "rrule-scheduler contributors, MIT licence"

extensions = ["myst_parser"]
root_doc = "index"
exclude_patterns = ["**/__pycache__"]
html_theme = "furo"
html_title = "rrule-scheduler"
html_favicon = "../api/rrcli_api/pages/assets/icon.svg"
html_show_sphinx = False
html_copy_source = False

myst_heading_anchors = 4
myst_enable_extensions = ["strikethrough"]
suppress_warnings = ["myst.strikethrough"]
pygments_style = "friendly"
pygments_dark_style = "github-dark"

_PARTS = (
    ("Learn", ["tutorial"]),
    ("Do", "how-to"),
    ("Look up", ["recurrence", "reference/*", "pictures/cli/index"]),
    ("Understand", ["flow", "reliability", "performance", "capacity"]),
    ("Decisions", "decisions"),
)


def _with_contents(app: Sphinx, name: str, source: list[str]) -> None:
    """Add the tree of pages to the first one, where readers of the file itself would see only clutter."""
    if name != root_doc:
        return
    folder = Path(app.srcdir)
    for caption, pages in _PARTS:
        patterns = [f"{pages}/*"] if isinstance(pages, str) else pages
        found = [
            str(page.relative_to(folder).with_suffix(""))
            for pattern in patterns
            for page in sorted(folder.glob(f"{pattern}.md"))
        ]
        listed = "\n".join(found)
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n"


def _with_pictures(app: Sphinx, name: str, source: list[str]) -> None:
    """Diagrams as pictures: nothing that draws is loaded by the reader's browser."""
    source[0] = pictured(source[0], name)


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("source-read", _with_contents)
    app.connect("source-read", _with_pictures)
