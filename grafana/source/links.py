"""Links from one dashboard to another, which keep the variables and the time range."""

from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

LOG_OVERVIEW: Final = "log-overview"
PERFORMANCE: Final = "performance"
USERS: Final = "users"
INGESTION: Final = "ingestion"
INCIDENT: Final = "incident"
"""The uids of the dashboards. They are part of addresses and so never change."""

SAME_TIME: Final = "${__url_time_range}"


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a value: the uid of its target, and its URL parameters, with Grafana's placeholders."""

    title: str
    uid: str
    parameters: tuple[str, ...]

    @property
    def url(self) -> str:
        """The address, relative to Grafana's."""
        return f"/d/{self.uid}?{'&'.join(self.parameters)}"

    @property
    def as_json(self) -> dict[str, object]:
        """The link as a property of a column."""
        return {"title": self.title, "url": self.url}

    @property
    def builder(self) -> DashboardLink:
        """The link of a whole panel, as an object of the SDK."""
        return DashboardLink(self.title).type(DashboardLinkType.LINK).url(self.url)


def cell(variable: str, column: str) -> str:
    """A parameter: the variable takes the value of a column of the same row."""
    return f"var-{variable}=${{__data.fields.{column}:percentencode}}"


def label(variable: str, name: str) -> str:
    """A parameter: the variable takes the value of a label of the series."""
    return f"var-{variable}=${{__field.labels.{name}:percentencode}}"


def same(variable: str) -> str:
    """A parameter: the variable stays as it is."""
    return f"${{{variable}:queryparam}}"


INCIDENT_OF_ROW: Final = Link("What happened in this service", INCIDENT, (cell("service", "service"), SAME_TIME))
INCIDENT_OF_SERIES: Final = Link("What happened in this service", INCIDENT, (label("service", "service"), SAME_TIME))
TRACE_OF_ROW: Final = Link("All logs of this trace", LOG_OVERVIEW, (cell("trace", "trace"), SAME_TIME))
USER_OF_ROW: Final = Link("Activity of this user", USERS, (cell("user", "user"), SAME_TIME))
