"""Questions that people ask the graph, with the Cypher that asks them of one tenant.

`scripts/demo` asks the first three; the documentation shows them all; tests run them all.
"""

from typing import Final, NamedTuple


class Query(NamedTuple):
    """A question and its Cypher; `$client_id` is the tenant."""

    question: str
    cypher: str


# The record's time, with which a version begins: when an episode was last reported. Only findings may have no time of their own.
_REPORTED: Final = "datetime({epochMillis: toInteger(left(e.ver, 18)) / 1000})"

QUERIES: Final = (
    Query(
        "What runs where?",
        "MATCH (p:Pod {client_id: $client_id})-[:RUNS_ON]->(n:Node)\n"
        "RETURN n.name AS node, count(p) AS pods, collect(p.name)[..3] AS `some of them` ORDER BY node",
    ),
    Query(
        "Which services lose pods when node-1 goes?",
        "MATCH (n:Node {client_id: $client_id, name: 'node-1'})<-[:RUNS_ON]-(p:Pod)<-[:SELECTS]-(s:Service)\n"
        "MATCH (s)-[:SELECTS]->(all:Pod)\n"
        "RETURN s.name AS service, count(DISTINCT p) AS `pods lost`, count(DISTINCT all) AS `of` ORDER BY service",
    ),
    Query(
        "What happened to the workload payments?",
        "MATCH (d:Deployment {client_id: $client_id, name: 'payments'})-[:CONTROLS*0..2]->(o)<-[:ABOUT]-(e:Episodic)\n"
        "RETURN toString(e.event_time) AS at, o.kind AS kind, o.name AS name, e.reason AS reason, e.message AS message\n"
        "ORDER BY at LIMIT 8",
    ),
    Query(
        "Who owns this pod, up to the top?",
        "MATCH (p:Pod {client_id: $client_id}) WITH p ORDER BY p.name LIMIT 1\n"
        "MATCH path = (top)-[:CONTROLS*]->(p) WHERE NOT ()-[:CONTROLS]->(top)\n"
        "RETURN [n IN nodes(path) | n.kind + '/' + n.name] AS `from the top`",
    ),
    Query(
        "Which services select no pod?",
        "MATCH (s:Service {client_id: $client_id}) WHERE s.selector IS NOT NULL AND NOT (s)-[:SELECTS]->() AND NOT EXISTS {\n"
        "  MATCH (p:Pod {client_id: $client_id, ns: s.ns}) WHERE p.services_capped AND all(one IN s.selector WHERE one IN p.labels) }\n"
        "RETURN s.ns AS ns, s.name AS service ORDER BY ns, service",
    ),
    Query(
        "Which pods have these labels?",
        "MATCH (p:Pod {client_id: $client_id, ns: 'shop'}) WHERE 'app=cart' IN p.labels\n"
        "RETURN p.name AS pod, p.phase AS phase ORDER BY pod",
    ),
    Query(
        "Which images run, and how often?",
        "MATCH (p:Pod {client_id: $client_id}) WHERE p.image IS NOT NULL\n"
        "RETURN p.image AS image, count(*) AS pods ORDER BY pods DESC, image",
    ),
    Query(
        "What are the latest warnings?",
        "MATCH (e:Episodic {client_id: $client_id}) WHERE e.severity = 'WARNING'\n"
        f"WITH e, coalesce(e.event_time, {_REPORTED}) AS moment\n"
        "RETURN toString(moment) AS at, e.subject AS about, e.reason AS reason ORDER BY moment DESC, about, reason LIMIT 5",
    ),
    Query(
        "Which targets are down, and what do they scrape?",
        "MATCH (t:PromTarget {client_id: $client_id}) WHERE t.health <> 'up' OPTIONAL MATCH (t)-[:SCRAPES]->(o)\n"
        "RETURN t.job AS job, t.instance AS instance, o.kind + '/' + o.name AS scrapes, t.last_error AS error ORDER BY job, instance",
    ),
    Query(
        "Which alerts were raised, by which rule, about what?",
        "MATCH (r:Rule {client_id: $client_id})-[:EMITS]->(e:Episodic) OPTIONAL MATCH (e)-[:ABOUT]->(o)\n"
        "RETURN toString(e.event_time) AS at, r.group AS `group`, e.reason AS alert, o.kind + '/' + o.name AS about, r.expr AS expr\n"
        "ORDER BY at DESC, alert LIMIT 10",
    ),
    Query(
        "Which objects are only known from others?",
        "MATCH (n:Resource {client_id: $client_id}) WHERE n.stub\nRETURN n.kind AS kind, n.ns AS ns, n.name AS name ORDER BY kind, name",
    ),
    Query(
        "How large is each tenant's graph, and when was it last heard of?",
        "MATCH (c:Cluster) OPTIONAL MATCH (n:Resource {client_id: c.client_id})\n"
        "RETURN c.client_id AS tenant, count(n) AS resources, datetime({epochMillis: c.last_seen}) AS `last seen` ORDER BY tenant",
    ),
    Query(
        "What mounts the secret payments-credentials?",
        "MATCH (s:Secret {client_id: $client_id, name: 'payments-credentials'})<-[:MOUNTS]-(p:Pod)\n"
        "RETURN s.ns AS ns, p.name AS pod, s.keys AS `its keys` ORDER BY ns, pod",
    ),
    Query(
        "What does the ingress shop reach?",
        "MATCH (i:Ingress {client_id: $client_id, name: 'shop'})-[:ROUTES]->(s:Service) OPTIONAL MATCH (s)-[:SELECTS]->(p:Pod)\n"
        "RETURN i.hosts AS hosts, s.name AS service, count(p) AS pods ORDER BY service",
    ),
    Query(
        "Which claims wait for a volume, and how many Pods wait for each?",
        "MATCH (c:PersistentVolumeClaim {client_id: $client_id}) WHERE c.phase = 'Pending'\n"
        "OPTIONAL MATCH (c)-[:USES]->(k:StorageClass) OPTIONAL MATCH (c)<-[:MOUNTS]-(p:Pod)\n"
        "RETURN c.ns AS ns, c.name AS claim, c.storage_request AS asks, k.provisioner AS `of whom`, count(p) AS `pods waiting`",
    ),
    Query(
        "Which network policies select each pod of the namespace shop?",
        "OPTIONAL MATCH (all:NetworkPolicy)-[:SELECTS]->(:Namespace {client_id: $client_id, name: 'shop'})\n"
        "WITH collect(all.name) AS everywhere\n"
        "MATCH (p:Pod {client_id: $client_id, ns: 'shop'}) OPTIONAL MATCH (n:NetworkPolicy)-[:SELECTS]->(p)\n"
        "WITH everywhere, p, collect(n.name) AS by_label\n"
        "RETURN p.name AS pod, by_label[..5] AS `by label`, everywhere[..5] AS everywhere,\n"
        "  size(by_label) + size(everywhere) AS policies, coalesce(p.policies_capped, false) AS `and more` ORDER BY pod",
    ),
    Query(
        "Which Pods and alerts have more than 32 selectors or rules, so that some are not joined?",
        "MATCH (p:Pod {client_id: $client_id}) WHERE p.services_capped OR p.policies_capped\n"
        "RETURN 'pods of ' + p.ns AS what, count(p) AS number\n"
        "UNION MATCH (r:Rule {client_id: $client_id}) WHERE r.emits_capped\n"
        "RETURN 'rules of ' + r.alert AS what, count(r) AS number",
    ),
    Query(
        "What is wrong now, and why?",
        "MATCH (i:Incident {client_id: $client_id, state: 'open'})\n"
        "RETURN i.title AS `what is wrong`, i.words AS `how sure`, toString(i.opened) AS since, i.do AS `what to do`"
        " ORDER BY i.confidence DESC",
    ),
    Query(
        "What does each open incident affect?",
        "MATCH (i:Incident {client_id: $client_id, state: 'open'})-[a:AFFECTS]->(r)\n"
        "RETURN i.title AS incident, a.role AS role, collect(r.kind + '/' + r.name) AS objects ORDER BY incident, role",
    ),
    Query(
        "Which episodes are the evidence of an incident?",
        "MATCH (e:Episodic {client_id: $client_id})-[:PART_OF]->(i:Incident)\n"
        f"WITH e, i, coalesce(e.event_time, {_REPORTED}) AS moment\n"
        "RETURN i.title AS incident, toString(moment) AS at, e.reason AS reason, e.message AS message, e.ver AS record"
        " ORDER BY moment LIMIT 20",
    ),
    Query(
        "Which episode probably caused which?",
        "MATCH (a:Episodic {client_id: $client_id})-[c:POTENTIAL_CAUSE]->(b:Episodic)\n"
        "RETURN a.subject AS cause, b.subject AS effect, c.path AS path, c.why AS why, c.confidence AS confidence"
        " ORDER BY confidence DESC LIMIT 20",
    ),
    Query(
        "Which incidents are over, and how long did they last?",
        "MATCH (i:Incident {client_id: $client_id, state: 'resolved'})\n"
        "RETURN i.title AS incident, toString(i.opened) AS opened, duration.between(i.opened, i.resolved).minutes AS minutes"
        " ORDER BY opened DESC",
    ),
    Query(
        "Which objects are ailing, by their own state?",
        "MATCH (r:Resource {client_id: $client_id, ailing: true}) RETURN r.kind AS kind, r.ns AS ns, r.name AS name"
        " ORDER BY kind, ns, name LIMIT 20",
    ),
    Query(
        "Who calls whom?",
        "MATCH (w:Resource {client_id: $client_id})-[:CALLS]->(s:Service)\n"
        "RETURN w.kind + '/' + w.name AS caller, s.name AS service, s.stub IS NOT NULL AS `is missing` ORDER BY caller, service LIMIT 20",
    ),
    Query(
        "What was wrong with which objects, and when?",
        "MATCH (e:Episodic {client_id: $client_id}) WHERE e.finding > ''\n"
        f"WITH e, {_REPORTED} AS reported\n"
        "RETURN e.finding AS finding, e.subject AS object, toString(e.event_time) AS since, toString(reported) AS `last reported`,\n"
        "  e.message AS message ORDER BY coalesce(e.event_time, reported) DESC, object, finding LIMIT 20",
    ),
    Query(
        "Which quotas are nearly used up?",
        "MATCH (q:ResourceQuota {client_id: $client_id, ailing: true}) RETURN q.ns AS ns, q.name AS quota, q.status AS status"
        " ORDER BY ns, quota",
    ),
    Query(
        "Which objects are the cause of most incidents?",
        "MATCH (i:Incident {client_id: $client_id})-[:AFFECTS {role: 'cause'}]->(r)\n"
        "RETURN r.kind + '/' + r.name AS cause, count(i) AS incidents, collect(DISTINCT i.kind) AS kinds"
        " ORDER BY incidents DESC, cause LIMIT 10",
    ),
)
