"""`trainbell retention | forget-person`: what is not to be kept."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.options import JsonOption, UrlOption
from trainbell.cli.output import console, errors, print_json
from trainbell.cli.settings import say_saved, settings_app

retention = settings_app(
    "retention", ("name", "days"), "For how long a project's ended jobs are kept."
)


@retention.command("put")
def put_retention(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="The project.")],
    days: Annotated[int, typer.Option(min=1, help="Days after its end.")],
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have a project's ended jobs forgotten so many days after their end."""
    with find_trainbell(url) as client:
        say_saved(client.put("retention", project, {"days": days}), as_json)


def forget_person(
    subject: Annotated[str, typer.Argument(help="The id of a caller, as `by` in events shows it.")],
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a pseudonym where a caller's id stands, in all jobs and events."""
    body: dict[str, Any] = {"subject": subject}
    changed, unreadable = 0, []
    with find_trainbell(url) as client:
        while True:
            page = client.call("POST", "/v1/forget-person", json=body)
            changed += int(page["changed"])
            unreadable += page["unreadable"]
            body |= {"pseudonym": page["pseudonym"], "project": page["next_project"]}
            body["cursor"] = page["next_cursor"]
            if page["next_project"] is None:
                break
    if as_json:
        print_json({"changed": changed, "pseudonym": page["pseudonym"], "unreadable": unreadable})
    else:
        console.print(f"{changed} jobs say {page['pseudonym']} now", markup=False)
    for job_id in unreadable:
        errors.print(f"job {job_id} cannot be read and is unchanged", style="red", markup=False)
