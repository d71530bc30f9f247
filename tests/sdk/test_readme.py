"""The README's code runs as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

from sdk.servers import ChatModel, OtlpSink, attributes_of, completion

README = Path(__file__).parents[2] / "sdk" / "README.md"


def test_the_readmes_snippets_run_and_send_what_they_say(
    model: ChatModel, sink: OtlpSink, tmp_path: Path
) -> None:
    """All snippets, one after the other, are one program, and the spans that the text promises arrive."""
    program = tmp_path / "program.py"
    program.write_text("\n".join(re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)))
    model.script = [lambda request: (200, completion())]
    variables = {
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": "k",
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
        "SIGHTLINE_STRICT": "1",
    }
    done = subprocess.run(
        [sys.executable, program], env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "'threads', 'openai'" in done.stdout

    first = {span.name: span for span in reversed(sink.spans)}
    root = first["invoke_agent answer"]
    below = [first[name] for name in ("retrieval search", "chat gpt-4o-mini")]
    assert {span.parent_span_id for span in below} == {root.span_id}
    for span in (root, *below):
        values = attributes_of(span)
        assert (values["user.id"], values["session.id"], values["sightline.feature"]) == (
            "u1",
            "s1",
            "support",
        )
    assert attributes_of(first["chat gpt-4o-mini"])["sightline.cost_usd"] == "0.00012"
    (judged,) = [span for span in sink.spans if span.name == "chat claude-sonnet-4-5"]
    assert sink.logs[0].span_id == judged.span_id
    starts = [span.start_time_unix_nano for span in sink.spans if span.name == root.name]
    assert 2.9 < (max(starts) - min(starts)) / 86_400e9 < 3.1
