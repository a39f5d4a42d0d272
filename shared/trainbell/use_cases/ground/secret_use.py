"""Whether settings may be saved with the secret that they name: its owner says where it may go.

The seam for roles: whoever changes where a setting leads, or with which secret, needs the right
over both. What a secret is allowed is asked again whenever it is used (`extensions.bound_secret`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trainbell.domain.secret_bounds import SecretUse
from trainbell.errors import ConfigInvalid, Problem
from trainbell.use_cases.ground.services import Services


def problems_of_use(
    services: Services, reference: str | None, use: Callable[[], SecretUse]
) -> Sequence[Problem]:
    """None, or why the secret may not go there. `use` may raise ConfigInvalid, for a URL among the
    options that is none.

    Raises:
        ProviderUnavailable: what its owner allows cannot be had now.
    """
    if reference is None:
        return ()
    try:
        refused = services.secrets.refusal(reference, use())
    except ConfigInvalid as error:
        refused = str(error)
    return () if refused is None else (Problem("secret", refused),)
