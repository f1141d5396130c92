"""An environment for each peer under build/peers, made once: its packages never come near ours."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from rrcli import __version__
from tests.benchmarks.peers.catalogue import Peer

FOLDER = Path("build/peers").absolute()
PROGRAMS = Path(__file__).parent / "programs"
INSTALL_SECONDS = 300


class NotInstalled(Exception):
    """A peer's packages cannot be had here."""


def prepare(peer: Peer) -> Path:
    """The folder of its environment, with the packages in it. Raises NotInstalled."""
    if not peer.packages:
        return FOLDER
    folder = FOLDER / peer.name.split()[0].lower()
    done = folder / "installed.txt"
    wanted = "\n".join(peer.packages)
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return folder
    if peer.node and (shutil.which("npm") is None or shutil.which("node") is None):
        raise NotInstalled("npm and node are not installed")
    print(f"Installing {' '.join(peer.packages)} …", file=sys.stderr, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _install(peer, folder)
    except (subprocess.SubprocessError, OSError) as error:
        raise NotInstalled(f"{peer.name}: {error}") from error
    done.write_text(wanted, encoding="utf-8")
    return folder


def _install(peer: Peer, folder: Path) -> None:
    if peer.node:
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", *peer.packages]
        (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    else:
        venv.create(folder, with_pip=True)
        command = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", *peer.packages]
    done = subprocess.run(
        command, check=False, cwd=folder, timeout=INSTALL_SECONDS, capture_output=True, text=True
    )
    if done.returncode:
        raise NotInstalled(f"{command[0]} failed: {done.stderr.strip()[-500:]}")


def version(peer: Peer, folder: Path) -> str:
    """The installed version of what the peer is named after."""
    if not peer.packages:
        return __version__
    if peer.node:
        package = folder / "node_modules" / peer.packages[0] / "package.json"
        return str(json.loads(package.read_text(encoding="utf-8"))["version"])
    name = peer.packages[0].split("<")[0].split("[")[0]
    code = f"from importlib.metadata import version; print(version({name!r}))"
    return subprocess.check_output([f"{folder}/bin/python", "-c", code], text=True).strip()


def programs(peer: Peer, folder: Path) -> Path:
    """Where its program runs: npm's packages are found only beside it."""
    if not peer.node:
        return PROGRAMS
    for program in PROGRAMS.glob("*.mjs"):
        shutil.copy(program, folder)
    return folder


def binaries(peer: Peer, folder: Path) -> Path:
    """The folder of the environment's own programs."""
    return folder / "bin" if peer.packages else Path(sys.executable).parent
