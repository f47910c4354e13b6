"""What is inflated along planned needle paths, and how: from a plan to balloons in a body."""

from __future__ import annotations

from dataclasses import replace

from endplate.repair.access.access_result import Access
from endplate.repair.kyphoplasty.inflation import InflationSettings
from endplate.repair.kyphoplasty.placement import BalloonSite, site_at
from endplate.repair.rehearsal.design import ParameterSet
from endplate.repair.rehearsal.planned_volumes import balloons_of, each_balloon_ml
from endplate.repair.rehearsal.run_settings import RunSettings
from endplate.repair.site.bone import Bone


def planned_sites(settings: RunSettings, access: Access) -> list[BalloonSite]:
    """A balloon in the channel of each path, front end where the path ends."""
    return [
        replace(
            site_at(balloon, path.end_mm, path.target_mm - path.entry_mm, path.bends_to if balloon.bend_deg else None),
            channel_mm=path.needle.outer_mm / 2,
        )
        for path, balloon in zip(access.paths, balloons_of(settings, access), strict=True)
    ]


def planned_inflation(
    settings: RunSettings, draw: ParameterSet, bone: Bone, count: int, standing_n: float | None = None
) -> InflationSettings:
    """How the balloons of a plan are inflated under one set of the unknowns.

    Parameters
    ----------
    bone : the body, for the volume that is usual in one of its size. count : of balloons.
    standing_n : estimated load of standing, N; looked at only where the course beyond a stop is followed too.
    """
    return InflationSettings(
        planned_ml=each_balloon_ml(settings.balloon_ml, bone, count),
        preload_n=draw.preload_n,
        mobility=draw.mobility,
        spring_n_per_mm=draw.spring_n_per_mm,
        extension_deg=settings.extension_deg if draw.spring_n_per_mm > 0 else 0.0,
        standing_n=standing_n if settings.follow else None,
        follow=settings.follow,
    )
