"""The OpenAPI 3.1 document, made from the same table that the apps route by."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from trainbell.api.endpoints import Endpoint, Resource
from trainbell.api.problems import EVERY_CALL, PROBLEM_TYPE
from trainbell.version import __version__
from trainbell.views.view import View

_REF = "#/components/schemas/{model}"
_Mode = Literal["validation", "serialization"]


class FieldProblem(View):
    """One thing that is wrong with the input: where, and what to do about it."""

    path: str
    message: str


class ProblemDocument(View):
    """RFC 9457. `errors` holds all problems of an input at once."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None
    request_id: str | None = None
    hold: str | None = None
    holder: str | None = None
    provider: str | None = None
    service_status: int | None = None
    vendor_code: str | None = None
    vendor_request_id: str | None = None
    vendor_details: Any = None


@lru_cache(maxsize=4)
def openapi_document(resources: tuple[Resource, ...], engine: str) -> dict[str, Any]:
    """The document for one engine: they differ in how a caller proves who it is."""
    endpoints = [endpoint for resource in resources for endpoint in resource.endpoints]
    refs, schemas = _schemas_of(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for resource in resources:
        for endpoint in resource.endpoints:
            operation = _operation(endpoint, resource.name, refs)
            paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    scheme, definition = _security(engine)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trainbell",
            "version": __version__,
            "summary": "Starts model training on any training service and watches it to its end.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": resource.name} for resource in resources],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {scheme: definition}},
        "security": [{scheme: []}],
    }


_Key = tuple[type, _Mode]


def _schemas_of(endpoints: Iterable[Endpoint]) -> tuple[dict[_Key, Any], dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], _Mode], None] = {(ProblemDocument, "serialization"): None}
    for endpoint in endpoints:
        if endpoint.body is not None:
            wanted[endpoint.body, "validation"] = None
        for model in endpoint.returns.values():
            if model is not None and issubclass(model, BaseModel):
                wanted[model, "serialization"] = None
    refs, definitions = models_json_schema(list(wanted), ref_template=_REF)
    return dict(refs), definitions["$defs"]


def _operation(endpoint: Endpoint, tag: str, refs: dict[_Key, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.operation_id,
        "summary": endpoint.summary,
        "tags": [tag],
        "parameters": [*_path_parameters(endpoint), *_query(endpoint), *_headers(endpoint)],
        "responses": _responses(endpoint, refs),
    }
    if endpoint.body is not None:
        schema = refs[endpoint.body, "validation"]
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return operation


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]


def _query(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return []
    schema = endpoint.query.model_json_schema(ref_template=_REF)
    # An enum of a list's items is written in place: parameters have no definitions of their own.
    definitions = schema.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _inlined(field, definitions),
        }
        for name, field in schema["properties"].items()
    ]


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return definitions[schema["$ref"].rpartition("/")[2]]
    return {key: _inlined(value, definitions) for key, value in schema.items()}


def _headers(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": text,
            "schema": {"type": "string"},
        }
        for name, text in endpoint.headers.items()
    ]


def _responses(endpoint: Endpoint, refs: dict[_Key, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, model in endpoint.returns.items():
        responses[str(status)] = {"description": HTTPStatus(status).phrase}
        if model is not None:
            is_model = issubclass(model, BaseModel)
            schema = refs[model, "serialization"] if is_model else {"type": "object"}
            responses[str(status)]["content"] = {"application/json": {"schema": schema}}
    problem = {PROBLEM_TYPE: {"schema": refs[ProblemDocument, "serialization"]}}
    # Characters that no name has are told before the call's own reading of it.
    unnamed = (404,) if "{" in endpoint.path else ()
    for status in sorted({*EVERY_CALL, *unnamed, *endpoint.refuses}):
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    return responses


def _security(engine: str) -> tuple[str, dict[str, Any]]:
    if engine == "embedded":
        text = "The owner's token, in the file owner-token of the data directory."
        return "owner", {"type": "http", "scheme": "bearer", "description": text}
    text = "An IAM identity: AWS Signature Version 4, service execute-api."
    return "iam", {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": text,
        "x-amazon-apigateway-authtype": "awsSigv4",
    }
