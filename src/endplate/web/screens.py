"""The screens that there are: their routers, and the entries of the navigation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from endplate.store.cases import CaseRow
from endplate.store.users import Role


def measured(case: CaseRow) -> bool:
    """Whether a case has results."""
    return case.folder is not None


def always(case: CaseRow) -> bool:
    """Whatever the case holds."""
    return True


@dataclass(frozen=True, slots=True)
class CaseScreen:
    """An entry in the navigation of a case.

    Attributes
    ----------
    order : place from the left. title : the word. path : with {case_id}. shown : whether a case has it.
    """

    order: int
    title: str
    path: str
    shown: Callable[[CaseRow], bool] = measured


@dataclass(frozen=True, slots=True)
class MainScreen:
    """An entry in the navigation of the workbench, for users of a role and above."""

    title: str
    path: str
    role: Role = "reader"


CASE_SCREENS: list[CaseScreen] = [
    CaseScreen(10, "Case", "/cases/{case_id}/view"),
    CaseScreen(20, "Rehearsal", "/cases/{case_id}/rehearsal"),
    CaseScreen(30, "Candidacy", "/cases/{case_id}/candidacy", always),
    CaseScreen(40, "Follow-up", "/cases/{case_id}/follow-up", always),
    CaseScreen(50, "Report", "/cases/{case_id}/report"),
    CaseScreen(60, "Files and jobs", "/cases/{case_id}/files", always),
]

MAIN_SCREENS: list[MainScreen] = [
    MainScreen("Worklist", "/"),
    MainScreen("Follow-up", "/service"),
    MainScreen("Jobs", "/jobs"),
    MainScreen("Settings", "/settings", "admin"),
]

ROUTERS: list[str] = [
    "endplate.web.enter",
    "endplate.web.worklist",
    "endplate.web.upload",
    "endplate.web.case_files",
    "endplate.web.candidacy",
    "endplate.web.follow_up",
    "endplate.web.service_page",
    "endplate.web.job_pages",
    "endplate.web.report_page",
    "endplate.web.settings_page",
    "endplate.web.case_view",
    "endplate.web.needle",
    "endplate.web.rehearsal_kept",
    "endplate.web.rehearsal_live",
    "endplate.web.rehearsal",
]
"""Modules with a `router`, included in this order."""


def routers() -> list[Any]:
    """The routers of all screens."""
    return [import_module(name).router for name in ROUTERS]
