"""What may be wrong in a regular expression: an anchor, a class, a count, a dot that is not one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.mutation.operators import Change

STRANGERS = "~ \n"
_FUNCTIONS = frozenset({"compile", "fullmatch", "match", "search", "sub"})
_TOKEN = re.compile(
    r"(?P<class>\[\^?(?:\\.|[^\]\\])+\])"
    r"|(?P<dot>\\\.)"
    r"|(?P<escaped>\\.)"
    r"|(?P<range>\{\d*(?:,\d*)?\})"
    r"|(?P<group>\(\?[:P](?:<\w+>)?)"
    r"|(?P<more>[+*?])"
    r"|(?P<other>.)",
    re.DOTALL,
)
_ELEMENT = re.compile(r"\\p\{\w+\}|(?:\\.|[^\\])-(?:\\.|[^\\\]])|\\.|.", re.DOTALL)


def in_patterns(tree: ast.Module) -> Iterator[Change]:
    for node in ast.walk(tree):
        for pattern in _patterns_at(node):
            assert isinstance(pattern.value, str)
            for mutated in dict.fromkeys(changed(pattern.value)):
                if _compiles(mutated):
                    yield Change(pattern, repr(mutated), f"{pattern.value} is {mutated}")


def changed(pattern: str) -> Iterator[str]:
    """Each pattern that differs in one place."""
    if pattern.startswith("^"):
        yield pattern[1:]
    if pattern.endswith("$"):
        yield pattern[:-1]
    for token in _TOKEN.finditer(pattern):
        before, after = pattern[: token.start()], pattern[token.end() :]
        for other in _others(token):
            yield before + other + after


def _others(token: re.Match[str]) -> Iterator[str]:
    text = token[0]
    match token.lastgroup:
        case "class":
            yield from _classes(text)
        case "dot":
            yield "."
        case "range":
            yield from _ranges(text)
        case "more":
            yield {"+": "*", "*": "+", "?": ""}[text]


def _classes(text: str) -> Iterator[str]:
    """Each element is left out once; one that does not belong there is taken in."""
    start = "[^" if text.startswith("[^") else "["
    elements = _ELEMENT.findall(text[len(start) : -1])
    if len(elements) > 1:
        for at in range(len(elements)):
            yield start + "".join(elements[:at] + elements[at + 1 :]) + "]"
    strangers = [each for each in STRANGERS if not re.fullmatch(_known_to_re(text), each)]
    if strangers and start == "[":
        yield f"[{strangers[0]}{text[1:]}"


def _ranges(text: str) -> Iterator[str]:
    """`{0,61}`: each number one up and one down."""
    for number in re.finditer(r"\d+", text):
        for value in (int(number[0]) - 1, int(number[0]) + 1):
            if value >= 0:
                yield text[: number.start()] + str(value) + text[number.end() :]


def _patterns_at(node: ast.AST) -> Iterator[ast.Constant]:
    match node:
        case ast.keyword(arg="pattern", value=ast.Constant(value=str()) as pattern):
            yield pattern
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="re"), attr=attr),
            args=[ast.Constant(value=str()) as pattern, *_],
        ) if attr in _FUNCTIONS:
            yield pattern
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str()) as pattern):
            if name.endswith(("PATTERN", "VERSION")):
                yield pattern


def _compiles(pattern: str) -> bool:
    try:
        re.compile(_known_to_re(pattern))
    except re.error:
        return False
    return True


def _known_to_re(pattern: str) -> str:
    """`\\p{L}` is pydantic's, and none of `re`'s."""
    return re.sub(r"\\p\{\w+\}", r"\\w", pattern)
