"""What a budget allows, and what is decided by it: plain values, checked when they are made.

    Budget ──► caps: (what is summed up, Cap) ──► Decision: allow | warn | deny

An amount of money is exact: a number such as 0.1 is taken as it is written, not as its nearest double.
"""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

from sightline.errors import ConfigurationError

Money = Decimal | int | float | str
Action = Literal["allow", "warn", "deny"]
OnUnknown = Literal["allow", "deny"]
OnUnpriced = Literal["allow", "deny"]
Measure = Literal["usd", "tokens", "calls"]
Sum = Literal["trace", "session", "user_day", "feature_day", "process", "day", "month"]

AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that may be used: USD, tokens (input and output together), model calls; None is no limit."""

    usd: Money | None = None
    tokens: int | None = None
    calls: int | None = None
    limits: tuple[tuple[Measure, Decimal], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        limits: list[tuple[Measure, Decimal]] = []
        if self.usd is not None:
            object.__setattr__(self, "usd", usd := _usd(self.usd))
            limits.append(("usd", usd))
        counts: tuple[tuple[Measure, int | None], ...] = (("tokens", self.tokens), ("calls", self.calls))
        for name, count in counts:
            if count is None:
                continue
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                raise ConfigurationError(f"a cap's {name} is {count!r}; it must be a whole number, 0 or more")
            limits.append((name, Decimal(count)))
        object.__setattr__(self, "limits", tuple(limits))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits on what model calls may cost; a bare amount is a cap in USD, `Cap` counts tokens and calls too.

    Caps hold for what this process has spent: in a trace, a session, by a user or for a feature on one day
    (UTC), since its start, on one day, in one month. `warn_at` is the share of a cap from which on is warned.

    `collector` is the address of its SQL port, or "auto" for port 4319 of the host that spans are sent to:
    then budgets that are set there hold too, for all processes together. They are asked for every
    `refresh_s` in the background, `timeout_s` at most; an answer is good for `max_age_s`. After that, and
    before the first, `on_unknown` decides. With "deny" the very first check waits for an answer.

    Calls whose tokens have no known price cannot be held to an amount: where a cap in USD had some it warns
    from then on, or with `on_unpriced="deny"` denies.

    Raises ConfigurationError for what cannot be a limit.
    """

    name: str = "budget"
    per_trace: Cap | Money | None = None
    per_session: Cap | Money | None = None
    per_user_day: Cap | Money | None = None
    per_feature_day: Cap | Money | None = None
    per_process: Cap | Money | None = None
    per_day: Cap | Money | None = None
    per_month: Cap | Money | None = None
    warn_at: float = 0.8
    collector: str | None = None
    project: str = "default"
    refresh_s: float = 30.0
    timeout_s: float = 2.0
    max_age_s: float = 300.0
    on_unknown: OnUnknown = "allow"
    on_unpriced: OnUnpriced = "allow"
    caps: tuple[tuple[Sum, Cap], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        caps: list[tuple[Sum, Cap]] = []
        for kind in get_args(Sum):
            said = getattr(self, f"per_{kind}")
            if said is not None:
                caps.append((kind, said if isinstance(said, Cap) else Cap(said)))
        object.__setattr__(self, "caps", tuple(caps))
        if not 0 < self.warn_at <= 1:
            raise ConfigurationError(f"a budget's warn_at is {self.warn_at!r}; it must be above 0, at most 1")
        for name in ("refresh_s", "timeout_s", "max_age_s"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ConfigurationError(f"a budget's {name} is {getattr(self, name)!r}; it must be seconds")
        for name in ("on_unknown", "on_unpriced"):
            if (choice := getattr(self, name)) not in get_args(OnUnknown):
                raise ConfigurationError(f"{name} is {choice!r}; it may be 'allow' or 'deny'")
        _check_address(self.collector)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a model may be called, and why; money in USD, of the cap that is nearest to its limit.

    `budget` is its name, empty when none applies. `stale`: the collector did not answer when it was asked
    last, so this rests on what it said before, or on nothing.
    """

    action: Action = "allow"
    reason: str = "no budget applies"
    spent_usd: Decimal = Decimal(0)
    limit_usd: Decimal | None = None
    budget: str = ""
    stale: bool = False


def _usd(amount: Money) -> Decimal:
    try:
        usd = Decimal(str(amount)) if not isinstance(amount, bool) else Decimal("nan")
    except InvalidOperation:
        usd = Decimal("nan")
    if not usd.is_finite() or usd < 0:
        raise ConfigurationError(f"a cap is {amount!r}; it must be an amount in USD such as 0.5, or a Cap")
    return usd


def _check_address(address: object) -> None:
    if address is None or address == AUTO:
        return
    parts = urlsplit(address) if isinstance(address, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            f"a budget's collector is {address!r}; it may be 'auto', or the address of its SQL port, such as"
            " http://127.0.0.1:4319"
        )
