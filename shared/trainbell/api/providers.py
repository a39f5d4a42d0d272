"""Calls on providers: what each needs and can do."""

from __future__ import annotations

from trainbell.api.calls import ApiCall, ApiReply, reply
from trainbell.api.endpoints import Resource
from trainbell.use_cases.ground.find_providers import all_providers
from trainbell.views.settings import ProviderList, ProviderView, provider_view

providers = Resource("providers")


@providers.call("GET", "/v1/providers", returns={200: ProviderList})
def list_providers(call: ApiCall) -> ApiReply:
    """Every provider of this installation, with its parameters as JSON Schema."""
    items = [provider_view(spec) for spec in all_providers(call.services)]
    return reply(ProviderList(items=items, next_cursor=None))


@providers.call("GET", "/v1/providers/{name}", returns={200: ProviderView}, refuses=(404,))
def get_provider(call: ApiCall) -> ApiReply:
    """One provider."""
    return reply(provider_view(call.services.providers.spec(call.path["name"])))
