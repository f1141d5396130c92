"""URLs that name several hosts, which no library reads: `scheme://user:password@host:1,[::1]:2/path?query`."""

from dataclasses import dataclass

from rrcli.repository.mongo_redis_nodes import Address


@dataclass(frozen=True, slots=True)
class ManyHosts:
    """The parts of such a URL, as they stand there."""

    scheme: str
    access: str
    """`user:password`, or nothing."""

    hosts: str
    path: str
    """With its leading slash, or nothing."""

    query: str

    @classmethod
    def of(cls, url: str) -> "ManyHosts":
        """Split at the marks; nothing is refused, while patched Pythons' `urlsplit` refuses `one,[::1]`."""
        scheme, _, rest = url.partition("://")
        rest, _, query = rest.partition("?")
        netloc, slash, path = rest.partition("/")
        access, _, hosts = netloc.rpartition("@")
        return cls(scheme.lower(), access, hosts, slash + path, query)

    def addresses(self, default_port: int) -> list[Address]:
        """The hosts and their ports. Raises ValueError."""
        found = []
        for each in self.hosts.split(","):
            host, colon, port = each.rpartition(":")
            plain = not colon or port.endswith("]")
            host, port = (each, str(default_port)) if plain else (host, port)
            if not host:
                raise ValueError("a host is missing")
            found.append((host.strip("[]"), int(port)))
        return found
