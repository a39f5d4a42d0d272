"""What may be wrong in a status table, a bound or a header: one change at a time."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

NO_WORD = '"no such word"'
OTHER_STATE = {
    "QUEUED": "RUNNING",
    "RUNNING": "QUEUED",
    "CANCELLING": "RUNNING",
    "SUCCEEDED": "FAILED",
    "FAILED": "SUCCEEDED",
    "CANCELLED": "FAILED",
    "EXPIRED": "CANCELLED",
}
BOUNDS = frozenset({"ge", "gt", "le", "lt", "min_length", "max_length"})
OPEN_TO_CLOSED = {"gt": "ge", "lt": "le"}
COMPARED = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
HEADER = re.compile(
    r"(accept|authorization|cache-control|content-[a-z]+|host|ocp-[a-z-]+|x-[a-z-]+)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Change:
    """This text in the place of that node."""

    node: ast.expr | ast.keyword
    text: str
    what: str


def in_status_tables(tree: ast.Module) -> Iterator[Change]:
    """An entry that is not there, one that means another state, a word that is in no set."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield from _in_table(node)
        elif isinstance(node, ast.Call) and _is_word_set(node):
            for word in ast.walk(node):
                if isinstance(word, ast.Constant) and isinstance(word.value, str):
                    yield Change(word, NO_WORD, f"without {word.value}")


def _in_table(table: ast.Dict) -> Iterator[Change]:
    for key, value in zip(table.keys, table.values, strict=True):
        match value:
            case ast.Attribute(value=ast.Name(id="State"), attr=state) if key is not None:
                word = ast.unparse(key)
                yield Change(key, NO_WORD, f"without {word}")
                yield Change(
                    value, f"State.{OTHER_STATE[state]}", f"{word} is {OTHER_STATE[state]}"
                )


def _is_word_set(value: ast.expr) -> bool:
    """`frozenset({"Starting", "Pending"})`."""
    match value:
        case ast.Call(func=ast.Name(id="frozenset"), args=[ast.Set(elts=elements)]):
            return all(
                isinstance(each, ast.Constant) and isinstance(each.value, str) for each in elements
            )
    return False


def in_bounds(tree: ast.Module) -> Iterator[Change]:
    """Each limit one up and one down (a tenth, of a fraction), open ones closed, and back."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(keywords=keywords):
                for keyword in keywords:
                    if keyword.arg in BOUNDS:
                        yield from _moved(keyword.value, keyword.arg)
                    if keyword.arg in OPEN_TO_CLOSED:
                        closed = OPEN_TO_CLOSED[keyword.arg]
                        text = f"{closed}={ast.unparse(keyword.value)}"
                        yield Change(keyword, text, f"{text} for {keyword.arg}")
            case ast.Compare(ops=[op]) if type(op) in COMPARED:
                left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
                other = COMPARED[type(op)]
                yield Change(node, f"(({left}) {other} ({right}))", f"{left} {other} {right}")
    yield from _in_constants(tree)


def _in_constants(tree: ast.Module) -> Iterator[Change]:
    """Numbers with a name, and tables of numbers."""
    for statement in tree.body:
        match statement:
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                numbers = value.values if isinstance(value, ast.Dict) else [value]
                for number in numbers:
                    if isinstance(number, ast.Constant) and isinstance(number.value, int):
                        yield from _moved(number, "the number")


def _moved(limit: ast.expr, what: str) -> Iterator[Change]:
    written = ast.unparse(limit)
    fraction = isinstance(limit, ast.Constant) and isinstance(limit.value, float)
    for by in ("* 1.1", "* 0.9") if fraction else ("+ 1", "- 1"):
        yield Change(limit, f"({written}) {by}", f"{what} {written} {by}")


def in_headers(tree: ast.Module) -> Iterator[Change]:
    """A header of another name, with another value; a scheme of another name."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(name)) if HEADER.fullmatch(name) or name == "x-amz":
                yield Change(node, '"x-mutant"', f"{name} is not named")
            case ast.Dict():
                yield from _values_of_headers(node)
            case ast.keyword(arg="scheme", value=ast.Constant(value=str(scheme)) as value):
                yield Change(value, '"Mutant"', f"scheme {scheme!r} is another")
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr="headers") | ast.Name(id="headers")),
                args=[ast.Constant(value=str(name)) as read, *_],
            ) if not HEADER.fullmatch(name):
                yield Change(read, '"x-mutant"', f"{name} is not read")


def _values_of_headers(table: ast.Dict) -> Iterator[Change]:
    for key, value in zip(table.keys, table.values, strict=True):
        match key:
            case ast.Constant(value=str(name)) if HEADER.fullmatch(name):
                yield Change(value, '"mutant"', f"{name} says something else")
