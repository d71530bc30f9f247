"""What becomes of metrics: a row for each data point, whatever kind its metric is of."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Exemplar,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
    Summary,
    SummaryDataPoint,
)
from otlp_requests import NOW_NS, WRITER, attributes, insert

from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

batches = itertools.count(1)
AT_NS = NOW_NS - 5_000_000_001
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA

EVERY_COLUMN = """
    select * replace (
        toUnixTimestamp64Nano(received_at) as received_at, toUnixTimestamp64Nano(at) as at,
        toUnixTimestamp64Nano(started_at) as started_at,
        arrayMap(q -> (q.quantile, q.value), quantiles) as quantiles,
        arrayMap(e -> (toUnixTimestamp64Nano(e.at), e.trace_id, e.span_id, e.int_value, e.double_value,
            e.attributes, e.attribute_types), exemplars) as exemplars)
    from metrics_v1 where batch = {batch:UInt64} order by name, at
"""


def point(values: Any = None, **fields: Any) -> dict[str, Any]:
    """The fields of a data point with a time and attributes."""
    return {"time_unix_nano": AT_NS, "attributes": attributes(values or {})} | fields


def request(*metrics: Metric, resource: Any = None, scope: Any = None) -> ExportMetricsServiceRequest:
    """One request of one resource and one scope."""
    scope_metrics = ScopeMetrics(metrics=metrics)
    scope_metrics.scope.name, scope_metrics.scope.version = "a.scope", "1.2"
    scope_metrics.scope.attributes.extend(attributes(scope or {}))
    resource_metrics = ResourceMetrics(scope_metrics=[scope_metrics])
    resource_metrics.resource.attributes.extend(attributes(resource or {}))
    return ExportMetricsServiceRequest(resource_metrics=[resource_metrics])


def stored(
    engine: Engine, tmp_path: Path, *metrics: Metric, items: int = 1, **rest: Any
) -> list[dict[str, Any]]:
    """The rows that metrics become, one a data point, every column of them."""
    batch = next(batches)
    insert(engine, Signal.METRICS, [(request(*metrics, **rest), items)], tmp_path / "segment", batch=batch)
    rows = engine.rows(EVERY_COLUMN, {"batch": batch})
    assert len(rows) == items
    return rows


PLAIN: dict[str, Any] = {
    "received_at": NOW_NS, "writer": WRITER, "project": "default", "at": AT_NS, "started_at": None,
    "name": "m", "description": "", "unit": "", "temporality": "unspecified", "monotonic": 0, "service": "",
    "scope_name": "a.scope", "scope_version": "1.2", "flags": 0, "int_value": None, "double_value": None,
    "count": None, "sum": None, "min": None, "max": None, "bounds": [], "buckets": [], "scale": None,
    "zero_count": 0, "zero_threshold": 0.0, "positive_offset": 0, "positive_buckets": [],
    "negative_offset": 0, "negative_buckets": [], "quantiles": [], "exemplars": [], "attributes": {},
    "attribute_types": {}, "resource_attributes": {}, "resource_types": {}, "scope_attributes": {},
    "notes": [],
}  # fmt: skip


def gauge(**fields: Any) -> Metric:
    """A gauge with one data point."""
    return Metric(name="m", gauge=Gauge(data_points=[NumberDataPoint(**point(**fields))]))


KINDS: dict[str, tuple[Metric, dict[str, Any]]] = {
    "gauge of int zero": (gauge(as_int=0), {"kind": "gauge", "int_value": 0}),
    "gauge of double zero": (gauge(as_double=0.0), {"kind": "gauge", "double_value": 0.0}),
    "gauge of the least int": (gauge(as_int=-(2**63)), {"kind": "gauge", "int_value": -(2**63)}),
    "gauge of infinity": (gauge(as_double=math.inf), {"kind": "gauge", "double_value": math.inf}),
    "gauge without a value": (gauge(flags=1), {"kind": "gauge", "flags": 1}),
    "sum": (
        Metric(name="m", sum=Sum(
            aggregation_temporality=CUMULATIVE, is_monotonic=True,
            data_points=[NumberDataPoint(**point(as_int=7, start_time_unix_nano=AT_NS - 9))])),
        {"kind": "sum", "int_value": 7, "temporality": "cumulative", "monotonic": 1,
         "started_at": AT_NS - 9}),
    "histogram": (
        Metric(name="m", histogram=Histogram(
            aggregation_temporality=DELTA,
            data_points=[HistogramDataPoint(**point(
                count=6, sum=4.5, min=0.0, max=3.5, explicit_bounds=[0.5, 2.0], bucket_counts=[1, 2, 3]))])),
        {"kind": "histogram", "temporality": "delta", "count": 6, "sum": 4.5, "min": 0.0, "max": 3.5,
         "bounds": [0.5, 2.0], "buckets": [1, 2, 3]}),
    "histogram without sum and extremes": (
        Metric(name="m", histogram=Histogram(data_points=[HistogramDataPoint(**point(count=2**64 - 1))])),
        {"kind": "histogram", "count": 2**64 - 1}),
    "exponential histogram": (
        Metric(name="m", exponential_histogram=ExponentialHistogram(
            aggregation_temporality=DELTA,
            data_points=[ExponentialHistogramDataPoint(**point(
                count=9, sum=-1.5, min=-2.0, max=2.0, scale=-3, zero_count=2, zero_threshold=0.25,
                positive=ExponentialHistogramDataPoint.Buckets(offset=-7, bucket_counts=[1, 0, 300]),
                negative=ExponentialHistogramDataPoint.Buckets(offset=5, bucket_counts=[4])))])),
        {"kind": "exponential_histogram", "temporality": "delta", "count": 9, "sum": -1.5, "min": -2.0,
         "max": 2.0, "scale": -3, "zero_count": 2, "zero_threshold": 0.25, "positive_offset": -7,
         "positive_buckets": [1, 0, 300], "negative_offset": 5, "negative_buckets": [4]}),
    "summary": (
        Metric(name="m", summary=Summary(data_points=[SummaryDataPoint(**point(
            count=3, sum=6.0, quantile_values=[
                SummaryDataPoint.ValueAtQuantile(quantile=0.5, value=2.0),
                SummaryDataPoint.ValueAtQuantile(quantile=1.0, value=3.0)]))])),
        {"kind": "summary", "count": 3, "sum": 6.0, "quantiles": [(0.5, 2.0), (1.0, 3.0)]}),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_metric_keeps_what_it_says(engine: Engine, tmp_path: Path, kind: str) -> None:
    """Ints and doubles stay apart, zero is not absent, and each kind fills its own columns only."""
    metric, expected = KINDS[kind]
    (row,) = stored(engine, tmp_path, metric)
    assert row == PLAIN | {"batch": row["batch"]} | expected


def test_a_data_point_keeps_its_frame_and_its_exemplars(engine: Engine, tmp_path: Path) -> None:
    """Name, unit, description, typed attributes, resource, scope, and the spans measured."""
    exemplars = [
        Exemplar(time_unix_nano=AT_NS + 1, as_double=2.5, trace_id=b"\xab" * 16, span_id=b"\xcd" * 8,
                 filtered_attributes=attributes({"x": True, "y": "z"})),
        Exemplar(time_unix_nano=AT_NS + 2, as_int=-3, filtered_attributes=attributes({"n": [1]})),
    ]  # fmt: skip
    metric = gauge(as_int=1, values={"model": "gpt-4o", "port": 443}, exemplars=exemplars)
    metric.description, metric.unit = "what it is", "{token}"
    resource = {"service.name": "shop", "worker": 7}
    (row,) = stored(engine, tmp_path, metric, resource=resource, scope={"s": 1.5})
    assert row == PLAIN | {
        "batch": row["batch"], "kind": "gauge", "int_value": 1, "description": "what it is",
        "unit": "{token}", "service": "shop", "attributes": {"model": "gpt-4o", "port": "443"},
        "attribute_types": {"port": "int"}, "resource_types": {"worker": "int"},
        "resource_attributes": {"service.name": "shop", "worker": "7"}, "scope_attributes": {"s": "1.5"},
        "exemplars": [
            (AT_NS + 1, "ab" * 16, "cd" * 8, None, 2.5, {"x": "true", "y": "z"}, {"x": "bool"}),
            (AT_NS + 2, "", "", -3, None, {"n": "[1]"}, {"n": "array"}),
        ],
    }  # fmt: skip


def test_rows_are_counted_by_data_point(engine: Engine, tmp_path: Path) -> None:
    """A metric with three points is three rows; one without any, or without data, is none."""
    three = Metric(name="three", sum=Sum(data_points=[NumberDataPoint(**point(as_int=n)) for n in range(3)]))
    empty = Metric(name="empty", gauge=Gauge())
    rows = stored(engine, tmp_path, three, empty, Metric(name="no data"), gauge(as_int=9), items=4)
    assert [(row["name"], row["int_value"]) for row in rows] == [
        ("m", 9),
        ("three", 0),
        ("three", 1),
        ("three", 2),
    ]


@pytest.mark.parametrize("time_ns", [0, 2**63, 2**64 - 1, NOW_NS - 401 * 86_400_000_000_000])
def test_a_time_out_of_range_is_replaced_and_noted(engine: Engine, tmp_path: Path, time_ns: int) -> None:
    """A wrong clock opens no partition: the point is stored as of when it came."""
    (row,) = stored(engine, tmp_path, gauge(as_int=1, time_unix_nano=time_ns, start_time_unix_nano=time_ns))
    expected = {"at": NOW_NS, "started_at": NOW_NS if time_ns else None, "notes": ["time_out_of_range"]}
    assert row == PLAIN | {"batch": row["batch"], "kind": "gauge", "int_value": 1} | expected
