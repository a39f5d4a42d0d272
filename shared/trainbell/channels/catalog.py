"""Finds channels by name, without a list to edit, and keeps one client for each that is set up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from trainbell.domain.events import ANNOUNCED, EventType
from trainbell.domain.settings import ChannelConfig
from trainbell.errors import NotFound
from trainbell.extensions.bound_secret import BoundAddress
from trainbell.extensions.client_pool import ClientPool
from trainbell.extensions.finder import Finder, ThirdParty
from trainbell.ports import Channel, ChannelContext, ChannelSpec, Clock, SecretVault

ENTRY_POINT_GROUP = "trainbell.channels"
TOPIC_CHANNEL = "trainbell-topic"
BUS_CHANNEL = "trainbell-bus"


class FoundChannels:
    """The `ports.ChannelCatalog`. A channel's code is imported when it is first needed.

    `topic_arn` and `bus_name` are the installation's own: the topic is told of ends, the bus of
    all that is announced.
    """

    def __init__(
        self,
        secrets: SecretVault,
        clock: Clock,
        *,
        topic_arn: str | None = None,
        bus_name: str | None = None,
        allow_loopback: bool = False,
        transport: Any = None,
        package: str = "trainbell.channels",
        third_party: ThirdParty | None = None,
    ) -> None:
        self._secrets = secrets
        self._clock = clock
        self._topic_arn = topic_arn
        self._bus_name = bus_name
        self._allow_loopback = allow_loopback
        self._transport = transport
        self._finder = Finder(
            ChannelSpec,
            noun="channel",
            attribute="CHANNEL",
            package=package,
            group=ENTRY_POINT_GROUP,
            third_party=third_party,
        )
        self._clients: ClientPool[ChannelConfig, Channel] = ClientPool(self._build, clock)

    def names(self) -> Sequence[str]:
        """Sorted. Raises ConfigInvalid where two channels have one name."""
        return self._finder.names()

    def spec(self, name: str) -> ChannelSpec:
        """Raises:
        NotFound: no such kind; the message names those that exist.
        ConfigInvalid: it cannot be loaded, or does not deliver a `ChannelSpec` of its name.
        """
        if name not in self._finder:
            raise NotFound(f"no channel of kind {name!r}; there are: {', '.join(self.names())}")
        return self._finder.load(name)

    @contextmanager
    def lease(self, config: ChannelConfig) -> Iterator[Channel]:
        """The channel's client, made once and kept until its settings change; not closed within
        the `with`, whatever changes meanwhile.

        Raises NotFound; ConfigInvalid, also where its secret is not allowed to go there.
        """
        settings = replace(config, created_at=None, updated_at=None)
        with self._clients.lease(config.name, settings) as channel:
            self._secret_of(config).require()
            yield channel

    def built_in(self) -> Sequence[ChannelConfig]:
        channels = []
        if self._topic_arn:
            channels.append(
                ChannelConfig(
                    name=TOPIC_CHANNEL,
                    kind="sns",
                    target=self._topic_arn,
                    events=(EventType.JOB_FINISHED,),
                )
            )
        if self._bus_name:
            channels.append(
                ChannelConfig(
                    name=BUS_CHANNEL,
                    kind="eventbridge",
                    target=self._bus_name,
                    events=tuple(sorted(ANNOUNCED)),
                )
            )
        return channels

    def close(self) -> None:
        self._clients.close()

    def _build(self, config: ChannelConfig) -> Channel:
        return self.spec(config.kind).build(
            ChannelContext(
                config=config,
                secrets=self._secret_of(config),
                clock=self._clock,
                transport=self._transport,
                allow_loopback=self._allow_loopback,
            )
        )

    def _secret_of(self, config: ChannelConfig) -> BoundAddress:
        use = self.spec(config.kind).secret_use(config)
        use = replace(use, loopback_is_own=self._allow_loopback)
        return BoundAddress(self._secrets, config.secret, use)
