"""Builds a dashboard from its panels: their numbers and positions, and the properties common to all dashboards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from grafana.source.panels import PanelBuilder

_WIDTH: Final = 24
_SCHEMA_VERSION: Final = 42  # of Grafana 13
_TAG: Final = "logs"


@dataclass(frozen=True, slots=True)
class Section:
    """Panels under a heading, from left to right and row by row."""

    title: str
    panels: Sequence[PanelBuilder]


def lay_out(
    uid: str,
    title: str,
    description: str,
    *,
    variables: Sequence[Builder[model.VariableModel]],
    sections: Sequence[Section],
    start: str = "now-1h",
    refresh: str = "30s",
) -> model.Dashboard:
    """The dashboard as it is written to its file."""
    built = (
        Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([_TAG])
        .timezone("browser")
        .editable()
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .time(start, "now")
        .refresh(refresh)
        .variables(list(variables))
        .link(_to_the_others())
        .build()
    )
    built.schema_version = _SCHEMA_VERSION
    built.panels = _positioned(sections)
    return built


def _to_the_others() -> DashboardLink:
    return (
        DashboardLink("Dashboards")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([_TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )


def _positioned(sections: Sequence[Section]) -> list[model.Panel | model.RowPanel]:
    positioned: list[model.Panel | model.RowPanel] = []
    top = 0
    for section in sections:
        heading = model.GridPos(x=0, y=top, w=_WIDTH, h=1)
        positioned.append(model.RowPanel(title=section.title, id_val=len(positioned) + 1, grid_pos=heading, panels=[]))
        top += 1
        left = lowest = 0
        for panel in (builder.build() for builder in section.panels):
            assert panel.grid_pos is not None  # every kind of panel has a size
            if left + panel.grid_pos.w > _WIDTH:
                left, top, lowest = 0, top + lowest, 0
            panel.id_val = len(positioned) + 1
            panel.grid_pos.x, panel.grid_pos.y = left, top
            left, lowest = left + panel.grid_pos.w, max(lowest, panel.grid_pos.h)
            positioned.append(panel)
        top += lowest
    return positioned
