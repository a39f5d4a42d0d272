"""What an owner allows a secret in the cloud, as two tags say it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from trainbell.domain.secret_bounds import Bound, Destination, SecretUse
from trainbell.errors import ConfigInvalid

HOSTS_TAG = "trainbell:hosts"
PROVIDER_TAG = "trainbell:provider"


def bounds_in(tags: Mapping[str, str], name: str) -> Sequence[Bound]:
    """None where neither tag is there; several providers are separated by spaces, as hosts are.

    Raises:
        ConfigInvalid: a tag is there and cannot be read, so that nothing is allowed.
    """
    if HOSTS_TAG not in tags and PROVIDER_TAG not in tags:
        return ()
    hosts = tags.get(HOSTS_TAG, "").split()
    users: Sequence[str | None] = tags.get(PROVIDER_TAG, "").split() or (None,)
    for tag in (HOSTS_TAG, PROVIDER_TAG):
        if tag in tags and not tags[tag].strip():
            raise ConfigInvalid(f"the tag {tag} of the secret {name} is empty")
    try:
        return tuple(Bound.of(hosts, user) for user in users)
    except ConfigInvalid as error:
        raise ConfigInvalid(f"the tags of the secret {name} cannot be read: {error}") from error


def not_allowed(reference: str, use: SecretUse) -> str:
    """What is not allowed, and what the secret's owner can run. A secret that is itself an address
    is not shown, nor where it leads."""
    kind, _, name = reference.partition(":")
    if use.is_address and use.destinations:
        where, hosts = "the address in it", "HOST"
    else:
        where = " and ".join(map(str, use.destinations)) or "the hosts of its service"
        hosts = " ".join(map(_in_a_tag, use.destinations))
    tags = [f"Key={HOSTS_TAG},Value={shlex.quote(hosts)}"] if hosts else []
    tags.append(f"Key={PROVIDER_TAG},Value={use.user}")
    if kind == "secretsmanager":
        command = f"aws secretsmanager tag-resource --secret-id {shlex.quote(name)}"
    else:
        path = shlex.quote("/" + name.removeprefix("/"))
        command = f"aws ssm add-tags-to-resource --resource-type Parameter --resource-id {path}"
    return (
        f"the secret {name} is not allowed to go to {where} for {use.user}. Its owner can allow "
        f"that with tags: {command} --tags {' '.join(tags)}"
    )


def _in_a_tag(destination: Destination) -> str:
    # Brackets may not stand in a tag; an address without a port needs none.
    return str(destination).strip("[]") if destination.is_usual_port else str(destination)
