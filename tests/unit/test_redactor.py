"""A secret that is known by its value, in every form in which a service may give it back."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest

from trainbell.providers.redaction import Redactor
from trainbell.redaction import MASK

SECRET = "canary+9/bird=é%20 end"
RAW = SECRET.encode()


def percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


FORMS = {
    "plain": SECRET,
    "quoted": quote(SECRET, safe=""),
    "quoted in small letters": quote(SECRET, safe="").lower(),
    "quoted as a path": quote(SECRET),
    "quoted as a form": quote_plus(SECRET),
    "every character quoted": percent(SECRET),
    "json": json.dumps(SECRET),
    "json in utf-8": json.dumps(SECRET, ensure_ascii=False),
    "base64": base64.b64encode(RAW).decode(),
    "base64url": base64.urlsafe_b64encode(RAW).decode(),
    "base64 without padding": base64.b64encode(RAW).decode().rstrip("="),
    "base64 behind a name": base64.b64encode(b"ada:" + RAW).decode(),
    "base64 behind another": base64.b64encode(b"bob42:" + RAW + b":x").decode(),
    "base64 of a header": base64.b64encode(b"Authorization: Key " + RAW + b"\r\n").decode(),
    "base64 quoted": quote(base64.b64encode(RAW).decode(), safe=""),
}


def readable(text: str) -> set[bytes]:
    """All that one may read of a text: itself, without quoting or escapes, and out of base64."""
    texts = {text, unquote(text), unquote_plus(text), text.encode().decode("unicode_escape")}
    found = {each.encode() for each in texts}
    for each in texts:
        for start in range(len(each)):
            piece = each[start:].replace("-", "+").replace("_", "/").split(" ")[0].rstrip("=")
            try:
                found.add(base64.b64decode(piece + "=" * (-len(piece) % 4), validate=True))
            except ValueError:
                continue
    return found


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_no_form_of_a_secret_stays(form: str) -> None:
    text = f"the service says {form} and more"
    assert any(RAW in each for each in readable(text)), "nobody could read it anyway"
    shown = Redactor([SECRET]).text(text)
    assert not any(RAW in each for each in readable(shown))
    assert shown.startswith("the service says ")
    assert shown.endswith(" and more")
    assert MASK in shown


def test_what_is_quoted_around_a_secret_stays_as_it_was() -> None:
    text = f"a%20b?key={quote(SECRET, safe='')}&c=%c3%a9%ff"
    assert Redactor([SECRET]).text(text) == f"a%20b?key={MASK}&c=%c3%a9%ff"


@pytest.mark.parametrize("end", ["", "…", "..."])
@pytest.mark.parametrize("form", ["plain", "quoted", "base64"])
def test_a_secret_that_was_cut_at_the_end_of_a_text(form: str, end: str) -> None:
    cut = FORMS[form][:-4]
    shown = Redactor([SECRET]).text(f"it says {cut}{end}")
    assert shown == f"it says {MASK}"


def test_a_text_that_only_begins_alike_stays() -> None:
    text = "canary+9 is a bird"
    assert Redactor([SECRET]).text(text) == text


def test_short_secrets_have_no_form_that_is_in_every_text() -> None:
    """`ab` is `YW` in base64, of which no text is free."""
    assert Redactor(["ab"]).text("YWxs is well") == "YWxs is well"
    assert Redactor(["ab"], at_least=8).text("tab") == "tab"


def test_the_parts_of_a_secret_in_json() -> None:
    secret = json.dumps({"access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7"})
    shown = Redactor([secret]).text("signed with wJalrXUtnFEMI/K7 or wJalrXUtnFEMI%2FK7")
    assert shown == f"signed with {MASK} or {MASK}"


def test_a_key_that_is_wrapped_otherwise() -> None:
    lines = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw", "ggSjAgEAAoIBAQC7VJTUt9Us8cKj"]
    pem = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----"])
    assert Redactor([pem]).text(f"key {lines[0]}{lines[1]}") == f"key {MASK}{MASK}"
    assert Redactor([pem]).text(f"key {json.dumps(pem)[1:-1]}") == f"key {MASK}"


class Word(StrEnum):
    CANARY = "canary"


@dataclass(frozen=True)
class Inner:
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Said:
    text: str = ""
    word: Word = Word.CANARY
    number: float = 1.5
    by_name: dict[str, Any] = field(default_factory=dict)
    inner: Inner = field(default_factory=Inner)


def test_every_text_of_what_was_said_is_redacted_and_nothing_else() -> None:
    said = Said("a canary", by_name={"canary": ["x canary", {"y": 1}]}, inner=Inner(("canary",)))
    assert Redactor(["canary"]).value(said) == Said(
        f"a {MASK}", by_name={MASK: [f"x {MASK}", {"y": 1}]}, inner=Inner((MASK,))
    )


def test_what_holds_no_secret_is_the_same_object() -> None:
    said = Said("text", by_name={"a": [1, "b"]}, inner=Inner(("c",)))
    assert Redactor(["canary"]).value(said) is said


def test_a_value_without_a_bottom() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "…" in repr(Redactor(["canary"]).value(endless))


def test_an_error_with_all_that_led_to_it() -> None:
    cause = KeyError("canary")
    error = ValueError("no canary", 1)
    error.__cause__ = cause
    Redactor(["canary"]).error(error)
    assert error.args == (f"no {MASK}", 1)
    assert cause.args == (MASK,)
