"""The documentation as a site: `make docs` builds it into build/site; a warning is an error."""

from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

from rrcli import __version__

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
    ("Look up", ["recurrence", "reference/*"]),
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


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", _with_contents)
