"""A cluster's Prometheus: what it scrapes, the rules that it evaluates and an alert that fires."""

from random import Random
from typing import Any, Final

from scripts.sampling.belongings import Rid
from scripts.sampling.cluster import SampleCluster
from scripts.sampling.record import RULES, TARGETS

NAMESPACE: Final = "shop"
_PORT: Final = 9102
_ALERT: Final = "ShopTargetDown"
_RULES: Final[tuple[dict[str, Any], ...]] = (
    {"group": "shop.alerts", "rule": _ALERT, "type": "alerting", "expr": 'up{namespace="shop"} == 0', "duration": 60}
    | {"labels": {"severity": "critical", "namespace": NAMESPACE}, "annotations": {"summary": "A target of the shop is down"}},
    {"group": "shop.alerts", "rule": "CheckoutSlow", "type": "alerting", "expr": "job:request_seconds:p99 > 2", "duration": 300}
    | {"labels": {"severity": "warning", "namespace": NAMESPACE, "deployment": "checkout"}, "annotations": {}},
    {"group": "shop.records", "rule": "job:request_seconds:p99", "type": "recording", "expr": "histogram_quantile(0.99, request_seconds)"}
    | {"labels": {}, "annotations": {}},
)


class Monitoring:
    """Follows a cluster's pods; reports what changed, and all of it at each resync, as the cluster does."""

    def __init__(self, cluster: SampleCluster, random: Random) -> None:
        self._cluster = cluster
        self._random = random
        self._targets: dict[Rid, dict[str, Any]] = {}
        self._down: Rid | None = None

    def resync(self) -> None:
        """Report rules and targets; those whose pods went are gone."""
        for rule in _RULES:
            self._cluster.state(RULES, f"{rule['group']}|{rule['rule']}", **rule)
        pods = self._cluster.pods_in(NAMESPACE)
        for pod in [pod for pod in self._targets if pod not in pods]:
            labels = self._targets.pop(pod)["labels"]
            self._cluster.gone(TARGETS, f"{labels['job']}|{labels['instance']}")
        for pod in pods:
            self._scrape(pod)

    def _scrape(self, pod: Rid) -> None:
        instance = f"{self._cluster.address_of(pod)}:{_PORT}"
        labels = {"job": self._cluster.app_of(pod), "instance": instance, "namespace": pod[1], "pod": pod[2]}
        up = pod != self._down
        held = {"labels": labels, "scrapeUrl": f"http://{instance}/metrics", "health": "up" if up else "down"}
        self._targets[pod] = held
        error = "" if up else f'Get "http://{instance}/metrics": context deadline exceeded'
        last_scrape = self._cluster.now.isoformat()
        self._cluster.state(TARGETS, f"{labels['job']}|{instance}", **held, lastScrape=last_scrape, lastError=error)

    def lose_target(self) -> None:
        """One pod that is there to stay no longer answers, and an alert tells of it."""
        redis = [pod for pod in self._cluster.pods_in(NAMESPACE) if self._cluster.app_of(pod) == "redis"]
        self._down = self._random.choice(redis)
        self._scrape(self._down)
        self._cluster.happen(self._down, _ALERT, f"{self._down[2]} does not answer", "critical", etype="prom.alert")
