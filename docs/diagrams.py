"""The diagrams of the pages as pictures, for the site: `make pictures`, with npm and Chromium.

Each is named after what it is drawn from: a changed diagram without its picture fails the build of the site.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE / "pictures" / "diagrams"
MERMAID = "mermaid@11"

_FENCE = re.compile(r"^```mermaid\n(?P<drawn>.*?)^```$", re.MULTILINE | re.DOTALL)


def name_of(diagram: str) -> str:
    """The file of its picture."""
    return f"{sha256(diagram.encode()).hexdigest()[:12]}.svg"


def pictured(text: str, page: str) -> str:
    """The Markdown with pictures in the place of diagrams; `page` is its path without suffix."""
    up = "../" * page.count("/")
    return _FENCE.sub(lambda found: f"![Diagram]({up}pictures/diagrams/{name_of(found['drawn'])})", text)


def draw() -> None:
    """Draw all that have no picture yet, and remove the pictures of those that are gone."""
    drawn = {
        name_of(found["drawn"]): found["drawn"]
        for page in sorted(HERE.rglob("*.md"))
        for found in _FENCE.finditer(page.read_text(encoding="utf-8"))
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    for picture in FOLDER.glob("*.svg"):
        if picture.name not in drawn:
            picture.unlink()
    missing = {name: text for name, text in drawn.items() if not (FOLDER / name).exists()}
    if missing:
        _draw(missing)


def _on_white(svg: str) -> str:
    """With a ground of its own: its black arrows would be lost on a dark page."""
    return svg.replace(' style="', ' style="background-color: white; ', 1)


def _draw(missing: dict[str, str]) -> None:
    from playwright.sync_api import sync_playwright  # the site is built without it

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None or shutil.which("npm") is None:
        sys.exit("Diagrams are drawn by npm's mermaid in Chromium; one of the two is not on this machine.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        subprocess.run(["npm", "install", "--silent", "--prefix", folder, MERMAID], check=True)
        script = Path(folder, "node_modules", "mermaid", "dist", "mermaid.min.js")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(path=script)
        for name, text in missing.items():
            settings = {"startOnLoad": False, "theme": "neutral", "htmlLabels": False}
            page.evaluate("settings => mermaid.initialize(settings)", settings)
            svg = page.evaluate("async text => (await mermaid.render('diagram', text)).svg", text)
            (FOLDER / name).write_text(_on_white(svg) + "\n", encoding="utf-8")
            print(f"drew {name}")
        browser.close()


if __name__ == "__main__":
    draw()
