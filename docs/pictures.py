"""Draw docs/pictures/demo.svg: run `rrcli demo` in a terminal of its own and keep what it shows.

    python docs/pictures.py

The demo runs for real, in a pseudo terminal. Its last screen is what the picture holds.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from io import StringIO
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

COLUMNS, ROWS = 100, 40
TARGET = Path(__file__).parent / "pictures" / "demo.svg"
COMMAND = [sys.executable, "-m", "rrcli", "demo"]

# rich's own frame, without the fonts that it would have a browser fetch from another host.
_FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "font-family: Fira Code, monospace", "font-family: ui-monospace, monospace"
)
_PARTS = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


def main() -> int:
    """Write the picture; 1 when the demo failed."""
    code, output = run(COMMAND)
    if code != 0:
        print(output, file=sys.stderr)
        return 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(draw("$ rrcli demo\n" + screen(output)), encoding="utf-8")
    return 0


def run(command: list[str], *, columns: int = COLUMNS, rows: int = ROWS, typed: str = "") -> tuple[int, str]:
    """Exit code of a command that believes it talks to a person, and all that it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.write(ours, typed.encode())
    environment = dict(os.environ) | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True
    ) as process:
        os.close(theirs)
        chunks = []
        while True:
            try:
                chunk = os.read(ours, 65_536)
            except OSError:  # Linux says so when the other side has closed
                break
            if not chunk:
                break
            chunks.append(chunk)
    os.close(ours)
    return process.returncode, b"".join(chunks).decode(errors="replace")


def screen(output: str) -> str:
    """What stands on the screen in the end; colours stay, cursor movements are carried out."""
    lines, row, at_start = [""], 0, True
    for parameters, letter, control, text in _PARTS.findall(output):
        at_start = (at_start and not text) or bool(control)
        if text:
            lines[row] += text
        elif (letter, parameters) in (("h", "?1049"), ("H", "")):
            lines, row = [""], 0
        elif control == "\n":
            row += 1
            if row == len(lines):
                lines.append("")
        elif letter == "m":
            lines[row] += f"\x1b[{parameters}m"
        elif letter == "A":
            row = max(0, row - int(parameters or 1))
        elif letter == "K" and (at_start or parameters == "2"):
            lines[row] = ""
    return "\n".join(lines).rstrip() + "\n"


def draw(text: str, *, columns: int = COLUMNS, title: str = "rrcli demo") -> str:
    """The text as SVG, colours included."""
    drawn = Text.from_ansi(text)
    width = min(columns, max(line.cell_len for line in drawn.split()))
    console = Console(
        record=True,
        width=width,
        file=StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    console.print(drawn)
    return console.export_svg(title=title, unique_id=title.split()[-1], code_format=_FORMAT)


if __name__ == "__main__":
    sys.exit(main())
