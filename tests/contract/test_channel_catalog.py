"""The catalog of channels: found by folder or entry point; a client is never closed in a send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.builders import NOON, FakeClock
from tests.open_secrets import OpenSecrets
from trainbell.channels.catalog import FoundChannels
from trainbell.domain.events import EventType
from trainbell.domain.secret_bounds import SecretUse
from trainbell.domain.settings import ChannelConfig
from trainbell.errors import ConfigInvalid, NotFound
from trainbell.ports import Channel, ChannelContext, ChannelSpec, Notice

TEAM = ChannelConfig(name="team", kind="probe")


class NoSecrets(OpenSecrets):
    def read(self, reference: str) -> str:
        raise ConfigInvalid(f"{reference} is not set")


class Probe:
    def __init__(self, context: ChannelContext) -> None:
        self.context = context
        self.closed = False

    def send(self, notice: Notice) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.closed = True


class Entry:
    """An entry point that gives a spec without a module to load it from."""

    def __init__(self, name: str, loads: Callable[[], object]) -> None:
        self.name, self.value, self.load = name, f"somewhere:{name}", loads


def probes(**fields: object) -> FoundChannels:
    spec = ChannelSpec(name="probe", title="Probe", build=Probe)
    given = {"third_party": lambda: [Entry("probe", lambda: spec)], **fields}
    return FoundChannels(NoSecrets(), FakeClock(), **given)  # type: ignore[arg-type]


def as_probe(channel: Channel) -> Probe:
    assert isinstance(channel, Probe)
    return channel


def test_kinds_are_found_by_name() -> None:
    channels = probes()
    assert {"slack", "sns", "eventbridge", "probe"} <= set(channels.names())
    assert all(channels.spec(name).name == name for name in channels.names())
    with pytest.raises(NotFound, match=r"eventbridge, .*slack, .*sns"):
        channels.spec("pigeon")


def test_a_name_that_two_channels_have_is_a_wrong_setting() -> None:
    channels = probes(third_party=lambda: [Entry("slack", lambda: None)])
    with pytest.raises(ConfigInvalid, match="two channels are called 'slack'"):
        channels.names()


def test_a_broken_channel_says_so_and_does_not_take_the_others_along() -> None:
    def broken() -> object:
        raise RuntimeError("no licence")

    channels = probes(third_party=lambda: [Entry("broken", broken), Entry("odd", lambda: 3)])
    assert {"broken", "odd", "slack"} <= set(channels.names())
    with pytest.raises(ConfigInvalid, match=r"the channel 'broken' .*loaded: .*no licence"):
        channels.spec("broken")
    with pytest.raises(ConfigInvalid, match=r"somewhere:odd is listed .* but gives no CHANNEL"):
        channels.spec("odd")
    assert channels.spec("slack").name == "slack"


def test_a_folder_is_a_channel_and_no_other_file_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "some_channels" / "pigeon"
    folder.mkdir(parents=True)
    (tmp_path / "some_channels" / "__init__.py").write_text("")
    (folder / "__init__.py").write_text(
        "from trainbell.ports import ChannelSpec\n"
        "CHANNEL = ChannelSpec(name='pigeon', title='A pigeon', build=None)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    channels = probes(package="some_channels", third_party=lambda: ())
    assert channels.names() == ["pigeon"]
    assert channels.spec("pigeon").title == "A pigeon"


# ---------------------------------------------------------------- clients


def test_a_client_is_kept_until_its_settings_change() -> None:
    channels = probes()
    with channels.lease(TEAM) as first:
        pass
    with channels.lease(replace(TEAM, updated_at=NOON)) as same:
        assert same is first
    with channels.lease(replace(TEAM, target="elsewhere")) as other:
        assert other is not first
        assert as_probe(other).context.config.target == "elsewhere"
    assert as_probe(first).closed
    channels.close()
    assert as_probe(other).closed


def test_settings_that_change_in_the_middle_of_a_send_do_not_close_its_client() -> None:
    channels = probes()
    with channels.lease(TEAM) as sending:
        with channels.lease(replace(TEAM, target="elsewhere")):
            pass
        assert not as_probe(sending).closed
    assert as_probe(sending).closed


def test_the_installation_brings_its_topic_and_bus() -> None:
    topic = "arn:aws:sns:eu-central-1:123456789012:ends"
    channels = FoundChannels(NoSecrets(), FakeClock(), topic_arn=topic, bus_name="bus")
    brought = channels.built_in()
    assert [(channel.kind, channel.target) for channel in brought] == [
        ("sns", topic),
        ("eventbridge", "bus"),
    ]
    assert brought[0].events == (EventType.JOB_FINISHED,)
    assert probes().built_in() == []


def test_a_channel_is_not_lent_once_its_secret_is_forbidden() -> None:
    """A plugin may keep what it once read."""

    class Vault(NoSecrets):
        forbids = False

        def refusal(self, reference: str, use: SecretUse) -> str | None:
            assert (reference, use.user, use.is_address) == ("env:HOOK", "probe", True)
            return "not there" if self.forbids else None

    vault = Vault()
    spec = ChannelSpec(name="probe", title="Probe", build=Probe, needs_secret=True)
    entries: Any = [Entry("probe", lambda: spec)]
    channels = FoundChannels(vault, FakeClock(), third_party=lambda: entries)
    config = ChannelConfig(name="team", kind="probe", secret="env:HOOK")
    with channels.lease(config):
        pass
    vault.forbids = True
    with pytest.raises(ConfigInvalid, match="not there"), channels.lease(config):
        pytest.fail("it was lent")
