"""Changes a setting without losing anybody else's change of it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from trainbell.errors import RecordUnreadable, SettingChanged, StoreUnavailable
from trainbell.ports import NOT_STORED, Record
from trainbell.use_cases.ground.services import Services

ANY_REVISION = "*"
"""As the header If-Match has it: whatever is stored, if only something is."""

ATTEMPTS = 16


def change_setting(
    services: Services,
    kind: type[Record],
    name: str,
    decide: Callable[[Record | None], Record | None],
    *,
    if_match: Collection[str] | None = None,
) -> tuple[Record, bool] | None:
    """Read, decide, and write if that is still what is stored; otherwise read again.

    `decide` gets what is stored (None: nothing) and gives what shall be; None leaves it alone. It
    may be called more than once. What cannot be read counts as nothing, and is replaced whatever
    it was: so a person mends it. `if_match`: only where one of these revisions is stored.

    Returns the setting as stored, and whether it is new; None where it was left alone.

    Raises:
        SettingChanged: none of the revisions in `if_match` is stored.
        StoreUnavailable: others kept writing it; nothing was changed.
    """
    for _ in range(ATTEMPTS):
        stored, expected = _read(services, kind, name)
        require_match(kind, name, stored, if_match)
        changed = decide(stored)
        if changed is None:
            return None
        try:
            return services.store.put_config(changed, expected=expected)
        except SettingChanged:
            continue
    raise StoreUnavailable(f"{kind.__name__.lower()} {name} is written by many at once")


def _read(services: Services, kind: type[Record], name: str) -> tuple[Record | None, str | None]:
    """What is stored, and what a write may then expect to find."""
    try:
        stored = services.store.get_config(kind, name)
    except RecordUnreadable:
        return None, None
    return stored, NOT_STORED if stored is None else stored.revision


def remove_setting(
    services: Services, kind: type[Record], name: str, *, if_match: Collection[str] | None = None
) -> bool:
    """Delete it; False where there is none. Raises as `change_setting` does."""
    if if_match is None:
        return services.store.delete_config(kind, name)
    stored = services.store.get_config(kind, name)
    require_match(kind, name, stored, if_match)
    expected = None if stored is None or ANY_REVISION in if_match else stored.revision
    return services.store.delete_config(kind, name, expected=expected)


def require_match(
    kind: type[Record], name: str, stored: Record | None, if_match: Collection[str] | None
) -> None:
    """Raises SettingChanged."""
    if if_match is None:
        return
    if stored is None:
        raise SettingChanged(f"there is no {kind.__name__.lower()} {name} (any more)")
    if ANY_REVISION not in if_match and stored.revision not in if_match:
        raise SettingChanged(f"{kind.__name__.lower()} {name} has changed since it was read")
