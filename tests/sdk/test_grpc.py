"""OTLP over gRPC."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from sdk.programs import unused_port, work

import sightline


@contextmanager
def grpc_server(port: int = 0) -> Iterator[tuple[str, list[Any]]]:
    """An OTLP/gRPC collector; what it takes is in the list."""
    taken: list[Any] = []

    class Service(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:
            taken.append(request)
            return trace_service_pb2.ExportTraceServiceResponse()

    server = grpc.server(futures.ThreadPoolExecutor(2))
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(Service(), server)
    chosen = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    yield f"http://127.0.0.1:{chosen}", taken
    server.stop(None).wait()


def names_in(requests: list[Any]) -> list[str]:
    return [s.name for r in requests for rs in r.resource_spans for ss in rs.scope_spans for s in ss.spans]


def test_grpc_is_spoken_where_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_EXPORTER_OTLP_PROTOCOL=grpc sends the same spans by gRPC."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with grpc_server() as (url, taken):
        sightline.init(endpoint=url, instrument=False)
        work()
        assert sightline.flush()
        assert names_in(taken) == ["work"]
        sightline.shutdown()


def test_a_grpc_collector_that_comes_late_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the collector does not depend on the protocol."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    port = unused_port()
    sightline.init(endpoint=f"http://127.0.0.1:{port}", instrument=False)
    work()
    assert not sightline.flush()
    with grpc_server(port) as (_, taken):
        assert any(sightline.flush() for _ in range(20))
        assert names_in(taken) == ["work"]
        sightline.shutdown()
