"""Where a secret may go, by its rules alone."""

from __future__ import annotations

import string

import httpx
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from trainbell.domain.base_url import checked_base_url
from trainbell.domain.secret_bounds import Bound, Destination, HostPattern, SecretUse, is_allowed
from trainbell.domain.settings import Connection
from trainbell.errors import ConfigInvalid
from trainbell.providers.sagemaker import PROVIDER

API = HostPattern.of("api.example.com")


def leads_to(pattern: str, url: str) -> bool:
    return HostPattern.of(pattern).matches(Destination.of_url(url))


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("api.example.com", "https://api.example.com/v1"),
        ("API.Example.COM.", "https://api.example.com"),
        ("api.example.com", "https://API.EXAMPLE.COM./v1"),
        ("api.example.com", "https://api.example.com:443/"),
        ("api.example.com:443", "https://api.example.com/"),
        ("api.example.com:8443", "https://api.example.com:8443/"),
        ("xn--bcher-kva.example", "https://XN--bcher-kva.example/"),
        ("*.example.com", "https://api.example.com"),
        (".example.com", "https://api.example.com"),
        ("*.example.com:8443", "https://api.example.com:8443"),
        ("127.0.0.1:9101", "http://127.0.0.1:9101/api"),
        ("[::1]:9101", "http://[0:0:0:0:0:0:0:1]:9101/api"),
        ("::1", "http://[::1]/"),
        ("[2001:DB8::0:7]", "https://[2001:db8:0:0::7]/"),
        ("localhost:80", "http://localhost/"),
    ],
)
def test_one_host_in_all_its_spellings(pattern: str, url: str) -> None:
    assert leads_to(pattern, url)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("api.example.com", "https://api.example.com.evil.example/"),
        ("api.example.com", "https://evil-api.example.com/"),
        ("api.example.com", "https://example.com/"),
        ("api.example.com", "https://api.example.com:8443/"),
        ("api.example.com:8443", "https://api.example.com/"),
        ("api.example.com", "https://api-example.com/"),
        ("*.example.com", "https://example.com/"),
        ("*.example.com", "https://a.b.example.com/"),
        ("*.example.com", "https://evilexample.com/"),
        ("*.example.com", "https://api.example.com:444/"),
        # Another name of the same machine is another host, and so is another form of an address.
        ("127.0.0.1:9101", "http://localhost:9101/"),
        ("localhost:9101", "http://127.0.0.1:9101/"),
        ("127.0.0.1:9101", "http://127.0.0.1:9102/"),
        ("127.0.0.1:9101", "http://[::ffff:127.0.0.1]:9101/"),
        ("[::1]:9101", "http://127.0.0.1:9101/"),
        ("*.0.0.1.example", "https://127.0.0.1/"),
    ],
)
def test_what_only_looks_alike(pattern: str, url: str) -> None:
    assert not leads_to(pattern, url)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "*",
        "*.",
        "*.com",
        ".com",
        "*example.com",
        "api.*.com",
        "*.*.example.com",
        "..example.com",
        "https://api.example.com",
        "api.example.com/v1",
        "ada@api.example.com",
        "api.example.com:0",
        "api.example.com:65536",
        "api.example.com:8a",
        "api.example.com:",
        "api.example.com:+1",
        "api example.com",
        "bücher.example",
        "api\u3002example.com",
        "\u212aube.example",
        "127.1",
        "0x7f.1.1.1e1.9",
        "*.127.0.0.1",
        "*.[::1]",
        "[::1",
        "[::1]9101",
        "[127.0.0.1]x",
        "fe80::1%eth0",
        "-a.example",
        "a..example",
        "api.example.com, b.example",
        "x" * 5000,
    ],
)
def test_a_pattern_that_is_none_or_too_wide_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigInvalid):
        HostPattern.of(pattern)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com@evil.example/",
        "https://evil.example\\@api.example.com/",
        "https://api.example.com\\.evil.example/",
        "https:/api.example.com",
        "//api.example.com",
        "ftp://api.example.com",
        "https://b\u00fccher.example/",
        "https://[::1%25eth0]/",
        "https://api.example.com:99999/",
        "https://%61pi.example.com/",
        "https://",
        "api.example.com",
    ],
)
def test_a_url_whose_host_is_doubtful_leads_nowhere(url: str) -> None:
    with pytest.raises(ConfigInvalid):
        Destination.of_url(url)


def test_all_problems_of_a_bound_come_at_once() -> None:
    with pytest.raises(ConfigInvalid) as refused:
        Bound.of(["*", "ok.example.com", "https://x"], "No Provider")
    for words in ("'*'", "'https://x'", "a provider is named by"):
        assert words in str(refused.value)
    assert "ok.example.com" not in str(refused.value)
    with pytest.raises(ConfigInvalid, match="at least one host, or a provider"):
        Bound.of([])
    with pytest.raises(ConfigInvalid, match="51 hosts; 50 at most"):
        Bound.of([f"h{n}.example.com" for n in range(51)])


def use(*urls: str, user: str = "acme", **fields: bool) -> SecretUse:
    return SecretUse(user, tuple(map(Destination.of_url, urls)), (API,), **fields)


OWN, OTHER = "https://api.example.com", "https://lab.example"


