"""`endplate fhir`: the bundle of a run to a FHIR R4 server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from endplate.cli import exit_codes as outcome
from endplate.cli.exit_codes import Output
from endplate.cli.options.run import NO_RUN, RunOptions, option
from endplate.cli.terminal import say

HELP = """The record, measurements and proposals of a run on a FHIR R4 server.

    endplate fhir push http://localhost:8080/fhir results
"""

app = App(name="fhir", help=HELP, help_format="markdown")


@app.command
def push(
    url: Annotated[str, Parameter(help="Base address of the server.")],
    results: Annotated[Path, Parameter(help="Folder of a `plan` or `decide` run, or a bundle.")],
    /,
    *,
    token_file: Annotated[Path | None, option("File with the bearer token; else ENDPLATE_TOKEN.")] = None,
    run: RunOptions = NO_RUN,
) -> int:
    """Send fhir.json as one transaction; sent again, it changes nothing."""
    return outcome.answer(lambda talk: run_push(url, results, token_file, talk), run)


def run_push(url: str, results: Path, token_file: Path | None, talk: Output) -> dict[str, Any]:
    """Send the bundle; returns what `--json` prints.

    Raises
    ------
    InputError : no bundle, no server, or a server that refuses.
    """
    from endplate.pacs.fhir_server import push_bundle, read_bundle
    from endplate.pacs.peer import bearer_token, need_pacs

    need_pacs()
    done = push_bundle(url, read_bundle(results), bearer_token(token_file))
    if talk.for_people:
        say(f"{done.created} resources made, {done.already} were there")
    return {"created": done.created, "already": done.already}
