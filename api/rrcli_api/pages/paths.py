"""Which paths are pages for people, and which of them are open to everybody."""

SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
ASSETS = "/assets/"

_PAGES = ("/schedules", "/events", "/assets", SIGN_IN, SIGN_OUT)
_FOLDERS = tuple(f"{page}/" for page in _PAGES)


def is_page(path: str) -> bool:
    """Whether what stands at `path` is read by a person: errors come as a page, and a cookie opens it."""
    return path == "/" or path.startswith(_FOLDERS) or path in _PAGES


def is_open(path: str) -> bool:
    """Pages that need no key: those where one is given, and how they look."""
    return path in (SIGN_IN, SIGN_OUT) or path.startswith(ASSETS)


def needs_store(path: str) -> bool:
    """Pages that show what is stored."""
    return is_page(path) and path != SIGN_OUT and not path.startswith(ASSETS)
