"""Sampling: what is always sent, what is left out, and how what is sent stands for the rest."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags, TraceState
from sdk.servers import OtlpSink, attributes_of

import sightline
from sightline import Sampling
from sightline._outgoing import backdated, prepare, priced
from sightline._sampling import Sampler
from sightline._spans.processor import SightlineProcessor

CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": 1_000,
    "gen_ai.usage.output_tokens": 50,
}
CHOSEN, LEFT_OUT = 0xFF << 48, 1 << 48  # trace ids whose lowest 56 bits are high, and low


class Program:
    """A program whose finished spans are sampled; `sent` is what leaves it, in the order of the ends."""

    def __init__(self, sampling: Sampling, trace_ids: Iterator[int] | None = None) -> None:
        self.sampler = Sampler(sampling)
        self.sent: list[ReadableSpan] = []
        self.all: list[ReadableSpan] = []
        provider = TracerProvider(id_generator=Ids(trace_ids), shutdown_on_exit=False)
        provider.add_span_processor(SightlineProcessor(self.ended))
        self.tracer = provider.get_tracer("test")
        self._pass = self.sampler.passing(self.leaving)

    def ended(self, span: ReadableSpan) -> None:
        self.all.append(span)
        self._pass(span)

    def leaving(self, span: ReadableSpan) -> None:
        drafts = prepare([span], (self.sampler.thin, backdated, priced))
        self.sent.extend(draft.finished() for draft in drafts)

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.sent]

    def span(self, name: str, values: dict[str, Any] | None = None, *, failed: bool = False) -> None:
        """A span below the current one."""
        with self.tracer.start_as_current_span(name, attributes=values) as span:
            if failed:
                span.set_status(Status(StatusCode.ERROR, "broke"))


class Ids(IdGenerator):
    """Trace ids as given; anything random otherwise, the same in each run."""

    def __init__(self, trace_ids: Iterator[int] | None) -> None:
        self._random, self._given = random.Random(20261121), trace_ids

    def generate_trace_id(self) -> int:
        return next(self._given) if self._given else self._random.getrandbits(128)

    def generate_span_id(self) -> int:
        return self._random.getrandbits(64)


def weights(spans: Sequence[ReadableSpan]) -> list[Any]:
    return [(span.attributes or {}).get("sightline.sample.weight") for span in spans]


def whole_trace(program: Program) -> None:
    """One of each kind of span, below a root."""
    with program.tracer.start_as_current_span("root", attributes={"sightline.input": "why?"}):
        program.span("call", {**CALL, "gen_ai.input.messages": "[]", "user.id": "u1"})
        program.span("tool", {"sightline.operation": "tool", "gen_ai.tool.call.arguments": "{}"})
        program.span("broken", {"sightline.operation": "tool", "sightline.input": "{}"}, failed=True)
        program.span("judged", {"sightline.score.helpful": 0.5, "sightline.output": "x"})
        program.span("foreign", {"openinference.span.kind": "LLM"})
        program.span("agent", {"gen_ai.usage.input_tokens": 1_000})


def test_a_chosen_trace_goes_whole() -> None:
    """Every span is sent with its content; only what others were left out of says for how many it stands."""
    program = Program(Sampling(0.1), iter([CHOSEN]))
    whole_trace(program)
    assert program.names == ["call", "tool", "broken", "judged", "foreign", "agent", "root"]
    assert weights(program.sent) == [None, 10.0, None, None, None, None, None]
    assert (program.sent[0].attributes or {})["gen_ai.input.messages"] == "[]"
    assert program.sampler.left_out == 0


def test_of_another_trace_go_its_root_its_calls_its_failures_and_its_scores() -> None:
    """Roots and calls go without content, what failed or was judged with it; the rest is counted."""
    program = Program(Sampling(0.1), iter([LEFT_OUT]))
    whole_trace(program)
    assert program.names == ["call", "broken", "judged", "foreign", "agent", "root"]
    assert program.sampler.left_out == 1
    thinned = {"sightline.sample.thinned": True}
    call, broken, judged, _, _, root = (dict(span.attributes or {}) for span in program.sent)
    assert call == {**CALL, "user.id": "u1", "sightline.cost_usd": "0.00018", **thinned}
    assert broken == {"sightline.operation": "tool", "sightline.input": "{}", **thinned}
    assert judged == {"sightline.score.helpful": 0.5, "sightline.output": "x", **thinned}
    assert root == thinned


def test_what_comes_from_another_process_enters_with_a_root() -> None:
    """The first span below a remote parent is sent too: where a trace enters the process."""
    program = Program(Sampling(0))
    ids = SpanContext(LEFT_OUT, 7, True, TraceFlags(1))
    with program.tracer.start_as_current_span("entry", trace.set_span_in_context(NonRecordingSpan(ids))):
        program.span("tool")
    assert (program.names, program.sampler.left_out) == (["entry"], 1)


@pytest.mark.parametrize(
    ("state", "sent", "weight"),
    [
        ({}, False, None),
        ({"ot": "rv:ff000000000000"}, True, 2.0),
        ({"ot": "rv:00000000000000"}, False, None),
        ({"ot": "th:c;rv:ff000000000000"}, True, 4.0),
        ({"ot": "rv:nonsense"}, False, None),
        ({"other": "rv:ff000000000000"}, False, None),
    ],
)
def test_the_trace_state_of_other_samplers_is_honoured(
    state: dict[str, str], sent: bool, weight: float | None
) -> None:
    """A random value that travels along decides in place of the id; an earlier choice adds weight."""
    program = Program(Sampling(0.5))
    ids = SpanContext(LEFT_OUT, 7, True, TraceFlags(1), TraceState(list(state.items())))
    with program.tracer.start_as_current_span("entry", trace.set_span_in_context(NonRecordingSpan(ids))):
        program.span("tool")
    assert program.names == (["tool", "entry"] if sent else ["entry"])
    assert not sent or weights(program.sent) == [weight, None]


def test_a_feature_has_a_rate_of_its_own() -> None:
    """A span goes by its own feature, so a feature set inside of a trace governs what is below."""
    program = Program(Sampling(0, {"support": 1.0, "batch": 0.5}), iter([LEFT_OUT, CHOSEN]))
    for _ in range(2):
        with program.tracer.start_as_current_span("root"):
            program.span("plain")
            for feature in ("support", "batch"):
                with sightline.context(feature=feature):
                    program.span(feature)
    assert program.names == ["support", "root", "support", "batch", "root"]
    assert weights(program.sent) == [None, None, None, 2.0, None]


@given(st.integers(0, 2**128 - 1), st.floats(1e-6, 1), st.floats(1e-6, 1))
def test_what_is_chosen_at_a_rate_is_chosen_at_every_higher_one(
    trace_id: int, one: float, other: float
) -> None:
    """Two processes with rates of their own send nested sets of traces."""
    ids = trace.set_span_in_context(NonRecordingSpan(SpanContext(trace_id or 1, 7, False, TraceFlags(1))))
    sent = []
    for rate in sorted((one, other)):
        program = Program(Sampling(rate))
        program.tracer.start_span("tool", ids).end()
        sent.append(len(program.sent))
    assert sent == sorted(sent)


def random_program(rate: float) -> Program:
    """Some five thousand spans of fifteen hundred traces, of all kinds."""
    program, chance = Program(Sampling(rate, {"batch": rate / 4})), random.Random(7)
    for _ in range(1_500):
        feature = chance.choice(["support", "batch"])
        with sightline.context(feature=feature), program.tracer.start_as_current_span("root"):
            for _ in range(chance.randrange(6)):
                kind = chance.choice(["tool", "retrieval", "call"])
                values = {**CALL, "gen_ai.usage.input_tokens": chance.randrange(10_000)}
                program.span(kind, values if kind == "call" else {}, failed=chance.random() < 0.05)
    return program


def counted(spans: Sequence[ReadableSpan], *, failed: bool) -> Counter[str]:
    return Counter(span.name for span in spans if span.status.is_ok is not failed)


def unfailed(spans: Sequence[ReadableSpan], kind: str, feature: str) -> list[ReadableSpan]:
    return [
        span
        for span in spans
        if (span.name, span.status.is_ok, (span.attributes or {})["sightline.feature"])
        == (kind, True, feature)
    ]


def cost_of(spans: Sequence[ReadableSpan]) -> Decimal:
    costs = (draft.attributes.get("sightline.cost_usd", "0") for draft in prepare(spans, (priced,)))
    return sum(map(Decimal, costs), Decimal(0))


@pytest.mark.parametrize("rate", [0.5, 0.1, 0.02])
def test_money_calls_and_failures_are_exact_at_any_rate(rate: float) -> None:
    """Costs, model calls, roots and failures of what is sent are those of all, to the last digit."""
    program = random_program(rate)
    every, sent = program.all, program.sent
    assert cost_of(sent) == cost_of(every) > 0
    assert counted(sent, failed=True) == counted(every, failed=True)
    true, kept = counted(every, failed=False), counted(sent, failed=False)
    assert (kept["call"], kept["root"]) == (true["call"], true["root"])
    assert program.sampler.left_out == len(every) - len(sent) > 0


@pytest.mark.parametrize("rate", [0.5, 0.1, 0.02])
def test_weighted_counts_estimate_the_true_ones(rate: float) -> None:
    """The weights of what is sent come to the true number, within five standard deviations."""
    program = random_program(rate)
    for feature, share in (("support", rate), ("batch", rate / 4)):
        for kind in ("tool", "retrieval"):
            there = unfailed(program.all, kind, feature)
            sent = unfailed(program.sent, kind, feature)
            # A trace is chosen or not with all of its spans: each is one throw of the dice.
            by_trace = Counter(span.context.trace_id for span in there)
            deviation = sqrt(sum(n * n for n in by_trace.values()) * (1 - share) / share)
            assert abs(sum(weights(sent)) - len(there)) < 5 * deviation, (kind, feature)


def test_init_takes_a_rate(sink: OtlpSink) -> None:
    """What is left out never leaves, and is told by `health`, not as loss."""
    sightline.init(endpoint=sink.url, instrument=False, sampling=0)

    @sightline.workflow
    def work() -> None:
        for _ in range(3):
            with sightline.stage("s"):
                pass
        with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages="why?") as call:
            call.record("because")

    work()
    assert sightline.flush()
    assert [span.name for span in sink.spans] == ["chat gpt-4o-mini", "invoke_workflow work"]
    assert "gen_ai.output.messages" not in attributes_of(sink.spans[0])
    health = sightline.health()
    assert (health.sampled_out, health.sent["traces"], health.lost) == (3, 2, {})


def test_at_a_rate_of_one_nothing_is_asked(sink: OtlpSink) -> None:
    """Without sampling spans go straight into the queue."""
    sightline.init(endpoint=sink.url, instrument=False, sampling=Sampling(1.0, {"support": 1}))
    assert sightline.health().sampled_out == 0
    assert not Sampling(1.0, {"support": 1}).leaves_out


@pytest.mark.parametrize("wrong", [-0.1, 1.5, 1e-9, True, "half", float("nan")])
def test_what_is_no_rate_is_refused(wrong: Any) -> None:
    """Rates are 0, or from a millionth to 1, for all and for each feature."""
    with pytest.raises(sightline.ConfigurationError, match=r"it must be 0, or from 0\.000001 to 1"):
        sightline.init(sampling=wrong)
    with pytest.raises(sightline.ConfigurationError, match=r"sampling of feature 'support' is"):
        Sampling(features={"support": wrong})


def test_what_is_judged_in_the_background_is_sent_whole(sink: OtlpSink) -> None:
    """A verdict that comes later finds its span, root or not, with the content that was judged."""

    @sightline.evaluator
    def good(output: object) -> float:
        return 1.0

    @sightline.step(evaluators=[good])
    def judged() -> str:
        return "a"

    @sightline.step
    def unseen() -> str:
        return judged()

    @sightline.agent(evaluators=[good])
    def root() -> str:
        return unseen()

    sightline.init(endpoint=sink.url, instrument=False, sampling=0)
    root()
    assert sightline.flush()
    sent = {span.name: attributes_of(span) for span in sink.spans}
    assert {name: values.get("sightline.output") for name, values in sent.items()} == {
        "judged": '"a"',
        "invoke_agent root": '"a"',
        "evaluate good": None,
    }
