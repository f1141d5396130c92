"""Which addresses may be called."""

import pytest

from rrcli.errors import InvalidSettings
from rrcli.settings import WorkerSettings
from rrcli_daemons.addresses import AddressPolicy

DEFAULT = AddressPolicy.from_settings(WorkerSettings())
PUBLIC_ONLY = AddressPolicy.from_settings(WorkerSettings(allow_private=False))


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "fd00::1", "8.8.8.8", "2606:4700::1"])
def test_private_and_public_addresses_are_called_by_default(address: str) -> None:
    assert DEFAULT.refusal(address) is None


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "fe80::1", "fe80::1%eth0", "224.0.0.1", "ff02::1", "0.0.0.0", "::"),
        *("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "::ffff:100.100.100.200"),
    ],
)
def test_link_local_metadata_multicast_and_unspecified_addresses_are_refused_by_default(address: str) -> None:
    assert DEFAULT.refusal(address) is not None


def test_a_refusal_names_the_setting_and_the_network() -> None:
    assert DEFAULT.refusal("169.254.169.254") == "169.254.169.254 is in worker.deny_networks (169.254.0.0/16)"


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("::ffff:169.254.169.254", id="IPv4-mapped"),
        pytest.param("::ffff:a9fe:a9fe", id="IPv4-mapped in hexadecimal"),
        pytest.param("::169.254.169.254", id="IPv4-compatible"),
        pytest.param("::ffff:0:169.254.169.254", id="IPv4-translated"),
        pytest.param("64:ff9b::169.254.169.254", id="NAT64"),
        pytest.param("64:ff9b:1::169.254.169.254", id="local NAT64, /96"),
        pytest.param("64:ff9b:1:a9fe:a9:fe00::", id="local NAT64, /48"),
        pytest.param("64:ff9b:1:a9:fe:a9fe::", id="local NAT64, /56"),
        pytest.param("64:ff9b:1:0:a9:fea9:fe00:0", id="local NAT64, /64"),
        pytest.param("2002:a9fe:a9fe::1", id="6to4"),
        pytest.param("2001:0:4136:e378:8000:63bf:5601:5601", id="Teredo"),
    ],
)
def test_an_embedded_ipv4_address_is_judged_like_itself(address: str) -> None:
    refusal = DEFAULT.refusal(address)
    assert refusal is not None
    assert "169.254.169.254 is in worker.deny_networks (169.254.0.0/16)" in refusal


def test_an_embedded_address_is_named_beside_what_it_stands_for() -> None:
    assert DEFAULT.refusal("64:ff9b::169.254.169.254") == (
        "64:ff9b::a9fe:a9fe stands for 169.254.169.254: "
        "169.254.169.254 is in worker.deny_networks (169.254.0.0/16)"
    )


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.9",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "169.254.0.1",
        "0.1.2.3",
        "240.0.0.1",
        "255.255.255.255",
        "224.0.0.251",
        "198.18.0.1",
        "::1",
        "fc00::1",
        "fd12:3456::1",
        "fec0::1",
        "fe80::1",
        "ff0e::1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::8.8.8.8",
        "2002:7f00:1::",
        "2001:db8::1",
    ],
)
def test_without_private_addresses_only_public_ones_are_called(address: str) -> None:
    assert PUBLIC_ONLY.refusal(address) is not None


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"],
)
def test_without_private_addresses_public_ones_are_still_called(address: str) -> None:
    assert PUBLIC_ONLY.refusal(address) is None


def test_the_refusal_of_a_private_address_names_the_setting() -> None:
    assert PUBLIC_ONLY.refusal("10.0.0.1") == (
        "10.0.0.1 is not a public address, and worker.allow_private is false"
    )


def test_allowed_networks_win_over_denied_ones_and_over_privacy() -> None:
    policy = AddressPolicy.from_settings(
        WorkerSettings(
            allow_private=False,
            allow_networks=("10.1.0.0/16", "169.254.7.0/24"),
            deny_networks=("10.0.0.0/8",),
        )
    )
    assert policy.refusal("10.1.2.3") is None
    assert policy.refusal("169.254.7.1") is None
    assert policy.refusal("::ffff:10.1.2.3") is None
    assert policy.refusal("10.2.0.1") == "10.2.0.1 is in worker.deny_networks (10.0.0.0/8)"


def test_a_denied_translation_prefix_refuses_whatever_it_carries() -> None:
    policy = AddressPolicy.from_settings(WorkerSettings(deny_networks=("64:ff9b::/96",)))
    assert policy.refusal("64:ff9b::8.8.8.8") is not None
    assert policy.refusal("8.8.8.8") is None


def test_a_mapped_network_in_the_settings_means_its_ipv4_network() -> None:
    policy = AddressPolicy.from_settings(WorkerSettings(deny_networks=("::ffff:10.0.0.0/104",)))
    assert policy.refusal("10.9.9.9") == "10.9.9.9 is in worker.deny_networks (10.0.0.0/8)"


def test_a_network_with_host_bits_is_taken_as_its_network() -> None:
    policy = AddressPolicy.from_settings(WorkerSettings(deny_networks=("10.1.2.3/8",)))
    assert policy.refusal("10.200.0.1") is not None


def test_a_network_that_cannot_be_read_is_refused_by_name() -> None:
    with pytest.raises(InvalidSettings, match=r"worker\.deny_networks: 10\.0\.0\.0/99 is not an IP network"):
        AddressPolicy.from_settings(WorkerSettings(deny_networks=("10.0.0.0/99",)))
