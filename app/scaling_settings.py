"""The settings of scaling: what an instance can do, for `log_ingest_wanted_instances`."""

from pydantic import Field

from app.scaling.demand import Target
from app.settings_group import SettingsGroup


class ScalingSettings(SettingsGroup):
    """From what the instances that the load needs are computed. Environment: SCALING_*."""

    capacity_per_sec: float = Field(
        Target().capacity_per_sec,
        ge=1,
        description="Records per second that one instance can store; four fifths of it count. An instance that has a"
        " backlog measures it: `log_ingest_measured_capacity_per_second`, and [scaling.md](scaling.md#capacity).",
    )
    catch_up_secs: float = Field(
        Target().catch_up_secs,
        ge=30,
        le=86_400,
        description="Time in which a backlog is to be stored, beside what arrives: less wants more instances.",
    )

    @property
    def target(self) -> Target:
        """The same, for the formula."""
        return Target(self.capacity_per_sec, self.catch_up_secs)
