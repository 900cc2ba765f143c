"""What a run is asked to compute: one metric by one resolution, at some grains and dimensions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.models import Metric, Resolution
from measurement.closures import closure_of, metric_spec
from semantics.definition import AnySpec, Grain
from semantics.lineage import resolution_hash


@dataclass(frozen=True)
class TargetPlan:
    """`specs` and `definition_hashes` are those of the key's whole closure. Without `grains` and
    `dimensions` those of the metric's spec are computed. `metric` is None for a mere proposal."""

    metric: Metric | None
    key: str
    specs: Mapping[str, AnySpec]
    definition_hashes: Mapping[str, str]
    label: str = ""
    grains: Sequence[Grain] | None = None
    dimensions: Sequence[str] | None = None

    @property
    def resolution_hash(self) -> str:
        return resolution_hash(self.key, self.definition_hashes)

    @property
    def wanted_grains(self) -> list[str]:
        grains = metric_spec(self.key, self.specs).grains if self.grains is None else self.grains
        return [str(grain) for grain in Grain if grain in grains]

    @property
    def wanted_dimensions(self) -> list[str]:
        if self.dimensions is None:
            return list(metric_spec(self.key, self.specs).dimensions)
        return list(self.dimensions)


def target_of_resolution(resolution: Resolution) -> TargetPlan:
    """What has to be computed before a resolution can be served."""
    hashes = {pin["key"]: pin["definition"] for pin in resolution.pins}
    key = resolution.metric.key
    return TargetPlan(resolution.metric, key, closure_of(hashes), hashes)
