"""Names whose look-up hangs do not hold up the others: needs a C compiler, to make `getaddrinfo` hang."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rrcli_daemons.http_names import Names, Standing

HANGING = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

/* Names that begin with "slow" take four seconds to fail; names that begin with "fine" are 127.0.0.1. */
int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **found)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    real = (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))
        dlsym(RTLD_NEXT, "getaddrinfo");
    if (name && strncmp(name, "slow", 4) == 0) {
        sleep(4);
        return EAI_AGAIN;
    }
    return real(name && strncmp(name, "fine", 4) == 0 ? "127.0.0.1" : name, port, hints, found);
}
"""

# Forty dead names are called, then some that work: one called before, one never seen, one address.
SCENARIO = """
from tests.support.receiver import receiver
from tests.support.sending import a_request, collect, sending

with receiver() as target, sending() as sender:
    def call(*names):
        sender.submit([
            (name, a_request(f"http://{name}:{target.port}/", timeout_seconds=0.5 if "slow" in name else 10))
            for name in names
        ])
    call("fine-known")
    collect(sender, 1)
    call(*(f"slow-{number}" for number in range(40)))
    call("fine-known", "127.0.0.1")
    ended = collect(sender, 42)
    print(*sorted(key for key, _ in ended[:2]))
    print(*sorted({outcome.error for key, outcome in ended[2:]}), sep=", ")
    call(*(f"slow-{number}" for number in range(40)))
    call("fine-known")
    print(*(key for key, _ in collect(sender, 41)[:1]))
"""


@pytest.mark.skipif(shutil.which("cc") is None or sys.platform != "linux", reason="needs a C compiler")
def test_forty_names_that_hang_do_not_delay_a_name_that_has_been_called_before(tmp_path: Path) -> None:
    source, library = tmp_path / "hanging.c", tmp_path / "hanging.so"
    source.write_text(HANGING, encoding="utf-8")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCENARIO],
        env=os.environ | {"LD_PRELOAD": str(library)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == "127.0.0.1 fine-known"
    assert lines[1].split(", ")[0] == "timed out after 0.5 s resolving host slow-0"
    assert lines[2] == "fine-known"


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://127.0.0.1:80/x", "https://[::1]:443/", "HTTP://ann:pw@10.0.0.1/"],
)
def test_an_address_needs_no_proof(url: str) -> None:
    assert Names().standing(url) is Standing.PROVEN


def test_a_name_is_new_then_proven_or_failing_for_all_its_paths() -> None:
    names = Names()
    assert names.standing("http://a.example/x") is Standing.NEW
    names.resolved("http://a.example/x")
    assert names.standing("http://a.example/y?z") is Standing.PROVEN
    names.failed("http://a.example/y")
    assert names.standing("http://a.example/x") is Standing.FAILING
    assert names.standing("http://b.example") is Standing.NEW


def test_what_is_remembered_of_names_is_bounded() -> None:
    names = Names()
    for number in range(30_000):
        names.resolved(f"http://{number}.example/")
    assert names.standing("http://29999.example/") is Standing.PROVEN
    assert names.standing("http://1.example/") is Standing.NEW
