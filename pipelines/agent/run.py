"""The life of an agent: wait for the lease, write while it holds, drain and give it up when told to stop."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final
from uuid import uuid4

import structlog

from pipelines.agent.monitor import AgentMonitor
from pipelines.agent.options import ClusterOptions, DeliveryOptions, WorkOptions, check_prometheus
from pipelines.agent.place import Place
from pipelines.agent.session import Session, Work
from pipelines.agent.sinks import PrintingSink
from runners.loops.stop import StopSignals
from runners.observe.monitor_server import MonitorServer
from transforms.io.cluster.api import ApiClient, ApiFault
from transforms.io.cluster.lease import DURATION_S, GIVE_UP_S, RENEW_S, Lease
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.producing import OrderedProducer, Receipts
from transforms.records.agent.keys import tenant_key
from transforms.records.topic_names import REGISTRY

log = structlog.get_logger()
USER_AGENT: Final = "graph-agent"
# How long nobody may write after a deregistration: the chart removes the agents meanwhile.
_REMOVAL_S: Final = 120.0
_STEP_S: Final = 0.2


class Agent:
    """One agent process, with what it needs for its whole life."""

    def __init__(self, cluster: ClusterOptions, delivery: DeliveryOptions, work: WorkOptions, *, dry_run: bool) -> None:
        self._client_id = cluster.tenant()
        self._delivery = delivery
        self._options = work
        self._dry_run = dry_run
        self._work = Work(
            cluster.declared_kinds(),
            cluster.custom(),
            cluster.events,
            check_prometheus(work.prometheus_url),
            cluster.cluster_name,
            work.manifest_s,
            work.heartbeat_s,
            work.silence_s,
            cluster.calls,
        )
        target = cluster.target()
        self._namespace = work.lease_place(target)
        self._kafka = None if dry_run else delivery.target()
        self._api = ApiClient(target, USER_AGENT)
        self.monitor = AgentMonitor()
        self._identity = f"{socket.gethostname()}_{uuid4().hex[:8]}"

    def _lease(self) -> Lease | None:
        return Lease(self._api, self._namespace, self._options.lease, self._identity) if self._options.lease else None

    def once(self) -> bool:
        """Write everything once and wait for Kafka; whether all of it was read and acknowledged."""
        with StopSignals() as stop, self._place(stop) as (place, producer):
            session = Session(self._api, self._work, place, self.monitor)
            done = session.once()
            return self._drained(producer) and done

    def run(self) -> bool:
        """Write until told to stop; whether all of it was acknowledged."""
        with ExitStack() as held:
            stop = held.enter_context(StopSignals())
            if self._options.metrics_port:
                held.enter_context(MonitorServer(self.monitor, self._options.metrics_host, self._options.metrics_port))
            lease = self._lease()
            drained = True
            while not stop.asked():
                if lease is None or self._claimed(lease):
                    drained = self._write_while(lease, stop)
                else:
                    stop.wait(RENEW_S)
            if lease is not None:
                self._released(lease)
            return drained

    def _claimed(self, lease: Lease) -> bool:
        try:
            held = lease.claim()
        except ApiFault as fault:
            self.monitor.is_ill(str(fault))
            log.warning("the lease cannot be asked for", why=str(fault))
            return False
        self.monitor.is_well()
        return held

    def _write_while(self, lease: Lease | None, stop: StopSignals) -> bool:
        """One session: while the lease holds and nobody says stop."""
        with self._place(stop, lease) as (place, producer):
            session = Session(self._api, self._work, place, self.monitor)
            self.monitor.leader.set(1)
            log.info("this agent writes", client_id=self._client_id)
            session.start()
            try:
                is_lost = self._kept(lease, session, stop, producer)
            finally:
                session.end()
                self.monitor.leader.set(0)
            if is_lost:
                log.warning("this agent no longer holds the lease")
                if producer is not None:
                    producer.close()
                    producer.discard()
                return True
            return self._drained(producer)

    def _kept(self, lease: Lease | None, session: Session, stop: StopSignals, producer: OrderedProducer | None) -> bool:
        """Until told to stop; True where the lease was lost. InfrastructureFault where writing cannot go on in this process."""
        renew_at = time.monotonic() + RENEW_S
        while not stop.wait(_STEP_S):
            fault = session.fault or (producer.fatal if producer is not None else "")
            if fault:
                raise InfrastructureFault(fault)
            if producer is not None and producer.is_fenced:
                return True
            if lease is None or time.monotonic() < renew_at:
                continue
            renew_at = time.monotonic() + RENEW_S
            if not self._claimed(lease) and not lease.holds:
                return True
        return False

    @contextmanager
    def _place(self, stop: StopSignals, lease: Lease | None = None) -> Iterator[tuple[Place, OrderedProducer | None]]:
        per_cluster = self._delivery.topic_per_cluster
        if self._kafka is None:
            yield Place(self._client_id, PrintingSink(), per_cluster), None
            return
        # A process that was stopped for longer than the lease lasts asks here before anything else.
        may_write = (lambda: True) if lease is None else (lambda: lease.holds)
        name = f"{USER_AGENT}-{self._client_id}"
        producer = OrderedProducer(self._kafka, name, self.monitor.answered, stop.asked, may_write=may_write)
        try:
            yield Place(self._client_id, producer, per_cluster), producer
        finally:
            producer.close()

    def _drained(self, producer: OrderedProducer | None) -> bool:
        left = producer.drain(self._options.drain_s) if producer is not None else 0
        if left:
            log.error("records were not acknowledged in time; the next agent tells everything anew", records=left)
        return not left

    def _released(self, lease: Lease) -> None:
        try:
            lease.release()
        except ApiFault as fault:
            log.warning("the lease was not given up; another agent waits for its end", why=str(fault))

    def deregister(self) -> bool:
        """End the cluster's registration, after whoever writes has stopped. The lease is kept from others for two minutes."""
        with StopSignals() as stop, self._place(stop) as (place, producer):
            lease = self._lease()
            if lease is not None:
                lease.claim(force=True, duration_s=_REMOVAL_S)
                stop.wait(max(GIVE_UP_S, DURATION_S) - RENEW_S)
            receipts = Receipts()
            place.write(REGISTRY, tenant_key(self._client_id), None, receipts)
            return self._drained(producer) and not receipts.failed
