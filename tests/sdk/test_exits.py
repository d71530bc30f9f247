"""The end of a program, and of a forked child."""

import subprocess
import sys

from sdk.programs import run
from sdk.servers import OtlpSink


def test_a_normal_exit_loses_nothing(sink: OtlpSink) -> None:
    """A program that ends at once after its last span, without any flush, has sent it."""
    run(
        f"import sightline\nsightline.init(endpoint={sink.url!r}, instrument=False)\n"
        "with sightline.stage('last'): pass"
    )
    assert [span.name for span in sink.spans] == ["last"]


def test_a_program_that_dies_of_an_exception_loses_nothing(sink: OtlpSink) -> None:
    """The span of the failing function arrives, as an error."""
    program = f"""
import sightline, sys
sightline.init(endpoint={sink.url!r}, instrument=False)
@sightline.agent
def main():
    sys.exit("sorry")
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "sorry\n")
    assert [(span.name, span.status.code) for span in sink.spans] == [("invoke_agent main", 2)]


def test_forked_workers_send_their_own(sink: OtlpSink) -> None:
    """Workers forked after `init` each deliver their spans; nothing is sent twice."""
    program = f"""
import os, sightline
sightline.init(endpoint={sink.url!r}, instrument=False)
with sightline.stage("parent before"): pass
for number in range(3):
    child = os.fork()
    if child == 0:
        with sightline.stage(f"child {{number}}"): pass
        sightline.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
with sightline.stage("parent after"): pass
"""
    run(program)
    names = sorted(span.name for span in sink.spans)
    assert names == ["child 0", "child 1", "child 2", "parent after", "parent before"]
