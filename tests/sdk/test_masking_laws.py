"""Laws of masking: of any text, in any place, however it was made."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, Status, StatusCode
from sdk.masks import KEY, masked

from sightline._capture import well_formed
from sightline._outgoing import Draft
from sightline.masking import Guard
from sightline.masking._personal import PERSONAL_KINDS
from sightline.masking._search import Placeholders, Search
from sightline.masking._secrets import SECRET_KINDS

KINDS = (*SECRET_KINDS, *PERSONAL_KINDS)
SECRETS = [
    f"sk-proj-{KEY}", f"ghp_{KEY}", "AKIAIOSFODNN7EXAMPLE", "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeK",
    "ann@example.com", "4111111111111111", "5500 0000 0000 0004", "DE89370400440532013000",
    "DE89 3704 0044 0532 0130 00", "AB123456C", "12345678Z", "X1234567L", "RSSMRA85M01H501Q",
    "86095742719", "86 095 742 719", "255081416802538", "529.982.247-25", "9999 4105 7058", "+49 30 1234567",
    "123-45-6789", "44051401359",
]  # fmt: skip
PIECES = [
    *SECRETS, f"AIza{KEY[:35]}", "xoxb-1234567890", "xoxb-123456789", f"npm_{KEY}", f"hf_{KEY}",
    "glpat-" + "a" * 20, "glpat-" + "a" * 19, "Bearer ", "BEARER ", "Basic ", "authorization: ",
    "eyJ" + "a" * 8 + ".", "b" * 8, ".", "-----BEGIN PRIVATE KEY-----", "-----BEGIN", "@", "://", "u:p@",
    "4111", "1111", "1111 1111", "٤١١١", " ", "-", "\n", "\\n", "\\u00e9", '"', "é", "\ud800", "word", "/",
    "password", "PASSWORD", "Api-Key", "api_key", "Secret", "SECRET", "cookie: a=b", "hunter2", ": ", "'",
    "pass", "token", "passphrase", "Authorization", "_confirmation", '":["', '":{"a":"', '":', '","', '["',
    "None", "123456", "sig=", "415-555-2671", "(415) ", "555-2671", "PWD", "%40", "b.de", "X-Amz-Signature", "://u:p@h",
    '": "', "=", "?", "&", ";", "ssn ", "bsn ", "111222333", "aws ", "[EMAIL_1]",
    "+", "A", "00", "2026-11-21T13:34:59Z", "–", "\u00a0", "{", "}",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join)
around = st.text(
    st.characters(categories=["Lu", "Ll", "Zs", "Po", "Sc"], exclude_characters="@.%+'_#&/"), max_size=20
)


@given(st.text() | texts)
def test_masking_is_done_once(text: str) -> None:
    """Masking what is masked changes nothing."""
    once = masked(text)
    assert masked(once) == once


@given(texts)
def test_the_cheap_look_misses_nothing(text: str) -> None:
    """Whatever is put together of secrets, halves of them and words: the result is that of every pattern."""
    every = Search(KINDS).masked(well_formed(text), KINDS, Placeholders(), lambda: None)
    assert well_formed(masked(text)) == every


@given(around, st.sampled_from(SECRETS), around)
def test_a_secret_survives_in_no_surroundings(before: str, secret: str, after: str) -> None:
    """Between whatever words it stands, it is replaced, and they are not."""
    left = masked(f"{before} {secret} {after}")
    assert secret not in left
    assert left.startswith(f"{before} [")
    assert left.endswith(f"] {after}")


def nested(secret: str) -> st.SearchStrategy[Any]:
    """A value with the secret in it, somewhere."""
    leaf = st.sampled_from(
        [secret, f"say {secret}!", f"x\n{secret}", json.dumps({"a": [f"\n{secret}"]}), secret.encode()]
    )
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3)
            | st.dictionaries(st.sampled_from(["user.id", "a", secret]), inner, min_size=1, max_size=3)
            | inner.map(lambda value: (1, None, value))
        ),
        max_leaves=8,
    )


@given(st.data(), st.sampled_from(SECRETS))
def test_a_secret_survives_in_no_place_of_a_span(data: st.DataObject, secret: str) -> None:
    """In attributes, events, links and the status, however deep: it does not leave."""
    values = {"sightline.input": data.draw(nested(secret)), "http.url": f"https://a.de/{secret} "}
    ids = SpanContext(1, 2, is_remote=False)
    draft = Draft(
        ReadableSpan("s", ids), values, [Event("e", {"said": f"({secret})"})], [Link(ids, {"of": secret})],
        Status(StatusCode.ERROR, f"failed: {secret}"), 0, 0,
    )  # fmt: skip
    Guard("masked")(draft)
    left = [draft.attributes, draft.events[0].attributes, draft.links[0].attributes, draft.status.description]
    assert secret not in str(left)


@given(
    st.text(st.characters(exclude_characters="@+=:0123456789", exclude_categories=["Cs", "Nd"]), max_size=200)
)
def test_what_is_no_secret_stays_byte_for_byte(text: str) -> None:
    """Without digits, addresses and assignments there is nothing to find but long words."""
    words = " ".join(word[:14] for word in text.split(" "))
    assert masked(words) == words


HOSTILE = [
    "a@", "@a.", "a@b.c", "a.b@c.", "eyJ", "eyJaaaaaaaa.", "-eyJ", "sk-", "bearer a", "x", "AB", "A_",
    "4111 ", "4111-", "1", "12 ", "00 ", "1.1.", "é4", "١", "+1", "+49 ", "AB12", "DE89 3704 ",
    "-----BEGIN PRIVATE KEY-----", "://", "://a:", "a:b@", "?key=", "&key=", "=a ", ";password=",
    '"password":"', '"password":["', '"password":{"a":"', '"pass":"a","', '["x-api-key","',
    'password="', '\\"password\\":\\"', "\\", "API_KEY=", "authorization: ",
    "authorization:basic ", "\u00a0", "[EMAIL_1]", "{1,", '{"a":41111111',
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_text_made_to_be_slow_takes_linear_time(unit: str) -> None:
    """A megabyte of any half-begun secret takes ten times as long as a tenth of it, not a hundred times."""
    assert_linear(lambda size: unit * (size // len(unit)))


def test_a_text_full_of_secrets_takes_linear_time() -> None:
    """Ten times as many different addresses take ten times as long, and each has a number of its own."""
    assert_linear(lambda size: " ".join(f"a{n}@b.de" for n in range(size // 12)))
    assert masked("a1@b.de a2@b.de a3@b.de").split() == ["[EMAIL_1]", "[EMAIL_2]", "[EMAIL_3]"]


def assert_linear(text_of: Callable[[int], str]) -> None:
    """CPU time, so that other programs do not matter; below 0.3 s there is nothing to compare."""
    seconds = []
    for size in (100_000, 1_000_000):
        text = text_of(size)
        started = time.process_time()
        assert masked(text)
        seconds.append(time.process_time() - started)
    assert seconds[1] < 0.3 or seconds[1] < 40 * seconds[0]
