"""The options of `endplate serve`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from endplate.cli.options.run import option

if TYPE_CHECKING:
    from endplate.web.server import ServeOptions

SERVE = Group("Workbench", sort_key=2)


@Parameter(name="*", group=SERVE)
@dataclass(frozen=True, slots=True, kw_only=True)
class ServeChoices:
    """Where the workbench listens, where it keeps cases, and who does its work."""

    port: Annotated[int, Parameter(help="Port to listen on; 0 takes a free one.")] = 8420
    no_browser: Annotated[bool, option("Print the address and open no browser.")] = False
    data: Annotated[Path | None, option("Folder of scans and results; default ~/.local/share/endplate.")] = None
    database: Annotated[
        str | None, option("SQLite file or postgresql:// URL; default endplate.db in the folder of scans and results.")
    ] = None
    scheduler: Annotated[str | None, option("Dask scheduler that does the work, such as tcp://host:8786.")] = None
    at_once: Annotated[int, Parameter(help="Jobs at a time on this computer.")] = 2
    host: Annotated[
        str, Parameter(help="Address to listen on; other than this computer's own, users sign in with a password.")
    ] = "127.0.0.1"
    name: Annotated[
        tuple[str, ...],
        option("Further name by which a browser asks for it, such as that of a proxy."),
    ] = ()
    tls: Annotated[bool, option("A proxy before it speaks TLS: the cookie is sent over TLS alone.")] = False
    add_user: Annotated[str | None, option("Add this user, or give it a new role and password, and end.")] = None
    role: Annotated[Literal["reader", "editor", "admin"], Parameter(help="Role of the user that is added.")] = "editor"

    def options(self, results: Sequence[Path]) -> ServeOptions:
        """As the server takes them."""
        from endplate.web.server import ServeOptions, default_data

        return ServeOptions(
            data=self.data or default_data(), database=self.database, host=self.host, port=self.port, names=self.name,
            scheduler=self.scheduler, at_once=max(self.at_once, 1), results=results, tls=self.tls,
        )  # fmt: skip


NO_SERVE = ServeChoices()
