"""The kinds of panels that the dashboards consist of, each with one style."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from grafana_foundation_sdk.builders import common, heatmap, logs, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models.dashboard import (
    DashboardFieldConfigSourceOverrides,
    DynamicConfigValue,
    MatcherConfig,
    Panel,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale

from grafana.source.links import Link

PanelBuilder: TypeAlias = Builder[Panel]

_LEVEL_COLORS: Final = {
    "FATAL": "dark-red",
    "ERROR": "red",
    "WARN": "orange",
    "INFO": "green",
    "DEBUG": "blue",
    "TRACE": "light-blue",
    "none": "text",
}
_MOST_POINTS: Final = 200  # so that a week is drawn in hours, which are cheaper to read than minutes
_SHORTEST_STEP: Final = "1m"


@dataclass(frozen=True, slots=True)
class Column:
    """How a column of a table is shown."""

    unit: str = ""
    width: int = 0
    link: Link | None = None
    is_hidden: bool = False


def stats(
    title: str,
    description: str,
    target: Builder[Dataquery],
    *,
    unit: str,
    also: Sequence[Builder[Dataquery]] = (),
    width: int = 4,
    warn_at: float | None = None,
    alarm_at: float | None = None,
    texts: Mapping[int, str] | None = None,
    decimals: int | None = None,
) -> PanelBuilder:
    """The newest value of each column or series, large. `texts` are shown in place of numbers."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .targets([target, *also])
        .unit(unit)
        .span(width)
        .height(4)
        .thresholds(_steps(warn_at, alarm_at))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .color_mode(options.BigValueColorMode.VALUE)
        .graph_mode(options.BigValueGraphMode.NONE)
        .no_value("-")
    )
    if texts:
        panel.mappings([_value_map(texts)])
    if decimals is not None:
        panel.decimals(decimals)
    return panel


def lines(
    title: str,
    description: str,
    targets: Sequence[Builder[Dataquery]],
    *,
    unit: str,
    width: int = 8,
    height: int = 8,
    name: str = "",
    link: Link | None = None,
    right: Mapping[str, str] | None = None,
    shortest_step: str = _SHORTEST_STEP,
) -> PanelBuilder:
    """Values over time. `name` is built from labels; series in `right` have their own unit, on the right axis."""
    panel = _over_time(title, description, targets, unit=unit, width=width, height=height, name=name, link=link)
    panel.line_width(1).fill_opacity(10).interval(shortest_step)
    panel.overrides([_override(series, _on_the_right(unit)) for series, unit in (right or {}).items()])
    return panel


def bars(
    title: str,
    description: str,
    target: Builder[Dataquery],
    *,
    unit: str = "short",
    width: int = 12,
    height: int = 8,
    name: str = "",
    link: Link | None = None,
) -> PanelBuilder:
    """Stacked counts over time; each level has the same colour in all dashboards."""
    panel = _over_time(title, description, [target], unit=unit, width=width, height=height, name=name, link=link)
    panel.draw_style(options.GraphDrawStyle.BARS).line_width(0).fill_opacity(80)
    panel.stacking(common.StackingConfig().mode(options.StackingMode.NORMAL).group("A"))
    panel.legend(_legend(["sum"]))
    return panel.overrides([_level_color(level, color) for level, color in _LEVEL_COLORS.items()])


def rows(
    title: str,
    description: str,
    target: Builder[Dataquery],
    columns: Mapping[str, Column],
    *,
    width: int = 12,
    height: int = 9,
) -> PanelBuilder:
    """A table."""
    panel = table.Panel().title(title).description(description).with_target(target).show_header(True)
    panel.span(width).height(height).no_value("Nothing in this time range.")
    return panel.overrides([_override(name, _column_properties(column)) for name, column in columns.items()])


