"""A setting of an export: stored where there is none, compared where there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from trainbell.domain.settings import ChannelConfig, Connection, Retention, Schedule
from trainbell.errors import Problem, RecordUnreadable
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.schedules.configure_schedules import problems_of_schedule
from trainbell.use_cases.settings.configure_channels import problems_of_channel
from trainbell.use_cases.settings.configure_connections import problems_of_connection
from trainbell.use_cases.settings.configure_retention import problems_of_retention

_ITS_OWN_COURSE = frozenset(
    {"revision", "next_due_at", "last_due_at", "last_job_id", "last_error", "moved_at"}
)
"""What a setting learns while it is in use. It differs soon, and nobody has set it."""

_WHEN = frozenset({"created_at", "updated_at"})

_CHECKS: Mapping[type[Any], Callable[[Services, Any], Sequence[Problem]]] = {
    Connection: problems_of_connection,
    ChannelConfig: problems_of_channel,
    Schedule: problems_of_schedule,
    Retention: problems_of_retention,
}
"""What is checked when a person sets it is checked when it is imported: an export must not lead a
secret of this installation to anywhere."""


class SettingImport:
    """`is_copy`: its schedules run elsewhere still, so here they are kept disabled."""

    def __init__(self, services: Services, is_copy: bool, on_difference: str) -> None:
        self._services = services
        self._is_copy = is_copy
        self._on_difference = on_difference

    def problems(self, setting: Any) -> Sequence[Problem]:
        setting = self._as_stored_here(setting)
        here = self._here(setting)
        if here is not None and (self._on_difference == "keep" or _is_same(here, setting)):
            return []
        found = []
        if here is not None and self._on_difference == "refuse":
            what = f"{type(setting).__name__.lower()} {setting.name}"
            ways = "import with --keep to keep it as it is, or with --replace"
            found.append(Problem("body", f"{what} is here already, and differs: {ways}"))
        check = _CHECKS.get(type(setting))
        return [*found, *(check(self._services, setting) if check else ())]

    def store(self, setting: Any, *, check_only: bool) -> bool:
        """Whether it is new, or another one than before."""
        setting = self._as_stored_here(setting)
        here = self._here(setting)
        if here is not None and (self._on_difference == "keep" or _is_same(here, setting)):
            return False
        if not check_only:
            self._services.store.put_config(setting)
            if isinstance(setting, Schedule) and setting.enabled:
                self._services.scheduler.put(setting)
        return True

    def _as_stored_here(self, setting: Any) -> Any:
        if self._is_copy and isinstance(setting, Schedule):
            return replace(setting, enabled=False)
        return setting

    def _here(self, setting: Any) -> Any:
        try:
            return self._services.store.get_config(type(setting), setting.name)
        except RecordUnreadable:
            return None  # An import mends it, as a person's change would.


def _is_same(here: Any, setting: Any) -> bool:
    compared = [each.name for each in fields(here) if each.name not in _ITS_OWN_COURSE | _WHEN]
    return all(getattr(here, name) == getattr(setting, name) for name in compared)
