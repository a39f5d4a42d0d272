"""Calls on providers: what each needs and can do."""

from __future__ import annotations

from trainbell.api.calls import Call, Reply, reply
from trainbell.api.endpoints import Resource
from trainbell.api.setting_views import ProviderList, ProviderView, provider_view
from trainbell.use_cases.find_providers import all_providers

providers = Resource("providers")


@providers.call("GET", "/v1/providers", returns={200: ProviderList})
def list_providers(call: Call) -> Reply:
    """Every provider of this installation, with its parameters as JSON Schema."""
    items = [provider_view(spec) for spec in all_providers(call.services)]
    return reply(ProviderList(items=items, next_cursor=None))


@providers.call("GET", "/v1/providers/{name}", returns={200: ProviderView}, refuses=(404,))
def get_provider(call: Call) -> Reply:
    """One provider."""
    return reply(provider_view(call.services.providers.spec(call.path["name"])))
