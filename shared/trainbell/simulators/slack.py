"""A receiver of Slack messages on this machine: what the demo and the tests post to.

It checks what Slack checks of an incoming webhook's payload, as far as this project sends it
(docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
docs.slack.dev/reference/block-kit/blocks), keeps the messages, and can be told to fail.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

BODY_BYTES_AT_MOST = 1024 * 1024
PATH = "/services/T00000000/B00000000/thisisasecretoftheworkspace"


@dataclass(frozen=True, slots=True)
class SlackAnswer:
    """What to answer instead of `ok`. `delay_seconds` is spent before answering."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0


class SlackReceiver:
    """Listens on a free loopback port, from `with` or `start` until `close`.

    `url` is the webhook's URL, `messages` what was accepted, in order, `refused` how many were not.
    """

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.refused = 0
        self._script: deque[SlackAnswer] = deque()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"receiver": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="slack-receiver", daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{PATH}"

    def start(self) -> SlackReceiver:
        self._thread.start()
        return self

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> SlackReceiver:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def fail_next(self, *answers: SlackAnswer) -> None:
        """Give these answers, one each, to the next messages; then go on as usual."""
        with self._lock:
            self._script.extend(answers)

    def take(self, path: str, body: bytes) -> SlackAnswer:
        """Judge one post as Slack would."""
        with self._lock:
            answer = self._script.popleft() if self._script else _judge(path, body)
            if answer.status == 200:
                self.messages.append(json.loads(body))
            else:
                self.refused += 1
            return answer


class _Handler(BaseHTTPRequestHandler):
    receiver: SlackReceiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_BYTES_AT_MOST:
            self.close_connection = True
            self._reply(SlackAnswer(413, "payload_too_large"))
            return
        answer = self.receiver.take(self.path, self.rfile.read(length))
        if answer.delay_seconds:
            time.sleep(answer.delay_seconds)
        self._reply(answer)

    def _reply(self, answer: SlackAnswer) -> None:
        content = answer.body.encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content)
        except OSError:
            self.close_connection = True  # The sender did not wait for it.

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the path is a secret, here as well."""


def _judge(path: str, body: bytes) -> SlackAnswer:
    if path != PATH:
        return SlackAnswer(404, "no_service")
    try:
        payload: Any = json.loads(body)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        return SlackAnswer(400, "invalid_payload")
    blocks: Any = payload.get("blocks", [])
    if not payload.get("text") and not blocks:
        return SlackAnswer(400, "no_text")
    if not isinstance(blocks, list) or len(blocks) > 50 or not all(map(_block_is_good, blocks)):
        return SlackAnswer(400, "invalid_blocks")
    return SlackAnswer(200, "ok")


def _block_is_good(block: Any) -> bool:
    if not isinstance(block, dict):
        return False
    match block.get("type"):
        case "header":
            return _text_is_good(block.get("text"), "plain_text", 150)
        case "context":
            return _texts_are_good(block.get("elements"), 3000)
        case "section":
            has_text, has_fields = "text" in block, "fields" in block
            text_is_good = not has_text or _text_is_good(block["text"], "mrkdwn", 3000)
            fields_are_good = not has_fields or _texts_are_good(block["fields"], 2000)
            return (has_text or has_fields) and text_is_good and fields_are_good
        case other:
            return bool(other == "divider")


def _texts_are_good(texts: Any, at_most: int) -> bool:
    if not isinstance(texts, list) or not 1 <= len(texts) <= 10:
        return False
    return all(_text_is_good(text, "mrkdwn", at_most) for text in texts)


def _text_is_good(text: Any, type: str, at_most: int) -> bool:
    if not isinstance(text, dict) or text.get("type") != type:
        return False
    content = text.get("text")
    return isinstance(content, str) and 1 <= len(content) <= at_most
