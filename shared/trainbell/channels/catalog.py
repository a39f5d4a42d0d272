"""Finds channels by name, without a list to edit, and keeps one client for each that is set up."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import trainbell.channels
from trainbell.domain.events import ANNOUNCED, EventType
from trainbell.domain.settings import ChannelConfig
from trainbell.errors import ConfigInvalid, NotFound
from trainbell.ports import Channel, ChannelContext, ChannelSpec, Clock, SecretSource

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
        secrets: SecretSource,
        clock: Clock,
        *,
        topic_arn: str | None = None,
        bus_name: str | None = None,
        allow_loopback: bool = False,
        transport: Any = None,
    ) -> None:
        self._secrets = secrets
        self._clock = clock
        self._topic_arn = topic_arn
        self._bus_name = bus_name
        self._allow_loopback = allow_loopback
        self._transport = transport
        self._clients: dict[str, tuple[ChannelConfig, Channel]] = {}
        self._lock = threading.Lock()

    def names(self) -> Sequence[str]:
        return sorted({*self._folders, *self._entry_points})

    def spec(self, name: str) -> ChannelSpec:
        """Raises:
        NotFound: no such kind; the message names those that exist.
        ConfigInvalid: a package declares it and does not deliver a `ChannelSpec`.
        """
        if name in self._folders:
            spec = importlib.import_module(f"{trainbell.channels.__name__}.{name}").CHANNEL
        elif name in self._entry_points:
            spec = self._entry_points[name].load()
        else:
            raise NotFound(f"no channel of kind {name!r}; there are: {', '.join(self.names())}")
        if not isinstance(spec, ChannelSpec) or spec.name != name:
            raise ConfigInvalid(f"the channel {name} does not declare a ChannelSpec of its name")
        return spec

    def client(self, config: ChannelConfig) -> Channel:
        """The channel's client; made once and kept until its settings change."""
        settings = replace(config, created_at=None, updated_at=None)
        with self._lock:
            known = self._clients.get(config.name)
            if known is not None and known[0] == settings:
                return known[1]
            context = ChannelContext(
                config=config,
                secrets=self._secrets,
                clock=self._clock,
                transport=self._transport,
                allow_loopback=self._allow_loopback,
            )
            client = self.spec(config.kind).build(context)
            self._clients[config.name] = (settings, client)
        if known is not None:
            known[1].close()
        return client

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
        with self._lock:
            clients, self._clients = self._clients, {}
        for _, client in clients.values():
            client.close()

    @cached_property
    def _folders(self) -> frozenset[str]:
        # Names only: a channel that nobody uses is never imported.
        found = pkgutil.iter_modules(trainbell.channels.__path__)
        return frozenset(module.name for module in found if module.ispkg)

    @cached_property
    def _entry_points(self) -> Mapping[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
