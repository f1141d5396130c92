"""Which addresses may be called: the guard against requests forged to reach the inside of a network.

It judges the address that a socket is about to connect to, after DNS, so a name that resolves
differently the second time ("DNS rebinding") gains nothing.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from rrcli.errors import InvalidSettings
from rrcli.settings import WorkerSettings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_CACHED_ADDRESSES = 4096

_MAPPED = IPv6Network("::ffff:0:0/96")
# IPv6 prefixes whose last 32 bits are an IPv4 address that a translator, tunnel or kernel connects to.
_IPV4_AT_THE_END = (
    _MAPPED,
    IPv6Network("::/96"),  # IPv4-compatible, RFC 4291, 2.5.5.1
    IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated, RFC 2765
    IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052
)
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215
_SIX_TO_FOUR = IPv6Network("2002::/16")  # RFC 3056
_TEREDO = IPv6Network("2001::/32")  # RFC 4380
_OWN_MEANING = frozenset({IPv6Address("::"), IPv6Address("::1")})


class AddressPolicy:
    """Allowed networks win, then denied networks, then whether private addresses may be called.

    An IPv6 address that carries an IPv4 address is judged by what it carries.
    """

    def __init__(
        self,
        *,
        allow: Iterable[Network] = (),
        deny: Iterable[Network] = (),
        allow_private: bool = True,
    ) -> None:
        self._allow = tuple(allow)
        self._deny = tuple(deny)
        self._allow_private = allow_private
        self._cached = lru_cache(_CACHED_ADDRESSES)(self._judge)

    @classmethod
    def from_settings(cls, worker: WorkerSettings) -> "AddressPolicy":
        """The policy of `worker.allow_networks`, `deny_networks` and `allow_private`.

        Raises InvalidSettings naming the network that cannot be read.
        """
        return cls(
            allow=[_network(text, "worker.allow_networks") for text in worker.allow_networks],
            deny=[_network(text, "worker.deny_networks") for text in worker.deny_networks],
            allow_private=worker.allow_private,
        )

    def refusal(self, address: str) -> str | None:
        """Why `address` (a literal, perhaps with a `%zone`) may not be called; None when it may."""
        return self._cached(address)

    def _judge(self, text: str) -> str | None:
        address = ip_address(text.partition("%")[0])
        for judged in _meanings(address):
            reason = self._reason(address, judged)
            if reason is not None:
                return reason if judged == address else f"{address} stands for {judged}: {reason}"
        return None

    def _reason(self, address: Address, judged: Address) -> str | None:
        if any(judged in network for network in self._allow):
            return None
        for network in self._deny:
            if judged in network or address in network:
                named = judged if judged in network else address
                return f"{named} is in worker.deny_networks ({network})"
        if not self._allow_private and not _is_public(judged):
            return f"{judged} is not a public address, and worker.allow_private is false"
        return None


def _network(text: str, key: str) -> Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        raise InvalidSettings(f"{key}: {text} is not an IP network: {error}") from error
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return IPv4Network((_last_32_bits(network.network_address), network.prefixlen - 96))
    return network


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address.is_site_local or address in _LOCAL_NAT64):
        return False
    return address.is_global and not address.is_multicast


def _meanings(address: Address) -> Iterator[Address]:
    """The addresses that a connection to `address` may end at; every one of them must be allowed."""
    if isinstance(address, IPv4Address) or address in _OWN_MEANING:
        yield address
    elif any(address in prefix for prefix in _IPV4_AT_THE_END):
        yield _last_32_bits(address)
    elif address in _SIX_TO_FOUR:
        yield IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    elif address in _TEREDO:
        yield address
        yield IPv4Address(int(address) & 0xFFFFFFFF ^ 0xFFFFFFFF)
    elif address in _LOCAL_NAT64:
        yield address
        yield from _local_nat64(int(address))
    else:
        yield address


def _local_nat64(value: int) -> Iterator[IPv4Address]:
    """Each layout of RFC 6052, 2.2 that fits under /48: the translator's prefix length is not known here.

    Bits 64 to 71 are never part of the IPv4 address; a layout that finds nothing but zeros is not in use.
    """
    without_u = value >> 64 << 56 | value & (1 << 56) - 1
    for bits in (without_u >> 40, without_u >> 32, without_u >> 24, value):
        if embedded := bits & 0xFFFFFFFF:
            yield IPv4Address(embedded)


def _last_32_bits(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFFFFFF)
