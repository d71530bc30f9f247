"""What may leave the process: the one place that every span and log record passes; `privacy` has the modes.

    a span's attributes, events, links, status and name, its resource; a log record's fields and body:

    attribute ─► its name's mode ─┬─ full ─────────────────────────────► as it is
                                  ├─ off ──────────────────────────────► left out
                                  ├─ hashed ─► Hasher ─────────────────► [SHA256:1f825aa2f0020ef7:11]
                                  ├─ masked ─► Masker: built-in, yours ► [EMAIL_1]
                                  └─ a credential by its name ─────────► [SECRET_1]
    name that was made of data ───► Masker ────────────────────────────► to [EMAIL_1]

Masking fails closed: a value that could not be masked does not leave. Values that are names, models and ids
are never masked: the program chose them, and questions are asked by them. Numbers stay: they are measures.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from opentelemetry._logs import LogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link, Status

from sightline._capture import well_formed
from sightline._outgoing import Draft
from sightline._runtime import Content
from sightline._safety import record_fault
from sightline.masking._content_names import TELEMETRY, is_content, is_id, is_user_id
from sightline.masking._hashing import Hasher
from sightline.masking._kinds import Kind
from sightline.masking._masker import NOT_MASKED, Masker
from sightline.masking._personal import OPTIONAL_KINDS, PERSONAL_KINDS
from sightline.masking._search import Search
from sightline.masking._secret_names import is_secret_name
from sightline.masking._secrets import SECRET_KINDS
from sightline.privacy import LOG_BODY, STATUS_MESSAGE, Privacy

Treatment = Literal["full", "masked", "hashed", "off", "secret", "user", "named"]
_NAMES_MAX: Final = 4_096  # names that are numbered have no end
_RESOURCES_MAX: Final = 64  # a program has one, or one for each of its providers


class Guard:
    """Applies one privacy to drafts of spans and to log records."""

    def __init__(self, privacy: Privacy | Content, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._privacy = privacy if isinstance(privacy, Privacy) else Privacy(privacy)
        kinds = set(self._privacy.kinds)
        known = (*SECRET_KINDS, *PERSONAL_KINDS, *OPTIONAL_KINDS)
        self._search = Search([kind for kind in known if kind.name in kinds])
        self._hasher = Hasher(self._privacy.hash_key)
        self._now_ns = now_ns
        self._treatments: dict[str, Treatment] = {}
        self._plain: set[str] = set()  # names without a find
        self._resources: dict[int, tuple[Resource, Resource]] = {}  # by id, which is why they are held
        self._lets_all_pass = (
            self._privacy.content == "full"
            and not self._privacy.attributes
            and not self._privacy.hash_user_ids
        )

    @property
    def captures(self) -> bool:
        """Whether any content is wanted at all."""
        return self._privacy.captures

    def __call__(self, draft: Draft) -> None:
        """The step that decides what of a span may leave; should it fail, what it could not judge stays."""
        if self._lets_all_pass:
            return
        try:
            self._guard(draft)
        except Exception as error:
            self._withhold(draft)
            record_fault("Guard", error)

    def log(self, record: LogRecord) -> None:
        """Leave on a log record what may leave of its attributes and its body."""
        if self._lets_all_pass:
            return
        values, body = record.attributes or {}, record.body
        record.attributes, record.body = {}, None  # should it fail
        try:
            masker = self._masker()
            said = {} if record.event_name else self._said_in_fields(values)
            rest = {self._named(name, masker): value for name, value in values.items() if name not in said}
            record.attributes = self._attributes(rest, masker) | {
                self._named(name, masker): value for name, value in said.items() if value is not None
            }
            record.body = self._said(LOG_BODY, body, masker)
        except Exception as error:
            record.attributes = self._withheld(values)
            record_fault("Guard", error)

    def attributes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What of these attributes may leave, and how."""
        return self._attributes(values, None)

    def resource(self, resource: Resource) -> Resource:
        """What of a resource may leave; itself, where that is all. Should this fail, nothing but its name."""
        if self._lets_all_pass:
            return resource
        known = self._resources.get(id(resource))
        if known is None:
            if len(self._resources) >= _RESOURCES_MAX:
                self._resources.clear()
            known = self._resources[id(resource)] = resource, self._guarded(resource)
        return known[1]

    def _guarded(self, resource: Resource) -> Resource:
        values = resource.attributes
        try:
            left = self._attributes(values, None)
        except Exception as error:
            record_fault("Guard", error)
            left = {name: values[name] for name in ("service.name",) if name in values}
        return resource if left == dict(values) else Resource(left, resource.schema_url)

    def _masker(self) -> Masker:
        """One for each span, which numbers its placeholders; most spans need none."""
        return Masker(self._search, self._privacy.maskers, self._privacy.time_cap_ms, self._now_ns)

    def _guard(self, draft: Draft) -> None:
        source = draft.source
        resource = self.resource(source.resource)
        draft.resource = None if resource is source.resource else resource
        is_plain = source.name in self._plain or not isinstance(source.name, str)  # which has no encoding
        says_more = draft.events or draft.links or draft.status.description or not is_plain
        masker = self._masker() if says_more else None
        if masker is not None and not is_plain:
            draft.renamed = self._named(source.name, masker)
        draft.attributes = self._attributes(draft.attributes, masker)
        if masker is None:
            return
        if draft.events:
            draft.events = [
                Event(
                    self._named(event.name, masker),
                    self._attributes(event.attributes or {}, masker),
                    event.timestamp,
                )
                for event in draft.events
            ]
        if draft.links:
            draft.links = [
                Link(link.context, self._attributes(link.attributes or {}, masker)) for link in draft.links
            ]
        if draft.status.description:
            words = self._said(STATUS_MESSAGE, draft.status.description, masker)
            draft.status = Status(draft.status.status_code, words)

    def _attributes(self, values: Mapping[str, Any], masker: Masker | None) -> dict[str, Any]:
        treatments = self._treatments
        texts: list[str] = []
        special = bool(self._privacy.maskers)
        for name, value in values.items():
            treatment = treatments.get(name) or self._treatment(name)
            if treatment == "masked":
                kind = type(value)
                if kind is str:
                    texts.append(value)
                elif kind is not int and kind is not float and kind is not bool:
                    special |= collect(value, texts)
            elif treatment != "full":
                special = True
                if treatment == "named":
                    collect(value, texts)
        suspects = self._search.suspects(well_formed("\n".join(texts)))
        if not special and not suspects:
            return values if type(values) is dict else dict(values)
        masker = masker or self._masker()
        masker.suspects = suspects
        return {
            name if treatment != "named" else self._named(name, masker, suspects): self._treated(
                treatment if treatment != "named" else self._decided(name), value, masker
            )
            for name, value in values.items()
            if (treatment := treatments.get(name) or self._treatment(name)) != "off"
        }

    def _treated(self, treatment: Treatment, value: Any, masker: Masker) -> Any:
        if treatment == "masked":
            return masker.value(value)
        if treatment == "full" or value is None:
            return value
        if treatment == "hashed":
            return self._hasher.content(value)
        if treatment == "user":
            return self._hasher.user_id(value)
        return masker.secret(value)

    def _said(self, name: str, value: Any, masker: Masker) -> Any:
        """Words that are no attribute: a status message, a log record's body."""
        left = self._attributes({name: value}, masker)
        return left.get(name)

    def _said_in_fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a log line that are content as its words are: hashed, or None for left out."""
        mode = self._treatment(LOG_BODY)
        if mode not in ("hashed", "off"):
            return {}
        return {
            name: self._hasher.content(value) if mode == "hashed" else None
            for name, value in values.items()
            if type(value) not in (bool, int, float)
            and not name.startswith(TELEMETRY)
            and self._treatment(name) == "masked"
            and self._privacy.mode_of(name) is None
        }

    def _named(self, name: str, masker: Masker, suspects: Sequence[Kind] = ()) -> str:
        """The name of a span, an event, or a field, which was made of data when there is a find in it.

        The masker goes on with these suspects.
        """
        if self._privacy.content == "full" or name in self._plain:
            return name
        masker.suspects = self._search.suspects(well_formed(name))
        left = masker.text(name) if masker.suspects else name
        masker.suspects = suspects
        if left == name and len(self._plain) < _NAMES_MAX:
            self._plain.add(name)
        return left

    def _treatment(self, name: str) -> Treatment:
        treatment = self._decided(name)
        if treatment != "off" and self._named(name, self._masker()) != name:
            treatment = "named"
        if len(self._treatments) < _NAMES_MAX:
            self._treatments[name] = treatment
        return treatment

    def _decided(self, name: str) -> Treatment:
        own = self._privacy.mode_of(name)
        if own is not None:
            return own
        if self._privacy.hash_user_ids and is_user_id(name):
            return "user"
        if self._privacy.content == "full" or is_id(name):
            return "full"
        if is_content(name) or name in (LOG_BODY, STATUS_MESSAGE):
            return self._privacy.content
        return "secret" if is_secret_name(name) else "masked"

    def _withhold(self, draft: Draft) -> None:
        values, draft.attributes = draft.attributes, {}  # should this fail, too
        draft.events = draft.links = ()
        draft.status = Status(draft.status.status_code, NOT_MASKED if draft.status.description else None)
        draft.renamed = "" if draft.source.name in self._plain else draft.renamed or NOT_MASKED
        draft.attributes = self._withheld(values)

    def _withheld(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value if self._decided(name) == "full" else NOT_MASKED for name, value in values.items()
        }


def collect(value: Any, texts: list[str]) -> bool:
    """Every text in a value, however deep, keys of maps too; says whether there are maps."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, bytes):
        texts.append(value.decode("latin-1"))
    elif isinstance(value, Mapping):
        for pair in value.items():
            collect(pair, texts)
        return True
    elif isinstance(value, list | tuple):
        maps = [collect(item, texts) for item in value]
        return any(maps)
    return False
