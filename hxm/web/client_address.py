"""Where a client is: what counts as one address."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def place_of(address: str) -> str:
    """The address that counts; of IPv6 the network of 64 bits, whose addresses are one host's.

    Raises ValueError for what is no address.
    """
    known = _known(address)
    if isinstance(known, IPv6Address) and not known.is_loopback:
        return str(ip_network((int(known) >> 64 << 64, 64)))
    return str(known)


def is_here(address: str) -> bool:
    """Whether it is one of this host alone. Raises ValueError for what is no address."""
    return _known(address).is_loopback


def _known(address: str) -> IPv4Address | IPv6Address:
    known = ip_address(address.partition("%")[0])
    return getattr(known, "ipv4_mapped", None) or known
