"""Whether the address that a service wants to listen on is to be had."""

import socket
from ipaddress import ip_address

from rrcli.errors import SchedulerError


class PortTaken(SchedulerError):
    """The address to listen on cannot be had."""

    code = "port_taken"


def address(host: str, port: int) -> str:
    """`host:port`, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def require_port(host: str, port: int) -> None:
    """Raises PortTaken when nothing could listen there: said at once, and better than a server would."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            raise PortTaken(
                f"The API cannot listen on {address(host, port)}: {error.strerror or error}.",
                hint="Stop what listens there, or choose another port: --port 8081, or API_PORT=8081.",
            ) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on `host`, an address or a name."""
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False
    return all(_is_loopback_address(text) for text in found)


def _is_loopback_address(text: str) -> bool:
    address = ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