@pytest.mark.parametrize(
    ("bounds", "allowed"),
    [
        ([], [use(OWN), use()]),
        ([Bound.of([], "acme")], [use(OWN), use()]),
        ([Bound.of([], "other")], []),
        ([Bound.of(["lab.example"])], [use(OTHER)]),
        ([Bound.of(["lab.example"], "acme")], [use(OTHER)]),
        ([Bound.of(["lab.example"], "other")], []),
        ([Bound.of(["lab.example"]), Bound.of([], "acme")], [use(OWN), use(OTHER), use()]),
        ([Bound.of(["lab.example", "api.example.com"])], [use(OWN), use(OTHER), use(OWN, OTHER)]),
    ],
)
def test_who_may_send_it_where(bounds: list[Bound], allowed: list[SecretUse]) -> None:
    uses = [use(OWN), use(OTHER), use(OWN, OTHER), use()]
    assert [each for each in uses if is_allowed(bounds, each)] == allowed


def test_a_secret_that_is_an_address_goes_where_it_says_and_its_kind_of_channel_knows() -> None:
    here = "http://127.0.0.1:9000"
    assert is_allowed([], use(is_address=True))
    assert is_allowed([], use(OWN, is_address=True))
    assert not is_allowed([], use(OTHER, is_address=True))
    assert not is_allowed([], use(here, is_address=True))
    assert is_allowed([], use(here, is_address=True, loopback_is_own=True))
    assert is_allowed([Bound.of(["lab.example"])], use(OTHER, is_address=True))
    assert not is_allowed([Bound.of([], "other")], use(OWN, is_address=True))
    unknown = SecretUse("plugin", (Destination.of_url(OTHER),), (), is_address=True)
    assert is_allowed([], unknown)


def test_the_own_hosts_of_aws_are_those_of_the_connections_region() -> None:
    def allowed(url: str, **options: str) -> bool:
        connection = Connection(name="aws", provider="sagemaker", base_url=url, options=options)
        return is_allowed([], PROVIDER.secret_use(connection))

    ours = {"region": "eu-west-1"}
    assert allowed("https://api.sagemaker.eu-west-1.amazonaws.com", **ours)
    assert allowed("https://vpce-1-x.api.sagemaker.eu-west-1.vpce.amazonaws.com", **ours)
    for url in (
        "https://api.sagemaker.us-east-1.amazonaws.com",
        "https://ec2-1-2-3-4.eu-west-1.compute.amazonaws.com",
        "https://bucket.s3.eu-west-1.amazonaws.com",
    ):
        assert not allowed(url, **ours)
    assert not allowed("https://api.sagemaker.eu-west-1.amazonaws.com")
    logs = {"logs_url": "https://logs.eu-west-1.amazonaws.com"}
    assert allowed("https://api.sagemaker.eu-west-1.amazonaws.com", **ours, **logs)
    theirs = {"logs_url": "https://evil.example"}
    assert not allowed("https://api.sagemaker.eu-west-1.amazonaws.com", **ours, **theirs)


# ---------------------------------------------------------------- properties

LABEL = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
NAME = (
    st.lists(LABEL, min_size=2, max_size=5)
    .map(".".join)
    .filter(lambda name: not name.rsplit(".", 1)[-1].isdigit())
)
ANY_HOST = st.one_of(
    NAME,
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.text("abZ019.-_:[]%@\\/#?*é。 ", max_size=20),
)


@given(NAME, NAME, st.sampled_from([None, 443, 8443]), st.sampled_from([None, 443, 8443]))
@example("a.example", "a.example", None, 443)
def test_a_pattern_without_a_star_allows_its_own_host_and_port_and_no_other(
    ours: str, theirs: str, our_port: int | None, their_port: int | None
) -> None:
    pattern = ours if our_port is None else f"{ours}:{our_port}"
    authority = theirs if their_port is None else f"{theirs}:{their_port}"
    same = ours == theirs and (our_port or 443) == (their_port or 443)
    assert leads_to(pattern, f"https://{authority}/") == same


@given(NAME, st.lists(LABEL, max_size=3))
def test_a_star_stands_for_exactly_one_label(suffix: str, before: list[str]) -> None:
    host = ".".join([*before, suffix])
    assert leads_to(f"*.{suffix}", f"https://{host}/") == (len(before) == 1)


@given(ANY_HOST)
def test_a_pattern_is_written_as_it_is_read(text: str) -> None:
    try:
        pattern = HostPattern.of(text)
    except ConfigInvalid:
        return
    assert HostPattern.of(str(pattern)) == pattern


@given(ANY_HOST, st.sampled_from(["", ":443", ":8443", ":80"]), st.booleans())
def test_the_host_that_is_judged_is_the_host_that_is_called(
    host: str, port: str, encrypted: bool
) -> None:
    """Two readers of one URL that disagree are how a bound is got around."""
    url = f"{'https' if encrypted else 'http'}://{host}{port}/v1"
    try:
        base = checked_base_url(url)
    except ConfigInvalid:
        assume(False)
    judged, called = Destination.of_url(base), httpx.URL(base)
    plain = called.host.rstrip(".").lower()
    assert HostPattern.of(plain if ":" not in plain else f"[{plain}]").host == judged.host
    assert (called.port or (443 if encrypted else 80)) == judged.port
