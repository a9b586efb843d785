"""Ways from one dashboard to the next, with what was chosen and the time range."""

from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

LOG_OVERVIEW: Final = "log-overview"
PERFORMANCE: Final = "performance"
USERS: Final = "users"
INGESTION: Final = "ingestion"
INCIDENT: Final = "incident"
"""The dashboards by their uids, which addresses hold and so never change."""

SAME_TIME: Final = "${__url_time_range}"


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a value: where it leads, and the parameters that go with it, as Grafana fills them in."""

    title: str
    uid: str
    parameters: tuple[str, ...]

    @property
    def url(self) -> str:
        """The address, without Grafana's own."""
        return f"/d/{self.uid}?{'&'.join(self.parameters)}"

    @property
    def as_json(self) -> dict[str, object]:
        """As it stands among the properties of a column."""
        return {"title": self.title, "url": self.url}

    @property
    def builder(self) -> DashboardLink:
        """As the SDK wants it for a whole panel."""
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
USER_OF_ROW: Final = Link("What this user did", USERS, (cell("user", "user"), SAME_TIME))
