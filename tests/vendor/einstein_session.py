"""Drives a simulated Einstein with EinsteinVision 0.9, and prints what it saw as JSON.

Runs in the environment of requirements/vendor-EinsteinVision.txt, where Trainbell is not installed:

    python tests/vendor/einstein_session.py URL ACCOUNT KEY_FILE OTHER_KEY_FILE

The client knows neither retrain nor delete: those two calls are made by hand with its own token.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any
from urllib.request import Request, urlopen

import requests
from EinsteinVision import EinsteinVision  # type: ignore[import-not-found]

PICTURES = "https://einstein.ai/images/mountainvsbeach.zip"
TEXTS = "https://einstein.ai/text/case_routing_intent.csv"


class Session:
    def __init__(self, url: str, account: str, key_file: str) -> None:
        self.url = url
        self.api = f"{url}/v2"
        # The client takes a URL with every call but these two.
        EinsteinVision.API_OAUTH = f"{self.api}/oauth2/token"
        EinsteinVision.API_GET_MODELS = f"{self.api}/vision/datasets/<dataset_id>/models"
        self.client = EinsteinVision.EinsteinVisionService(email=account, pem_file=key_file)
        self.seen: dict[str, Any] = {}

    def control(self, what: str, **wish: Any) -> None:
        body = json.dumps(wish).encode()
        urlopen(Request(f"{self.url}/_simulator/{what}", body, method="POST")).close()

    def note(self, step: str, answer: requests.Response) -> Any:
        told = answer.json() if answer.content else None
        self.seen[step] = {"code": answer.status_code, "told": told}
        return told

    def by_hand(self, method: str, path: str, **fields: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.client.token}", "Cache-Control": "no-cache"}
        files = {name: (None, value) for name, value in fields.items()}
        return requests.request(
            method, f"{self.api}/{path}", headers=headers, files=files or None, timeout=30
        )

    def token(self, step: str) -> None:
        # The client prints the token.
        with contextlib.redirect_stdout(io.StringIO()):
            self.note(step, self.client.get_token())

    def vision(self) -> None:
        client, api = self.client, self.api
        sets, train = f"{api}/vision/datasets", f"{api}/vision/train"
        made = self.note(
            "upload", client.create_dataset_synchronous(PICTURES, url=f"{sets}/upload/sync")
        )
        dataset = str(made["id"])
        self.note("datasets", client.get_datasets_info(url=sets))
        model = self.note("train", client.train_model(dataset, "Beaches", url=train))["modelId"]
        self.note("train again", client.train_model(dataset, "Beaches", url=train))
        for step, seconds in (("queued", 0), ("running", 12), ("succeeded", 20)):
            self.control("clock", advance=seconds)
            self.note(step, client.get_training_status(model, url=train))
        self.note("metrics", client.get_model_info(model, url=f"{api}/vision/models/"))
        models = EinsteinVision.API_GET_MODELS
        self.note("models", client.get_models_info_for_dataset(dataset, url=models))
        self.note("retrain", self.by_hand("POST", "vision/retrain", modelId=model, epochs="5"))
        self.note("retrain again", self.by_hand("POST", "vision/retrain", modelId=model))
        self.control("clock", advance=25)
        self.note("retrained", client.get_training_status(model, url=train))
        self.note("expired", client.get_training_status(model, url=train))

    def after_a_new_token(self) -> None:
        client, train = self.client, f"{self.api}/vision/train"
        model = self.seen["train"]["told"]["modelId"]
        dataset = str(self.seen["upload"]["told"]["id"])
        self.note("usage", client.get_model_info("", url=f"{self.api}/apiusage"))
        self.note("delete", self.by_hand("DELETE", f"vision/models/{model}"))
        self.note("deleted", client.get_training_status(model, url=train))
        self.note("retrain deleted", self.by_hand("POST", "vision/retrain", modelId=model))
        self.note("no such dataset", client.train_model("999", "x", url=train))
        self.note("long name", client.train_model(dataset, "x" * 181, url=train))
        self.note("delete dataset", self.by_hand("DELETE", f"vision/datasets/{dataset}"))
        self.note("pending", client.train_model(dataset, "x", url=train))
        self.control("settings", plans=[{"failure": "too few examples", "fails_at": 0.5}])

    def language(self) -> None:
        client, api = self.client, self.api
        train = f"{api}/language/train"
        made = self.note(
            "upload texts",
            client.create_language_dataset_from_url(TEXTS, url=f"{api}/language/datasets/upload"),
        )
        dataset = str(made["id"])
        started = client.train_language_model_from_dataset(dataset, "Routing", url=train)
        model = self.note("train texts", started)["modelId"]
        self.control("clock", advance=13)
        self.note("failed", client.get_language_model_status(model, url=train))


def main(url: str, account: str, key_file: str, other_key_file: str) -> None:
    stranger = Session(url, account, other_key_file)
    stranger.token("wrong key")
    session = Session(url, account, key_file)
    session.token("token")
    session.vision()
    session.token("new token")
    session.after_a_new_token()
    session.language()
    sys.stdout.write(json.dumps({**stranger.seen, **session.seen}))


if __name__ == "__main__":
    main(*sys.argv[1:])
