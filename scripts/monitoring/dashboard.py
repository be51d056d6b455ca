"""The dashboard as Grafana reads it."""

from collections.abc import Iterator
from typing import Any, Final

from scripts.monitoring.panels import FLINK, ROWS, Panel, Query, Row
from transforms.model.metrics import METRICS, Metric, MetricType

_WIDTH: Final = 24
_HEIGHT: Final = 8
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


def dashboard() -> dict[str, Any]:
    """The whole dashboard; the same declarations give the same text."""
    return {
        "uid": "graph-build",
        "title": "graph-build",
        "tags": ["graph-build"],
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": _variables()},
        "annotations": {"list": []},
        "panels": list(_panels()),
    }


def _variables() -> list[dict[str, Any]]:
    return [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"},
        _labels("job", "label_values(graph_active, job)", "Installation"),
        _labels("client_id", 'label_values(graph_records_total{job=~"$job"}, client_id)', "Tenant"),
    ]


def _labels(name: str, query: str, label: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "label": label,
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panels() -> Iterator[dict[str, Any]]:
    y = number = 0
    for row in (*ROWS, FLINK, *_others()):
        number += 1
        yield _row(row, number, y)
        y += 1
        width = _WIDTH // len(row.panels)
        for at, panel in enumerate(row.panels):
            number += 1
            yield _panel(panel, number, {"x": at * width, "y": y, "w": width, "h": _HEIGHT})
        y += _HEIGHT


def _others() -> list[Row]:
    """Metrics that no panel asks for, each with a panel of its own: a new metric is on the dashboard at once."""
    asked = " ".join(query.expr for row in (*ROWS, FLINK) for panel in row.panels for query in panel.queries)
    panels = tuple(_plain(metric) for metric in METRICS if metric.name not in asked)
    return [Row("Others", panels)] if panels else []


def _plain(metric: Metric) -> Panel:
    labels = ", ".join(metric.labels)
    legend = " ".join(f"{{{{{label}}}}}" for label in metric.labels)
    where = '{job=~"$job"}'
    if metric.type is MetricType.GAUGE:
        return Panel(metric.name, metric.help, "short", (Query(f"max by ({labels}) ({metric.name}{where})", legend),))
    name = f"{metric.name}_total" if metric.type is MetricType.COUNTER else f"{metric.name}_count"
    return Panel(metric.name, metric.help, "ops", (Query(f"sum by ({labels}) (rate({name}{where}[$__rate_interval]))", legend),))


def _row(row: Row, number: int, y: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": "row",
        "title": row.title,
        "collapsed": False,
        "gridPos": {"x": 0, "y": y, "w": _WIDTH, "h": 1},
        "panels": [],
    }


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    custom = {"fillOpacity": 20, "stacking": {"mode": "normal"}} if panel.stacked else {"fillOpacity": 0}
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "custom": custom}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": _SOURCE, "expr": query.expr, "legendFormat": query.legend}
            for at, query in enumerate(panel.queries)
        ],
    }
