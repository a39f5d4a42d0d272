"""The simulated service's dataset calls, as Microsoft's own client makes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trainbell.simulators.azure_vision import checks
from trainbell.simulators.azure_vision.account import Account
from trainbell.simulators.azure_vision.bodies import json_object
from trainbell.simulators.azure_vision.errors import malformed, refused
from trainbell.simulators.service import Answer, Request


class DatasetCalls:
    """`path["name"]` is the dataset's name."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def add(self, request: Request, path: re.Match[str]) -> Answer:
        name = path["name"]
        if name in self._account.datasets:
            message = f"A dataset with the name {name} already exists."
            return refused(409, "DatasetAlreadyExists", message, "name")
        return self._put(request, name, {}, 201)

    def change(self, request: Request, path: re.Match[str]) -> Answer:
        """What is not given stays as it is."""
        known = self._account.datasets.get(path["name"])
        return _none(path) if known is None else self._put(request, path["name"], known, 200)

    def get(self, _: Request, path: re.Match[str]) -> Answer:
        dataset = self._account.datasets.get(path["name"])
        return _none(path) if dataset is None else Answer.json(dataset)

    def delete(self, _: Request, path: re.Match[str]) -> Answer:
        gone = self._account.datasets.pop(path["name"], None)
        return _none(path) if gone is None else Answer(204)

    def _put(self, request: Request, name: str, known: Mapping[str, Any], status: int) -> Answer:
        body = json_object(request)
        if isinstance(body, Answer):
            return body
        given, flaws = checks.dataset({**known, **body})
        if flaws := checks.named(name) + flaws:
            return malformed(flaws)
        if (uri := checks.bad_annotation_uri(given)) is not None:
            message = f"{uri} is not the URI of an annotation file."
            return refused(400, "DatasetInvalidAnnotationUri", message, "annotationFileUris")
        return Answer.json(self._account.put_dataset(name, given), status)


def _none(path: re.Match[str]) -> Answer:
    return refused(404, "DatasetNotFound", f"There is no dataset {path['name']}.", "name")
