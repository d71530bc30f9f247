"""Grafana panels from a title, a unit and a query: only what differs between panels is said twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

SOURCE: Final = {"type": "grafana-clickhouse-datasource", "uid": "${datasource}"}
COLUMNS: Final = 24  # of Grafana's grid
TIME_SERIES, TABLE = 0, 1  # the data source plugin's formats

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Panel:
    """`unit` is Grafana's id of one; `alarm` is the value from which a stat turns red."""

    title: str
    sql: str
    says: str
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    alarm: float | None = None
    stacked: bool = False
    units: Mapping[str, str] = field(default_factory=dict)  # of a table's columns

    def drawn(self, number: int, x: int, y: int) -> Json:
        """The panel as Grafana stores it."""
        return {
            "id": number,
            "title": self.title,
            "description": self.says,
            "type": self.kind,
            "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": [self._target()],
            "fieldConfig": {"defaults": self._defaults(), "overrides": self._overrides()},
            "options": self._options(),
        }

    def _target(self) -> Json:
        series = self.kind == "timeseries"
        return {
            "refId": "A",
            "datasource": SOURCE,
            "editorType": "sql",
            "queryType": "timeseries" if series else "table",
            "format": TIME_SERIES if series else TABLE,
            "rawSql": self.sql.strip(),
        }

    def _defaults(self) -> Json:
        defaults: Json = {"unit": self.unit, "noValue": "none"}
        if self.alarm is not None:
            steps = [{"color": "green", "value": None}, {"color": "red", "value": self.alarm}]
            defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        if self.kind == "timeseries":
            custom: Json = {"fillOpacity": 10, "lineWidth": 1, "showPoints": "auto", "spanNulls": False}
            if self.stacked:
                custom |= {"drawStyle": "bars", "fillOpacity": 80}
                custom["stacking"] = {"mode": "normal", "group": "A"}
            defaults["custom"] = custom
        return defaults

    def _overrides(self) -> list[Json]:
        return [
            {
                "matcher": {"id": "byName", "options": column},
                "properties": [{"id": "unit", "value": unit}],
            }
            for column, unit in self.units.items()
        ]

    def _options(self) -> Json:
        if self.kind == "stat":
            return {"graphMode": "none", "colorMode": "value", "reduceOptions": {"calcs": ["lastNotNull"]}}
        if self.kind == "timeseries":
            return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
        return {"showHeader": True}


def figure(title: str, says: str, sql: str, unit: str = "short", alarm: float | None = None) -> Panel:
    """One number, a sixth of the width."""
    return Panel(title, sql, says, "stat", unit, COLUMNS // 6, 4, alarm)


def laid_out(rows: Sequence[tuple[str, Sequence[Panel]]]) -> list[Json]:
    """Panels in titled rows, from left to right, wrapped at the grid's width."""
    drawn: list[Json] = []
    y = 0
    for title, panels in rows:
        place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
        row = {"type": "row", "title": title, "collapsed": False, "panels": []}
        drawn.append({"id": len(drawn) + 1, "gridPos": place, **row})
        x, y, tallest = 0, y + 1, 0
        for panel in panels:
            if x + panel.width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            drawn.append(panel.drawn(len(drawn) + 1, x, y))
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
    return drawn
