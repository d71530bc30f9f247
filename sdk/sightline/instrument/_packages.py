"""What is installed, asked of the packages' own records: nothing is imported for the answer."""

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from typing import Any, Final

_ENTRY_POINT: Final = "opentelemetry_instrumentor"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FEWEST_NUMBERS: Final = re.compile(r"\d+")


def is_installed(package: str) -> bool:
    """Whether pip knows this package here."""
    return next(iter(Distribution.discover(name=package)), None) is not None


def is_at_least(package: str, wanted: str) -> bool:
    """Whether the package is installed in this version (numbers with dots) or a later one."""
    try:
        return _numbers(version(package)) >= _numbers(wanted)
    except PackageNotFoundError:
        return False


def instrumentor_of(package: str) -> Any:
    """The class that an instrumentation package offers to OpenTelemetry; LookupError when it offers none."""
    for entry in distribution(package).entry_points.select(group=_ENTRY_POINT):
        return entry.load()
    raise LookupError(f"{package} has no entry point {_ENTRY_POINT}")


def named_in(requirement: str) -> str:
    """The package of a requirement such as `openai >= 1.26, < 4`, spelled as pip spells it."""
    found = _NAME.match(requirement.strip())
    return re.sub(r"[._-]+", "-", found[0]).lower() if found else ""


def _numbers(of_version: str) -> list[int]:
    return [int(number) for number in _FEWEST_NUMBERS.findall(of_version)]