def log_lines(
    title: str, description: str, target: Builder[Dataquery], *, width: int = 24, height: int = 14
) -> PanelBuilder:
    """Logs, the newest first; a click on one shows all of its fields."""
    return (
        logs.Panel()
        .title(title)
        .description(description)
        .with_target(target)
        .span(width)
        .height(height)
        .show_time(True)
        .show_labels(False)
        .show_common_labels(False)
        .wrap_log_message(True)
        .prettify_log_message(False)
        .enable_log_details(True)
        .dedup_strategy(options.LogsDedupStrategy.NONE)
        .sort_order(options.LogsSortOrder.DESCENDING)
    )


def heat_map(
    title: str, description: str, target: Builder[Dataquery], *, width: int = 12, height: int = 8
) -> PanelBuilder:
    """A heat map of counts over time; each column of the result is a row of the map."""
    return (
        heatmap.Panel()
        .title(title)
        .description(description)
        .with_target(target)
        .span(width)
        .height(height)
        .unit("short")
        .interval(_SHORTEST_STEP)
        .max_data_points(_MOST_POINTS)
        .calculate(False)
        .color(
            heatmap.HeatmapColorOptions()
            .mode(HeatmapColorMode.SCHEME)
            .scheme("Oranges")
            .fill("dark-orange")
            .scale(HeatmapColorScale.EXPONENTIAL)
            .exponent(0.5)
            .steps(64)
        )
        .cell_gap(1)
        .show_legend()
        .show_tooltip()
    )


def _over_time(
    title: str,
    description: str,
    targets: Sequence[Builder[Dataquery]],
    *,
    unit: str,
    width: int,
    height: int,
    name: str,
    link: Link | None,
) -> timeseries.Panel:
    panel = timeseries.Panel().title(title).description(description).targets(list(targets))
    panel.unit(unit).min(0).span(width).height(height)
    panel.interval(_SHORTEST_STEP).max_data_points(_MOST_POINTS).show_points(options.VisibilityMode.NEVER)
    panel.legend(_legend([]))
    panel.tooltip(common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI).sort(options.SortOrder.DESCENDING))
    if name:
        panel.display_name(name)
    if link:
        panel.data_links([link.builder])
    return panel


def _legend(calcs: list[str]) -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(options.LegendDisplayMode.LIST)
        .placement(options.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(calcs)
    )


def _steps(warn_at: float | None, alarm_at: float | None) -> ThresholdsConfig:
    steps = [Threshold(value=None, color="green")]
    steps += [Threshold(value=warn_at, color="orange")] if warn_at is not None else []
    steps += [Threshold(value=alarm_at, color="red")] if alarm_at is not None else []
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _value_map(texts: Mapping[int, str]) -> ValueMapping:
    return ValueMap(
        {str(value): ValueMappingResult(text=text, index=n) for n, (value, text) in enumerate(texts.items())}
    )


def _override(
    field: str, properties: Mapping[str, object], *, matcher: str = "byName"
) -> Builder[DashboardFieldConfigSourceOverrides]:
    return _Override(
        DashboardFieldConfigSourceOverrides(
            matcher=MatcherConfig(id_val=matcher, options=field),
            properties=[DynamicConfigValue(id_val=name, value=value) for name, value in properties.items()],
        )
    )


@dataclass(frozen=True)
class _Override(Builder[DashboardFieldConfigSourceOverrides]):
    override: DashboardFieldConfigSourceOverrides

    def build(self) -> DashboardFieldConfigSourceOverrides:
        return self.override


def _level_color(level: str, color: str) -> Builder[DashboardFieldConfigSourceOverrides]:
    # Grafana may add other text to the name of the series.
    return _override(rf"/\b{level}\b/", {"color": {"mode": "fixed", "fixedColor": color}}, matcher="byRegexp")


def _on_the_right(unit: str) -> dict[str, object]:
    return {"unit": unit, "custom.axisPlacement": "right"}


def _column_properties(column: Column) -> dict[str, object]:
    properties: dict[str, object] = {}
    if column.unit:
        properties["unit"] = column.unit
    if column.width:
        properties["custom.width"] = column.width
    if column.link:
        properties["links"] = [column.link.as_json]
    if column.is_hidden:
        properties["custom.hideFrom"] = {"viz": True, "legend": False, "tooltip": False}
    return properties
