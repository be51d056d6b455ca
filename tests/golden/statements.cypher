// schema 0
CREATE CONSTRAINT resource_key IF NOT EXISTS FOR (n:Resource) REQUIRE (n.client_id, n.rid) IS UNIQUE;

// schema 1
CREATE CONSTRAINT episodic_key IF NOT EXISTS FOR (n:Episodic) REQUIRE (n.client_id, n.eid) IS UNIQUE;

// schema 2
CREATE CONSTRAINT promtarget_key IF NOT EXISTS FOR (n:PromTarget) REQUIRE (n.client_id, n.tid) IS UNIQUE;

// schema 3
CREATE CONSTRAINT rule_key IF NOT EXISTS FOR (n:Rule) REQUIRE (n.client_id, n.rkey) IS UNIQUE;

// schema 4
CREATE CONSTRAINT incident_key IF NOT EXISTS FOR (n:Incident) REQUIRE (n.client_id, n.iid) IS UNIQUE;

// schema 5
CREATE CONSTRAINT cluster_key IF NOT EXISTS FOR (n:Cluster) REQUIRE (n.client_id) IS UNIQUE;

// schema 6
CREATE CONSTRAINT tombstone_key IF NOT EXISTS FOR (n:Tombstone) REQUIRE (n.client_id, n.key) IS UNIQUE;

// schema 7
CREATE CONSTRAINT lease_key IF NOT EXISTS FOR (n:Lease) REQUIRE (n.client_id, n.name) IS UNIQUE;

// schema 8
CREATE CONSTRAINT clusterepisode_key IF NOT EXISTS FOR (n:ClusterEpisode) REQUIRE (n.client_id, n.eid) IS UNIQUE;

// schema 9
CREATE CONSTRAINT bus_key IF NOT EXISTS FOR (n:Bus) REQUIRE (n.client_id, n.name) IS UNIQUE;

// schema 10
CREATE CONSTRAINT backfill_key IF NOT EXISTS FOR (n:Backfill) REQUIRE (n.client_id, n.name) IS UNIQUE;

// schema 11
CREATE CONSTRAINT backfillslice_key IF NOT EXISTS FOR (n:BackfillSlice) REQUIRE (n.client_id, n.key) IS UNIQUE;

// schema 12
CREATE CONSTRAINT schema_key IF NOT EXISTS FOR (n:Schema) REQUIRE (n.client_id, n.name) IS UNIQUE;

// schema 13
CREATE INDEX resource_uid IF NOT EXISTS FOR (n:Resource) ON (n.client_id, n.uid);

// schema 14
CREATE INDEX resource_bare IF NOT EXISTS FOR (n:Resource) ON (n.client_id, n.bare);

// schema 15
CREATE INDEX resource_ailing IF NOT EXISTS FOR (n:Resource) ON (n.client_id, n.ailing);

// schema 16
CREATE INDEX episodic_subject IF NOT EXISTS FOR (n:Episodic) ON (n.client_id, n.subject);

// schema 17
CREATE INDEX episodic_subject_uid IF NOT EXISTS FOR (n:Episodic) ON (n.client_id, n.subject_uid);

// schema 18
CREATE INDEX episodic_alert IF NOT EXISTS FOR (n:Episodic) ON (n.client_id, n.alert);

// schema 19
CREATE INDEX episodic_ver IF NOT EXISTS FOR (n:Episodic) ON (n.client_id, n.ver);

// schema 20
CREATE INDEX episodic_finding IF NOT EXISTS FOR (n:Episodic) ON (n.client_id, n.finding);

// schema 21
CREATE INDEX promtarget_subject IF NOT EXISTS FOR (n:PromTarget) ON (n.client_id, n.subject);

// schema 22
CREATE INDEX rule_subject IF NOT EXISTS FOR (n:Rule) ON (n.client_id, n.subject);

// schema 23
CREATE INDEX rule_alert IF NOT EXISTS FOR (n:Rule) ON (n.client_id, n.alert);

// schema 24
CREATE INDEX incident_state IF NOT EXISTS FOR (n:Incident) ON (n.client_id, n.state);

// schema 25
CREATE INDEX tombstone_ref_a IF NOT EXISTS FOR (n:Tombstone) ON (n.client_id, n.ref_a);

// schema 26
CREATE INDEX tombstone_ref_b IF NOT EXISTS FOR (n:Tombstone) ON (n.client_id, n.ref_b);

// schema 27
CREATE INDEX tombstone_ver IF NOT EXISTS FOR (n:Tombstone) ON (n.client_id, n.ver);

// schema 28
CREATE INDEX service_ns IF NOT EXISTS FOR (n:Service) ON (n.client_id, n.ns);

// schema 29
CREATE INDEX networkpolicy_ns IF NOT EXISTS FOR (n:NetworkPolicy) ON (n.client_id, n.ns);

// schema 30
CREATE INDEX pod_ns IF NOT EXISTS FOR (n:Pod) ON (n.client_id, n.ns);

// schema 31
CREATE FULLTEXT INDEX resource_text IF NOT EXISTS FOR (n:Resource) ON EACH [n.client_id, n.name, n.ns, n.labels, n.image, n.pod_ip, n.service_ips, n.uid] OPTIONS {indexConfig: {`fulltext.analyzer`: 'unicode_whitespace', `fulltext.eventually_consistent`: true}};

// schema 32
CREATE INDEX runs_on_edge_id IF NOT EXISTS FOR ()-[r:RUNS_ON]-() ON (r.client_id, r.edge_id);

// schema 33
CREATE INDEX selects_edge_id IF NOT EXISTS FOR ()-[r:SELECTS]-() ON (r.client_id, r.edge_id);

// schema 34
CREATE INDEX controls_edge_id IF NOT EXISTS FOR ()-[r:CONTROLS]-() ON (r.client_id, r.edge_id);

// AWAIT_INDEXES
CALL db.awaitIndexes($seconds);

// LOCK_TENANTS
UNWIND $rows AS row
MERGE (c:Cluster {client_id: row.client_id})
ON CREATE SET c.first_seen = coalesce(row.seen, timestamp()), c.last_seen = coalesce(row.seen, timestamp()),
    c.heard = timestamp(), c.created = timestamp(), c.generation = 1, c.state = 'ACTIVE', c.state_since = timestamp(),
    c.spelling = 2
SET c.writes = coalesce(c.writes, 0) + 1, c.written_at = timestamp()
RETURN row.client_id AS client_id, c.floor AS floor, c.episode_floor AS episode_floor, c.swept AS swept, c.writes AS writes, c.purging AS purging,
    c.purged_generation AS purged_generation, c.resync_needed AS resync_needed, c.generation_from AS generation_from,
    c.quiet AS quiet;

// WAKE
UNWIND $rows AS row
MATCH (c:Cluster {client_id: row.client_id})
REMOVE c.quiet;

// UPSERT_RESOURCE
UNWIND $rows AS row
MERGE (n:Resource {client_id: row.client_id, rid: row.rid})
SET n = row.props, n:$(row.kinds);

// CREATE_STUB
UNWIND $rows AS row
MERGE (n:Resource {client_id: row.client_id, rid: row.rid})
ON CREATE SET n = row.props, n:$(row.kinds);

// CLEAR_RESOURCE
UNWIND $rows AS row
MATCH (n:Resource {client_id: row.client_id, rid: row.rid})
SET n = row.props;

// PRUNE_STUB
UNWIND $rows AS row
MATCH (n:Resource {client_id: row.client_id, rid: row.key})
WHERE n.stub AND NOT EXISTS { (n)--() }
DELETE n
RETURN row.client_id AS client_id, row.key AS rid;

// UPSERT_REFERRER Episodic
UNWIND $rows AS row
MERGE (n:Episodic {client_id: row.client_id, eid: row.key})
SET n = row.props;

// UPSERT_REFERRER PromTarget
UNWIND $rows AS row
MERGE (n:PromTarget {client_id: row.client_id, tid: row.key})
SET n = row.props;

// UPSERT_REFERRER Rule
UNWIND $rows AS row
MERGE (n:Rule {client_id: row.client_id, rkey: row.key})
SET n = row.props;

// CAP_RESOURCE
UNWIND $rows AS row
MATCH (n:Resource {client_id: row.client_id, rid: row.key})
SET n += row.props;

// COUNT_REFERRER Episodic
UNWIND $rows AS row
MATCH (n:Episodic {client_id: row.client_id, eid: row.key})
SET n += row.props;

// COUNT_REFERRER Rule
UNWIND $rows AS row
MATCH (n:Rule {client_id: row.client_id, rkey: row.key})
SET n += row.props;

// DROP_REFERRER Episodic
UNWIND $rows AS row
MATCH (n:Episodic {client_id: row.client_id, eid: row.key})
DETACH DELETE n;

// DROP_REFERRER PromTarget
UNWIND $rows AS row
MATCH (n:PromTarget {client_id: row.client_id, tid: row.key})
DETACH DELETE n;

// DROP_REFERRER Rule
UNWIND $rows AS row
MATCH (n:Rule {client_id: row.client_id, rkey: row.key})
DETACH DELETE n;

// PUT_TOMBSTONE
UNWIND $rows AS row
MERGE (n:Tombstone {client_id: row.client_id, key: row.key})
SET n = row.props;

// DROP_TOMBSTONE
UNWIND $rows AS row
MATCH (n:Tombstone {client_id: row.client_id, key: row.key})
DELETE n;

// TOUCH_RESOURCE
UNWIND $rows AS row
MATCH (n:Resource {client_id: row.client_id, rid: row.key})
SET n.ver = row.ver;

// TOUCH_REFERRER Episodic
UNWIND $rows AS row
MATCH (n:Episodic {client_id: row.client_id, eid: row.key})
SET n.ver = row.ver;

// TOUCH_REFERRER PromTarget
UNWIND $rows AS row
MATCH (n:PromTarget {client_id: row.client_id, tid: row.key})
SET n.ver = row.ver;

// TOUCH_REFERRER Rule
UNWIND $rows AS row
MATCH (n:Rule {client_id: row.client_id, rkey: row.key})
SET n.ver = row.ver;

// PUT_RELATIONSHIP RUNS_ON
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MERGE (a)-[r:RUNS_ON]->(b)
SET r = row.props;

// PUT_RELATIONSHIP SELECTS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MERGE (a)-[r:SELECTS]->(b)
SET r = row.props;

// PUT_RELATIONSHIP CONTROLS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MERGE (a)-[r:CONTROLS]->(b)
SET r = row.props;

// PUT_RELATIONSHIP MOUNTS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MERGE (a)-[r:MOUNTS]->(b)
SET r = row.props;

// PUT_RELATIONSHIP USES
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MERGE (a)-[r:USES]->(b)
SET r = row.props;

// PUT_RELATIONSHIP ROUTES
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MERGE (a)-[r:ROUTES]->(b)
SET r = row.props;

// PUT_RELATIONSHIP CLAIMS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MERGE (a)-[r:CLAIMS]->(b)
SET r = row.props;

// PUT_RELATIONSHIP SCALES
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MERGE (a)-[r:SCALES]->(b)
SET r = row.props;

// PUT_RELATIONSHIP CALLS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MERGE (a)-[r:CALLS]->(b)
SET r = row.props;

// PUT_RELATIONSHIP ABOUT
UNWIND $rows AS row
MATCH (a:Episodic {client_id: row.client_id, eid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MERGE (a)-[r:ABOUT]->(b)
SET r = row.props;

// PUT_RELATIONSHIP SCRAPES
UNWIND $rows AS row
MATCH (a:PromTarget {client_id: row.client_id, tid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MERGE (a)-[r:SCRAPES]->(b)
SET r = row.props;

// PUT_RELATIONSHIP SCOPES
UNWIND $rows AS row
MATCH (a:Rule {client_id: row.client_id, rkey: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MERGE (a)-[r:SCOPES]->(b)
SET r = row.props;

// PUT_RELATIONSHIP EMITS
UNWIND $rows AS row
MATCH (a:Rule {client_id: row.client_id, rkey: row.source})
MATCH (b:Episodic {client_id: row.client_id, eid: row.target})
MERGE (a)-[r:EMITS]->(b)
SET r = row.props;

// TOUCH_RELATIONSHIP RUNS_ON
UNWIND $rows AS row
MATCH ()-[r:RUNS_ON {client_id: row.client_id, edge_id: row.key}]->()
SET r.ver = row.ver;

// TOUCH_RELATIONSHIP SELECTS
UNWIND $rows AS row
MATCH ()-[r:SELECTS {client_id: row.client_id, edge_id: row.key}]->()
SET r.ver = row.ver;

// TOUCH_RELATIONSHIP CONTROLS
UNWIND $rows AS row
MATCH ()-[r:CONTROLS {client_id: row.client_id, edge_id: row.key}]->()
SET r.ver = row.ver;

// DROP_RELATIONSHIP RUNS_ON
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:RUNS_ON]->(b)
DELETE r;

// DROP_RELATIONSHIP SELECTS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:SELECTS]->(b)
DELETE r;

// DROP_RELATIONSHIP CONTROLS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:CONTROLS]->(b)
DELETE r;

// DROP_RELATIONSHIP MOUNTS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:MOUNTS]->(b)
DELETE r;

// DROP_RELATIONSHIP USES
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:USES]->(b)
DELETE r;

// DROP_RELATIONSHIP ROUTES
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:ROUTES]->(b)
DELETE r;

// DROP_RELATIONSHIP CLAIMS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:CLAIMS]->(b)
DELETE r;

// DROP_RELATIONSHIP SCALES
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:SCALES]->(b)
DELETE r;

// DROP_RELATIONSHIP CALLS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:CALLS]->(b)
DELETE r;

// DROP_RELATIONSHIP ABOUT
UNWIND $rows AS row
MATCH (a:Episodic {client_id: row.client_id, eid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:ABOUT]->(b)
DELETE r;

// DROP_RELATIONSHIP SCRAPES
UNWIND $rows AS row
MATCH (a:PromTarget {client_id: row.client_id, tid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:SCRAPES]->(b)
DELETE r;

// DROP_RELATIONSHIP SCOPES
UNWIND $rows AS row
MATCH (a:Rule {client_id: row.client_id, rkey: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:SCOPES]->(b)
DELETE r;

// DROP_RELATIONSHIP EMITS
UNWIND $rows AS row
MATCH (a:Rule {client_id: row.client_id, rkey: row.source})
MATCH (b:Episodic {client_id: row.client_id, eid: row.target})
MATCH (a)-[r:EMITS]->(b)
DELETE r;

// DROP_EMITS Episodic
UNWIND $rows AS row
MATCH (n:Episodic {client_id: row.client_id, eid: row.key})-[r:EMITS]-()
DELETE r;

// DROP_EMITS Rule
UNWIND $rows AS row
MATCH (n:Rule {client_id: row.client_id, rkey: row.key})-[r:EMITS]-()
DELETE r;

// JOIN_EPISODES
UNWIND $rows AS row
MATCH (a:Rule {client_id: row.client_id, rkey: row.key})
MATCH (b:Episodic {client_id: row.client_id, alert: row.alert})
MERGE (a)-[r:EMITS]->(b)
SET r = row.props;

// READ_NODES
UNWIND $rows AS row
MATCH (n:Resource {client_id: row.client_id, rid: row.key})
RETURN row.client_id AS client_id, n.rid AS rid, n.uid AS uid, n.ver AS ver, n.hash AS hash, n.implies AS implies, n.labels AS labels, n.selector AS selector, n.services_capped AS services_capped, n.policies_capped AS policies_capped;

// READ_NODE_PROPS
UNWIND $rows AS row
MATCH (n:Resource {client_id: row.client_id, rid: row.key})
RETURN row.client_id AS client_id, n.rid AS rid, properties(n) AS props;

// READ_RIDS_OF_UIDS
UNWIND $rows AS row
MATCH (n:Resource {client_id: row.client_id, uid: row.key})
RETURN row.client_id AS client_id, row.key AS uid, n.rid AS rid;

// READ_RIDS_OF_BARES
UNWIND $rows AS row
MATCH (n:Resource {client_id: row.client_id, bare: row.key})
WHERE n.ver IS NOT NULL
RETURN row.client_id AS client_id, row.key AS bare, n.rid AS rid;

// READ_RIDS_OF_KIND
UNWIND $rows AS row
MATCH (n:Resource {client_id: row.client_id})
WHERE n.rid STARTS WITH row.key
RETURN row.client_id AS client_id, n.rid AS rid, n.uid AS uid;

// READ_HIDDEN_OF_KIND
UNWIND $rows AS row
MATCH (n:Tombstone {client_id: row.client_id})
WHERE n.key STARTS WITH row.key AND n.key CONTAINS row.kind
RETURN row.client_id AS client_id, n.key AS key;

// READ_TOMBSTONES
UNWIND $rows AS row
MATCH (n:Tombstone {client_id: row.client_id, key: row.key})
RETURN row.client_id AS client_id, n.key AS key, n.ver AS ver, n.payload AS payload, n.ref_a AS ref_a, n.ref_b AS ref_b;

// READ_TOMBSTONES_BY_REF
UNWIND $rows AS row
MATCH (n:Tombstone {client_id: row.client_id, ref_a: row.key})
RETURN row.client_id AS client_id, n.key AS key, n.ver AS ver, n.payload AS payload, n.ref_a AS ref_a, n.ref_b AS ref_b
UNION
UNWIND $rows AS row
MATCH (n:Tombstone {client_id: row.client_id, ref_b: row.key})
RETURN row.client_id AS client_id, n.key AS key, n.ver AS ver, n.payload AS payload, n.ref_a AS ref_a, n.ref_b AS ref_b;

// READ_EDGES RUNS_ON
UNWIND $rows AS row
MATCH (a)-[r:RUNS_ON {client_id: row.client_id, edge_id: row.key}]->(b)
RETURN row.client_id AS client_id, type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named;

// READ_EDGES SELECTS
UNWIND $rows AS row
MATCH (a)-[r:SELECTS {client_id: row.client_id, edge_id: row.key}]->(b)
RETURN row.client_id AS client_id, type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named;

// READ_EDGES CONTROLS
UNWIND $rows AS row
MATCH (a)-[r:CONTROLS {client_id: row.client_id, edge_id: row.key}]->(b)
RETURN row.client_id AS client_id, type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named;

// READ_EDGES_AT
UNWIND $rows AS row
MATCH (n:Resource {client_id: row.client_id, rid: row.key})-[r:RUNS_ON|SELECTS|CONTROLS|MOUNTS|USES|ROUTES|CLAIMS|SCALES|CALLS]-(:Resource)
WITH DISTINCT row.client_id AS client_id, r, startNode(r) AS a, endNode(r) AS b
RETURN client_id, type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named;

// READ_EDGES_OF_TRIPLES RUNS_ON
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:RUNS_ON]->(b)
RETURN row.client_id AS client_id, type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named;

// READ_EDGES_OF_TRIPLES SELECTS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:SELECTS]->(b)
RETURN row.client_id AS client_id, type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named;

// READ_EDGES_OF_TRIPLES CONTROLS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:CONTROLS]->(b)
RETURN row.client_id AS client_id, type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named;

// READ_EDGES_OF_TRIPLES MOUNTS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:MOUNTS]->(b)
RETURN row.client_id AS client_id, type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named;

// READ_EDGES_OF_TRIPLES USES
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:USES]->(b)
RETURN row.client_id AS client_id, type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named;

// READ_EDGES_OF_TRIPLES ROUTES
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:ROUTES]->(b)
RETURN row.client_id AS client_id, type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named;

// READ_EDGES_OF_TRIPLES CLAIMS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:CLAIMS]->(b)
RETURN row.client_id AS client_id, type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named;

// READ_EDGES_OF_TRIPLES SCALES
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:SCALES]->(b)
RETURN row.client_id AS client_id, type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named;

// READ_EDGES_OF_TRIPLES CALLS
UNWIND $rows AS row
MATCH (a:Resource {client_id: row.client_id, rid: row.source})
MATCH (b:Resource {client_id: row.client_id, rid: row.target})
MATCH (a)-[r:CALLS]->(b)
RETURN row.client_id AS client_id, type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named;

// READ_SELECTORS
UNWIND $rows AS row
MATCH (n:Service {client_id: row.client_id, ns: row.key})
WHERE n.ver IS NOT NULL
RETURN row.client_id AS client_id, n.rid AS rid, coalesce(n.selector, []) AS pairs
UNION
UNWIND $rows AS row
MATCH (n:NetworkPolicy {client_id: row.client_id, ns: row.key})
WHERE n.ver IS NOT NULL
RETURN row.client_id AS client_id, n.rid AS rid, coalesce(n.selector, []) AS pairs;

// READ_LABELS
UNWIND $rows AS row
MATCH (n:Pod {client_id: row.client_id, ns: row.key})
WHERE n.ver IS NOT NULL
RETURN row.client_id AS client_id, n.rid AS rid, coalesce(n.labels, []) AS pairs;

// READ_REFERRERS Episodic
UNWIND $rows AS row
MATCH (n:Episodic {client_id: row.client_id, eid: row.key})
RETURN row.client_id AS client_id, n.eid AS key, n.ver AS ver, n.hash AS hash, n.subject AS subject, EXISTS { (n)-[:ABOUT]->(:Resource) } AS stands, n.seen AS seen, n.subject_named AS named, n.subject_uid AS subject_uid, n.alert AS alert;

// READ_REFERRERS PromTarget
UNWIND $rows AS row
MATCH (n:PromTarget {client_id: row.client_id, tid: row.key})
RETURN row.client_id AS client_id, n.tid AS key, n.ver AS ver, n.hash AS hash, n.subject AS subject, EXISTS { (n)-[:SCRAPES]->(:Resource) } AS stands, NULL AS seen, NULL AS named, NULL AS subject_uid, NULL AS alert;

// READ_REFERRERS Rule
UNWIND $rows AS row
MATCH (n:Rule {client_id: row.client_id, rkey: row.key})
RETURN row.client_id AS client_id, n.rkey AS key, n.ver AS ver, n.hash AS hash, n.subject AS subject, EXISTS { (n)-[:SCOPES]->(:Resource) } AS stands, NULL AS seen, NULL AS named, NULL AS subject_uid, n.alert AS alert;

// READ_REFERRERS_OF_SUBJECTS Episodic
UNWIND $rows AS row
MATCH (n:Episodic {client_id: row.client_id, subject: row.key})
RETURN row.client_id AS client_id, n.eid AS key, n.ver AS ver, n.hash AS hash, n.subject AS subject, EXISTS { (n)-[:ABOUT]->(:Resource) } AS stands, n.seen AS seen, n.subject_named AS named, n.subject_uid AS subject_uid, n.alert AS alert;

// READ_REFERRERS_OF_SUBJECTS PromTarget
UNWIND $rows AS row
MATCH (n:PromTarget {client_id: row.client_id, subject: row.key})
RETURN row.client_id AS client_id, n.tid AS key, n.ver AS ver, n.hash AS hash, n.subject AS subject, EXISTS { (n)-[:SCRAPES]->(:Resource) } AS stands, NULL AS seen, NULL AS named, NULL AS subject_uid, NULL AS alert;

// READ_REFERRERS_OF_SUBJECTS Rule
UNWIND $rows AS row
MATCH (n:Rule {client_id: row.client_id, subject: row.key})
RETURN row.client_id AS client_id, n.rkey AS key, n.ver AS ver, n.hash AS hash, n.subject AS subject, EXISTS { (n)-[:SCOPES]->(:Resource) } AS stands, NULL AS seen, NULL AS named, NULL AS subject_uid, n.alert AS alert;

// READ_REFERRERS_OF_UIDS Episodic
UNWIND $rows AS row
MATCH (n:Episodic {client_id: row.client_id, subject_uid: row.key})
RETURN row.client_id AS client_id, n.eid AS key, n.ver AS ver, n.hash AS hash, n.subject AS subject, EXISTS { (n)-[:ABOUT]->(:Resource) } AS stands, n.seen AS seen, n.subject_named AS named, n.subject_uid AS subject_uid, n.alert AS alert;

// READ_ALERTING Episodic
UNWIND $rows AS row
MATCH (n:Episodic {client_id: row.client_id, alert: row.key})
RETURN row.client_id AS client_id, n.eid AS key, row.key AS alert;

// READ_ALERTING Rule
UNWIND $rows AS row
MATCH (n:Rule {client_id: row.client_id, alert: row.key})
RETURN row.client_id AS client_id, n.rkey AS key, row.key AS alert;

// COUNT_EPISODES
UNWIND $rows AS row
MATCH (n:Episodic {client_id: row.client_id, alert: row.key})
RETURN row.client_id AS client_id, row.key AS alert, count(n) AS number;

// READ_ALL_NODES
UNWIND $rows AS row
CALL (row) {
  MATCH (n:Resource {client_id: row.client_id}) WHERE n.rid > ''
  RETURN n.rid AS rid, n.uid AS uid, n.ver AS ver, n.hash AS hash, n.implies AS implies, n.labels AS labels, n.selector AS selector, n.services_capped AS services_capped, n.policies_capped AS policies_capped LIMIT $most
}
RETURN row.client_id AS client_id, rid, uid, ver, hash, implies, labels, selector, services_capped, policies_capped;

// READ_ALL_EDGES
UNWIND $rows AS row
CALL (row) {
  MATCH (a:Resource {client_id: row.client_id}) WHERE a.rid > ''
  MATCH (a)-[r:RUNS_ON|SELECTS|CONTROLS|MOUNTS|USES|ROUTES|CLAIMS|SCALES|CALLS]->(b:Resource)
  RETURN type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named LIMIT $most
}
RETURN row.client_id AS client_id, type, source, target, edge_id, ver, derived, named;

// READ_ALL_TOMBSTONES
UNWIND $rows AS row
CALL (row) {
  MATCH (n:Tombstone {client_id: row.client_id}) WHERE n.key > ''
  RETURN n.key AS key, n.ver AS ver, n.payload AS payload, n.ref_a AS ref_a, n.ref_b AS ref_b LIMIT $most
}
RETURN row.client_id AS client_id, key, ver, payload, ref_a, ref_b;

// WRITES_OF_TENANT
MATCH (c:Cluster {client_id: $client_id})
RETURN c.writes AS writes;

// TENANTS
MATCH (c:Cluster) RETURN c.client_id AS client_id ORDER BY client_id;

// TAKE_LEASE
MERGE (l:Lease {client_id: $client_id, name: $name})
SET l.asked = timestamp()
WITH l, l.holder AS before, l.holder IS NULL OR l.holder IN [$holder, $replaces] OR l.expires <= timestamp() AS free
SET l.holder = CASE WHEN free THEN $holder ELSE l.holder END,
    l.expires = CASE WHEN free THEN timestamp() + $ttl_ms ELSE l.expires END
RETURN free, before, l.holder AS holder, l.expires AS expires, l.expires - timestamp() AS left_ms;

// DROP_LEASE
MATCH (l:Lease {client_id: $client_id, name: $name})
WHERE l.holder = $holder
DELETE l;

// LOOK_AT_LEASE
MATCH (l:Lease {client_id: $client_id, name: $name})
RETURN l.holder AS holder, l.expires - timestamp() AS left_ms;

// KEEP_OFFSETS
MATCH (l:Lease {client_id: $client_id, name: $name})
WHERE l.holder = $holder
MERGE (o:Lease {client_id: $client_id, name: $kept})
SET o.kept_at = timestamp(), o.topics = $topics, o.partitions = $partitions, o.ids = $ids, o.offsets = $offsets;

// READ_KEPT_OFFSETS
MATCH (o:Lease {client_id: $client_id, name: $kept})
RETURN o.topics AS topics, o.partitions AS partitions, o.ids AS ids, o.offsets AS offsets, timestamp() - o.kept_at AS age_ms;

// TRY_TO_WRITE
CREATE (l:Lease {client_id: $client_id, name: $name});

// RAISE_FLOORS
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1,
    c.swept = CASE WHEN c.swept >= $swept THEN c.swept ELSE $swept END,
    c.episode_floor = CASE WHEN c.episode_floor >= $episode_floor THEN c.episode_floor ELSE $episode_floor END
RETURN c.swept AS swept, c.episode_floor AS episode_floor;

// SWEEP_EPISODES
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
MATCH (n:Episodic {client_id: $client_id})
WHERE n.ver > '' AND n.ver <= $floor
WITH n LIMIT $most
DETACH DELETE n
RETURN count(*) AS gone;

// SWEEP_INCIDENTS
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
MATCH (i:Incident {client_id: $client_id})
WHERE i.iid > '' AND i.resolved.epochSeconds * 1000000 + i.resolved.microsecond <= $before_us
WITH i LIMIT $most
DETACH DELETE i
RETURN count(*) AS gone;

// COUNT_OLD_INCIDENTS
MATCH (i:Incident {client_id: $client_id})
WHERE i.iid > '' AND i.resolved.epochSeconds * 1000000 + i.resolved.microsecond <= $before_us
RETURN count(*) AS number;

// OLD_TOMBSTONES
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
MATCH (n:Tombstone {client_id: $client_id})
WHERE n.ver > '' AND n.ver <= $floor
RETURN n.key AS key, n.ver AS ver, n.payload AS payload, n.ref_a AS ref_a, n.ref_b AS ref_b LIMIT $most;

// SWEEP_STUBS
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
MATCH (n:Resource)
USING INDEX n:Resource(client_id, rid)
WHERE n.client_id = $client_id AND n.rid > $after
WITH n ORDER BY n.client_id, n.rid LIMIT $most
WITH collect(n) AS page, last(collect(n.rid)) AS last
CALL (page) {
  UNWIND page AS n
  WITH n WHERE n.stub AND NOT EXISTS { (n)--() }
  DELETE n
  RETURN count(*) AS gone
}
RETURN last, gone;

// COUNT_OLD Episodic
MATCH (n:Episodic {client_id: $client_id})
WHERE n.ver > '' AND n.ver <= $floor
RETURN count(*) AS number;

// COUNT_OLD Tombstone
MATCH (n:Tombstone {client_id: $client_id})
WHERE n.ver > '' AND n.ver <= $floor
RETURN count(*) AS number;

// SERVER_TIME
RETURN timestamp() AS ms;

// TENANTS_STANDING
MATCH (c:Cluster)
RETURN properties(c) AS props, timestamp() AS now_ms ORDER BY c.client_id;

// TENANT_STANDING
MATCH (c:Cluster {client_id: $client_id})
RETURN properties(c) AS props, timestamp() AS now_ms;

// BUS_CLOCK
MATCH (b:Bus {client_id: $client_id, name: $name})
RETURN b.clock_ms AS clock_ms;

// CLUSTER_EPISODES
MATCH (e:ClusterEpisode {client_id: $client_id})
WHERE e.eid >= ''
RETURN properties(e) AS props ORDER BY e.at_ms DESC, e.eid DESC LIMIT $most;

// COUNT_NODES Resource
MATCH (n:Resource {client_id: $client_id})
WHERE n.rid >= ''
RETURN count(*) AS number;

// COUNT_NODES Episodic
MATCH (n:Episodic {client_id: $client_id})
WHERE n.eid >= ''
RETURN count(*) AS number;

// COUNT_NODES PromTarget
MATCH (n:PromTarget {client_id: $client_id})
WHERE n.tid >= ''
RETURN count(*) AS number;

// COUNT_NODES Rule
MATCH (n:Rule {client_id: $client_id})
WHERE n.rkey >= ''
RETURN count(*) AS number;

// COUNT_NODES Incident
MATCH (n:Incident {client_id: $client_id})
WHERE n.iid >= ''
RETURN count(*) AS number;

// COUNT_NODES Tombstone
MATCH (n:Tombstone {client_id: $client_id})
WHERE n.key >= ''
RETURN count(*) AS number;

// COUNT_RELATIONSHIPS Resource
MATCH (n:Resource {client_id: $client_id})
WHERE n.rid >= ''
MATCH (n)-[r]->()
RETURN count(r) AS number;

// COUNT_RELATIONSHIPS Episodic
MATCH (n:Episodic {client_id: $client_id})
WHERE n.eid >= ''
MATCH (n)-[r]->()
RETURN count(r) AS number;

// COUNT_RELATIONSHIPS PromTarget
MATCH (n:PromTarget {client_id: $client_id})
WHERE n.tid >= ''
MATCH (n)-[r]->()
RETURN count(r) AS number;

// COUNT_RELATIONSHIPS Rule
MATCH (n:Rule {client_id: $client_id})
WHERE n.rkey >= ''
MATCH (n)-[r]->()
RETURN count(r) AS number;

// COUNT_RELATIONSHIPS Incident
MATCH (n:Incident {client_id: $client_id})
WHERE n.iid >= ''
MATCH (n)-[r]->()
RETURN count(r) AS number;

// LOCK_STANDING
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
RETURN properties(c) AS props, timestamp() AS now_ms;

// GREATEST_OF_NODES Resource
MATCH (n:Resource {client_id: $client_id})
WHERE n.rid >= '' AND n.ver <= $latest
RETURN max(n.ver) AS ver;

// GREATEST_OF_NODES Episodic
MATCH (n:Episodic {client_id: $client_id})
WHERE n.eid >= '' AND n.ver <= $latest
RETURN max(n.ver) AS ver;

// GREATEST_OF_NODES PromTarget
MATCH (n:PromTarget {client_id: $client_id})
WHERE n.tid >= '' AND n.ver <= $latest
RETURN max(n.ver) AS ver;

// GREATEST_OF_NODES Rule
MATCH (n:Rule {client_id: $client_id})
WHERE n.rkey >= '' AND n.ver <= $latest
RETURN max(n.ver) AS ver;

// GREATEST_OF_NODES Incident
MATCH (n:Incident {client_id: $client_id})
WHERE n.iid >= '' AND n.ver <= $latest
RETURN max(n.ver) AS ver;

// GREATEST_OF_NODES Tombstone
MATCH (n:Tombstone {client_id: $client_id})
WHERE n.key >= '' AND n.ver <= $latest
RETURN max(n.ver) AS ver;

// GREATEST_OF_RELATIONSHIPS Resource
MATCH (n:Resource {client_id: $client_id})
WHERE n.rid >= ''
MATCH (n)-[r]->()
WHERE r.ver <= $latest
RETURN max(r.ver) AS ver;

// GREATEST_OF_RELATIONSHIPS Episodic
MATCH (n:Episodic {client_id: $client_id})
WHERE n.eid >= ''
MATCH (n)-[r]->()
WHERE r.ver <= $latest
RETURN max(r.ver) AS ver;

// GREATEST_OF_RELATIONSHIPS PromTarget
MATCH (n:PromTarget {client_id: $client_id})
WHERE n.tid >= ''
MATCH (n)-[r]->()
WHERE r.ver <= $latest
RETURN max(r.ver) AS ver;

// GREATEST_OF_RELATIONSHIPS Rule
MATCH (n:Rule {client_id: $client_id})
WHERE n.rkey >= ''
MATCH (n)-[r]->()
WHERE r.ver <= $latest
RETURN max(r.ver) AS ver;

// GREATEST_OF_RELATIONSHIPS Incident
MATCH (n:Incident {client_id: $client_id})
WHERE n.iid >= ''
MATCH (n)-[r]->()
WHERE r.ver <= $latest
RETURN max(r.ver) AS ver;

// BEGIN_PURGE
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1,
    c.floor = CASE WHEN c.floor >= $floor AND c.floor <= $latest THEN c.floor ELSE $floor END,
    c.episode_floor = CASE WHEN c.episode_floor >= $floor AND c.episode_floor <= $latest THEN c.episode_floor ELSE $floor END,
    c.purging = true, c.purge_by = $by, c.purge_reason = $reason, c.purge_started = $now_ms,
    c.purge_nodes = 0, c.purge_relationships = 0;

// PURGE_RELATIONSHIPS Resource
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
WHERE c.purging AND c.purge_started = $started
CALL () {
  MATCH (n:Resource {client_id: $client_id})
  WHERE n.rid >= $at
  WITH n ORDER BY n.client_id, n.rid LIMIT $most
  OPTIONAL MATCH (n)-[r]->()
  WITH n, r ORDER BY n.client_id, n.rid LIMIT $most
  WITH max(n.rid) AS last, count(*) AS rows, collect(r) AS found
  FOREACH (r IN found | DELETE r)
  RETURN last, rows, size(found) AS gone
}
SET c.purge_relationships = c.purge_relationships + gone
RETURN last, rows, gone;

// PURGE_RELATIONSHIPS Episodic
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
WHERE c.purging AND c.purge_started = $started
CALL () {
  MATCH (n:Episodic {client_id: $client_id})
  WHERE n.eid >= $at
  WITH n ORDER BY n.client_id, n.eid LIMIT $most
  OPTIONAL MATCH (n)-[r]->()
  WITH n, r ORDER BY n.client_id, n.eid LIMIT $most
  WITH max(n.eid) AS last, count(*) AS rows, collect(r) AS found
  FOREACH (r IN found | DELETE r)
  RETURN last, rows, size(found) AS gone
}
SET c.purge_relationships = c.purge_relationships + gone
RETURN last, rows, gone;

// PURGE_RELATIONSHIPS PromTarget
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
WHERE c.purging AND c.purge_started = $started
CALL () {
  MATCH (n:PromTarget {client_id: $client_id})
  WHERE n.tid >= $at
  WITH n ORDER BY n.client_id, n.tid LIMIT $most
  OPTIONAL MATCH (n)-[r]->()
  WITH n, r ORDER BY n.client_id, n.tid LIMIT $most
  WITH max(n.tid) AS last, count(*) AS rows, collect(r) AS found
  FOREACH (r IN found | DELETE r)
  RETURN last, rows, size(found) AS gone
}
SET c.purge_relationships = c.purge_relationships + gone
RETURN last, rows, gone;

// PURGE_RELATIONSHIPS Rule
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
WHERE c.purging AND c.purge_started = $started
CALL () {
  MATCH (n:Rule {client_id: $client_id})
  WHERE n.rkey >= $at
  WITH n ORDER BY n.client_id, n.rkey LIMIT $most
  OPTIONAL MATCH (n)-[r]->()
  WITH n, r ORDER BY n.client_id, n.rkey LIMIT $most
  WITH max(n.rkey) AS last, count(*) AS rows, collect(r) AS found
  FOREACH (r IN found | DELETE r)
  RETURN last, rows, size(found) AS gone
}
SET c.purge_relationships = c.purge_relationships + gone
RETURN last, rows, gone;

// PURGE_RELATIONSHIPS Incident
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
WHERE c.purging AND c.purge_started = $started
CALL () {
  MATCH (n:Incident {client_id: $client_id})
  WHERE n.iid >= $at
  WITH n ORDER BY n.client_id, n.iid LIMIT $most
  OPTIONAL MATCH (n)-[r]->()
  WITH n, r ORDER BY n.client_id, n.iid LIMIT $most
  WITH max(n.iid) AS last, count(*) AS rows, collect(r) AS found
  FOREACH (r IN found | DELETE r)
  RETURN last, rows, size(found) AS gone
}
SET c.purge_relationships = c.purge_relationships + gone
RETURN last, rows, gone;

// PURGE_NODES Resource
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
WHERE c.purging AND c.purge_started = $started
CALL () {
  MATCH (n:Resource {client_id: $client_id})
  WHERE n.rid >= ''
  WITH n LIMIT $most
  DETACH DELETE n
  RETURN count(*) AS gone
}
SET c.purge_nodes = c.purge_nodes + gone
RETURN gone;

// PURGE_NODES Episodic
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
WHERE c.purging AND c.purge_started = $started
CALL () {
  MATCH (n:Episodic {client_id: $client_id})
  WHERE n.eid >= ''
  WITH n LIMIT $most
  DETACH DELETE n
  RETURN count(*) AS gone
}
SET c.purge_nodes = c.purge_nodes + gone
RETURN gone;

// PURGE_NODES PromTarget
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
WHERE c.purging AND c.purge_started = $started
CALL () {
  MATCH (n:PromTarget {client_id: $client_id})
  WHERE n.tid >= ''
  WITH n LIMIT $most
  DETACH DELETE n
  RETURN count(*) AS gone
}
SET c.purge_nodes = c.purge_nodes + gone
RETURN gone;

// PURGE_NODES Rule
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
WHERE c.purging AND c.purge_started = $started
CALL () {
  MATCH (n:Rule {client_id: $client_id})
  WHERE n.rkey >= ''
  WITH n LIMIT $most
  DETACH DELETE n
  RETURN count(*) AS gone
}
SET c.purge_nodes = c.purge_nodes + gone
RETURN gone;

// PURGE_NODES Incident
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
WHERE c.purging AND c.purge_started = $started
CALL () {
  MATCH (n:Incident {client_id: $client_id})
  WHERE n.iid >= ''
  WITH n LIMIT $most
  DETACH DELETE n
  RETURN count(*) AS gone
}
SET c.purge_nodes = c.purge_nodes + gone
RETURN gone;

// PURGE_NODES Tombstone
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
WHERE c.purging AND c.purge_started = $started
CALL () {
  MATCH (n:Tombstone {client_id: $client_id})
  WHERE n.key >= ''
  WITH n LIMIT $most
  DETACH DELETE n
  RETURN count(*) AS gone
}
SET c.purge_nodes = c.purge_nodes + gone
RETURN gone;

// END_PURGE
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
WHERE c.purging AND c.purge_started = $started
WITH c, timestamp() AS now, 'purge ' + toString(c.purge_started) AS eid,
    c.purge_nodes AS nodes, c.purge_relationships AS relationships
WITH c, now, eid, {etype: 'cluster.purge', reason: c.purge_reason, at_ms: now, by: c.purge_by, ended_by: $by,
    began_ms: c.purge_started, generation: coalesce(c.generation, 1), nodes: nodes, relationships: relationships,
    message: 'purged ' + toString(nodes) + ' nodes and ' + toString(relationships) + ' relationships'} AS episode
MERGE (e:ClusterEpisode {client_id: $client_id, eid: eid})
SET e += episode
SET c.state = 'PURGED', c.state_since = now, c.purged_at = now,
    c.generation = episode.generation, c.purged_generation = episode.generation
REMOVE c.purging, c.purge_by, c.purge_reason, c.purge_started, c.purge_nodes, c.purge_relationships,
    c.resync_needed, c.generation_from, c.dead_clock_ms, c.quarantined_at, c.quarantine_reason
FOREACH (_ IN CASE WHEN c.deregistered_at IS NULL THEN [] ELSE [1] END |
  SET c.registered = false
  REMOVE c.cluster, c.labels, c.registered_at, c.deregistered_at)
RETURN episode AS purged;

// PURGE_TOLD
MATCH (e:ClusterEpisode {client_id: $client_id, eid: 'purge ' + toString($started)})
RETURN properties(e) AS purged;

// RESTORE
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c, timestamp() AS now, c.floor AS floor
WHERE floor IS NOT NULL AND NOT coalesce(c.purging, false)
WITH c, floor, 'restore ' + toString(now) AS eid,
    {etype: 'cluster.restore', reason: 'asked for', at_ms: now, by: $by, floor: floor,
    message: 'records from before the purge are taken in again, where they are read again'} AS episode
MERGE (e:ClusterEpisode {client_id: $client_id, eid: eid})
SET e += episode
REMOVE c.floor, c.episode_floor
RETURN floor;

// BEGIN_GENERATION
MATCH (c:Cluster {client_id: $client_id})
SET c.generation = coalesce(c.generation, 1) + 1, c.generation_from = $from_ms, c.resync_needed = true,
    c.state = 'ACTIVE', c.state_since = timestamp()
REMOVE c.purged_generation
WITH c, 'generation ' + toString(c.generation) AS eid,
    {etype: 'cluster.generation', reason: 'life after a purge', at_ms: timestamp(), by: $by, generation: c.generation,
    message: 'generation ' + toString(c.generation) + ' began; a snapshot or full resync is needed'} AS episode
MERGE (e:ClusterEpisode {client_id: $client_id, eid: eid})
SET e += episode;

// END_RESYNC
MATCH (c:Cluster {client_id: $client_id})
SET c.resync_needed = false;

// SET_ASIDE
MATCH (c:Cluster {client_id: $client_id})
WITH c, CASE WHEN c.quarantined_at IS NULL THEN [true] ELSE [] END AS news
SET c.quarantined_at = coalesce(c.quarantined_at, timestamp()), c.quarantine_reason = $reason
FOREACH (_ IN news | MERGE (e:ClusterEpisode {client_id: $client_id, eid: 'quarantine ' + toString(timestamp())}) ON CREATE SET e.etype = 'cluster.quarantine', e.reason = 'quarantine', e.message = $reason, e.at_ms = timestamp())
RETURN c.quarantined_at AS at;

// RELEASE
MATCH (c:Cluster {client_id: $client_id})
WHERE c.quarantined_at IS NOT NULL
WITH c, c.quarantined_at AS at, c.quarantine_reason AS reason
REMOVE c.quarantined_at, c.quarantine_reason
MERGE (e:ClusterEpisode {client_id: $client_id, eid: 'release ' + toString(timestamp())}) ON CREATE SET e.etype = 'cluster.release', e.reason = 'release', e.message = reason, e.at_ms = timestamp()
RETURN at, reason;

// READ_QUARANTINED
MATCH (c:Cluster)
WHERE c.quarantined_at IS NOT NULL
RETURN c.client_id AS client_id, c.quarantined_at AS at, c.quarantine_reason AS reason, timestamp() AS now
ORDER BY client_id;

// TRY_SERVER
MERGE (l:Lease {client_id: $client_id, name: $name})
SET l.asked = timestamp();

// READ_CLUSTERS
MATCH (c:Cluster)
RETURN c.client_id AS client_id, coalesce(c.registered, false) AS is_registered, coalesce(c.cluster, '') AS cluster,
  coalesce(c.created, 0) AS created_ms;

// READ_BUS
OPTIONAL MATCH (b:Bus {client_id: $client_id, name: $name})
RETURN timestamp() AS now_ms, coalesce(b.clock_ms, 0) AS clock_ms, coalesce(b.judged_ms, 0) AS judged_ms, coalesce(b.judged_at_ms, 0) AS judged_at_ms;

// LOCK_BUS
MERGE (b:Bus {client_id: $client_id, name: $name})
SET b.asked = timestamp()
RETURN timestamp() AS now_ms, coalesce(b.spans, []) AS spans, coalesce(b.clock_ms, 0) AS clock_ms, coalesce(b.judged_ms, 0) AS judged_ms, coalesce(b.judged_at_ms, 0) AS judged_at_ms;

// WRITE_BUS
MATCH (b:Bus {client_id: $client_id, name: $name})
SET b += $props;

// GREET
UNWIND $rows AS row
MERGE (c:Cluster {client_id: row.client_id})
ON CREATE SET c.first_seen = coalesce(row.seen, timestamp()), c.last_seen = coalesce(row.seen, timestamp()),
    c.heard = timestamp(), c.created = timestamp(), c.generation = 1, c.state = 'ACTIVE', c.state_since = timestamp(),
    c.spelling = 2;

// HEAR
UNWIND $rows AS row
MATCH (c:Cluster {client_id: row.client_id})
WITH c, coalesce(row.seen, timestamp()) AS seen
SET c.heard = timestamp(),
    c.first_seen = CASE WHEN c.first_seen <= seen THEN c.first_seen ELSE seen END,
    c.last_seen = CASE WHEN c.last_seen >= seen THEN c.last_seen ELSE seen END;

// REGISTER
UNWIND $rows AS row
MATCH (c:Cluster {client_id: row.client_id})
WHERE c.registry_ver IS NULL OR c.registry_ver < row.ver
SET c += row.props,
    c.deregistered_at = CASE WHEN row.gone THEN coalesce(row.at, timestamp()) END;

// READ_HEARD
MATCH (c:Cluster)
RETURN c.client_id AS client_id, coalesce(c.state, 'ACTIVE') AS state, coalesce(c.heard, 0) AS heard_ms,
  c.silent_clock_ms AS silent_clock_ms, c.dead_clock_ms AS dead_clock_ms;

// SET_STATE
UNWIND $rows AS row
MATCH (c:Cluster {client_id: row.client_id})
WHERE c.state = row.before AND coalesce(c.heard, 0) = row.heard_ms
SET c.silent_clock_ms = row.silent_clock_ms, c.dead_clock_ms = row.dead_clock_ms, c.state = row.state,
    c.state_since = CASE WHEN row.state = row.before THEN c.state_since ELSE timestamp() END
RETURN c.client_id AS client_id;

// TELL
UNWIND $rows AS row
MERGE (e:ClusterEpisode {client_id: row.client_id, eid: row.key})
ON CREATE SET e += row.props, e.at_ms = timestamp();

// COUNT_STATES
MATCH (c:Cluster)
RETURN coalesce(c.state, 'ACTIVE') AS state, count(*) AS number;

// DROP_SLICES
MATCH (s:BackfillSlice {client_id: $client_id})
WHERE s.key STARTS WITH $name + ' '
DELETE s;

// PUT_BACKFILL
MERGE (b:Backfill {client_id: $client_id, name: $name})
SET b += $props, b.planned_ms = timestamp();

// PUT_SLICES
UNWIND $rows AS row
MERGE (s:BackfillSlice {client_id: $client_id, key: row.key})
SET s += row.props;

// SET_BACKFILL
MATCH (b:Backfill {client_id: $client_id, name: $name})
SET b += $props, b.changed_ms = timestamp();

// SET_SLICE
MATCH (s:BackfillSlice {client_id: $client_id, key: $key})
SET s += $props, s.changed_ms = timestamp();

// READ_BACKFILL
MATCH (b:Backfill {client_id: $client_id, name: $name})
RETURN properties(b) AS props;

// READ_BACKFILLS
MATCH (b:Backfill {client_id: $client_id})
WHERE b.name >= ''
RETURN properties(b) AS props, timestamp() AS now_ms
ORDER BY b.planned_ms, b.name;

// READ_SLICES
MATCH (s:BackfillSlice {client_id: $client_id})
WHERE s.key STARTS WITH $name + ' '
RETURN s.number AS number, s.state AS state, s.units AS units
ORDER BY s.key;

// READ_SLICE
MATCH (s:BackfillSlice {client_id: $client_id, key: $key})
RETURN s.plan AS plan;

// COUNT_SLICES
MATCH (s:BackfillSlice {client_id: $client_id})
WHERE s.key >= ''
RETURN s.name AS name, s.state AS state, count(*) AS slices, sum(s.units) AS units,
  sum(coalesce(s.read, 0)) AS read, sum(coalesce(s.rejected, 0)) AS rejected, sum(coalesce(s.lost, 0)) AS lost;

// OLD_BACKFILLS
MATCH (b:Backfill {client_id: $client_id})
WHERE b.name >= '' AND b.state = 'done' AND b.changed_ms < timestamp() - $age_ms
RETURN b.name AS name;

// DROP_BACKFILL
MATCH (b:Backfill {client_id: $client_id, name: $name})
DELETE b;

// TENANTS_TO_SPELL
MATCH (c:Cluster)
WHERE coalesce(c.spelling, 1) < 2
RETURN c.client_id AS client_id ORDER BY client_id;

// READ_SPELT
MATCH (n:Resource {client_id: $client_id})
WHERE n.rid > '' AND n.ver IS NOT NULL AND n.bare IS NULL AND n.api_version CONTAINS '.'
RETURN n.rid AS rid, n.api_version AS api_version ORDER BY rid;

// SPELL
MATCH (c:Cluster {client_id: $client_id})
SET c.writes = coalesce(c.writes, 0) + 1
WITH c
UNWIND $rows AS row
MATCH (n:Resource {client_id: $client_id, rid: row.rid})
WHERE NOT EXISTS { (:Resource {client_id: $client_id, rid: row.now}) }
SET n.rid = row.now, n.bare = row.rid
WITH n, row
OPTIONAL MATCH (e)-[:ABOUT|SCRAPES|SCOPES]->(n)
SET e.subject = row.now
RETURN count(DISTINCT n) AS renamed;

// MARK_SPELT
MATCH (c:Cluster {client_id: $client_id})
SET c.spelling = 2;

// READ_VERSION
MATCH (s:Schema {client_id: $client_id, name: $name})
RETURN s.version AS version;

// RAISE_VERSION
MERGE (s:Schema {client_id: $client_id, name: $name})
WITH s WHERE coalesce(s.version, 0) < $version
SET s.before = s.version, s.version = $version, s.since = timestamp();

// FLEET
MATCH (c:Cluster)
WHERE $client_ids IS NULL OR c.client_id IN $client_ids
WITH c ORDER BY c.client_id LIMIT $most
CALL (c) {
  MATCH (n:Resource {client_id: c.client_id})
  WHERE n.rid > ''
  RETURN count(n) AS objects
}
CALL (c) {
  MATCH (n:Incident {client_id: c.client_id})
  WHERE n.iid > '' AND n.resolved IS NULL
  RETURN count(n) AS incidents
}
RETURN properties(c) AS props, timestamp() AS now_ms, objects, incidents ORDER BY c.client_id;

// CLUSTER_OF
MATCH (c:Cluster {client_id: $client_id})
RETURN properties(c) AS props, timestamp() AS now_ms LIMIT $most;

// HAPPENED
MATCH (e:ClusterEpisode {client_id: $client_id})
WHERE e.eid > ''
RETURN properties(e) AS props ORDER BY e.at_ms DESC, e.eid DESC LIMIT $most;

// CENSUS
MATCH (n:Resource {client_id: $client_id})
WHERE n.rid > ''
WITH coalesce(n.ns, '') AS ns, n.kind AS kind, coalesce(n.stub, false) AS stub,
  CASE WHEN n.stub THEN NULL
    WHEN n:Pod AND NOT n.waiting_reason IN ['ContainerCreating', 'PodInitializing'] THEN n.waiting_reason
    WHEN n:Pod AND n.phase IN ['Failed', 'Pending', 'Unknown'] THEN n.phase
    WHEN n:Pod AND ((n.status CONTAINS '"phase":"Running"' AND n.status CONTAINS '"status":"False","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"False","type":"Ready"') OR (n.status CONTAINS '"status":"Unknown","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"True","type":"MemoryPressure"') OR (n.status CONTAINS '"status":"True","type":"DiskPressure"') OR (n.status CONTAINS '"status":"True","type":"PIDPressure"') OR (n.status CONTAINS '"status":"True","type":"NetworkUnavailable"')) THEN 'Pressure'
    WHEN n:Node AND n.unschedulable = true THEN 'Cordoned'
    WHEN n:Deployment|ReplicaSet|StatefulSet AND coalesce(n.replicas, 0) > coalesce(n.ready_replicas, 0) THEN 'NotAllReady'
    WHEN n:DaemonSet AND coalesce(n.number_unavailable, 0) > 0 THEN 'NotAllReady'
    WHEN n:Job AND coalesce(n.failed, 0) > 0 AND coalesce(n.active, 0) = 0 AND coalesce(n.succeeded, 0) = 0 THEN 'Failed'
    WHEN n:PersistentVolumeClaim AND n.phase IN ['Pending', 'Lost'] THEN n.phase
    WHEN n:PersistentVolume AND n.phase IN ['Failed'] THEN n.phase
    WHEN n:Namespace AND n.phase IN ['Terminating'] THEN n.phase
  END IS NOT NULL AS sick
RETURN ns, kind, stub, sick, count(*) AS number ORDER BY ns, kind, stub, sick LIMIT $most;

// OBJECTS
MATCH (n:Resource {client_id: $client_id})
WHERE n.rid > '' AND ($namespaces IS NULL OR coalesce(n.ns, '') IN $namespaces)
WITH n ORDER BY n.client_id, n.rid LIMIT $most
RETURN {rid: n.rid, kind: n.kind, ns: n.ns, name: n.name, stub: coalesce(n.stub, false), ails: CASE WHEN n.stub THEN NULL
    WHEN n:Pod AND NOT n.waiting_reason IN ['ContainerCreating', 'PodInitializing'] THEN n.waiting_reason
    WHEN n:Pod AND n.phase IN ['Failed', 'Pending', 'Unknown'] THEN n.phase
    WHEN n:Pod AND ((n.status CONTAINS '"phase":"Running"' AND n.status CONTAINS '"status":"False","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"False","type":"Ready"') OR (n.status CONTAINS '"status":"Unknown","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"True","type":"MemoryPressure"') OR (n.status CONTAINS '"status":"True","type":"DiskPressure"') OR (n.status CONTAINS '"status":"True","type":"PIDPressure"') OR (n.status CONTAINS '"status":"True","type":"NetworkUnavailable"')) THEN 'Pressure'
    WHEN n:Node AND n.unschedulable = true THEN 'Cordoned'
    WHEN n:Deployment|ReplicaSet|StatefulSet AND coalesce(n.replicas, 0) > coalesce(n.ready_replicas, 0) THEN 'NotAllReady'
    WHEN n:DaemonSet AND coalesce(n.number_unavailable, 0) > 0 THEN 'NotAllReady'
    WHEN n:Job AND coalesce(n.failed, 0) > 0 AND coalesce(n.active, 0) = 0 AND coalesce(n.succeeded, 0) = 0 THEN 'Failed'
    WHEN n:PersistentVolumeClaim AND n.phase IN ['Pending', 'Lost'] THEN n.phase
    WHEN n:PersistentVolume AND n.phase IN ['Failed'] THEN n.phase
    WHEN n:Namespace AND n.phase IN ['Terminating'] THEN n.phase
  END} AS object, [(o:Resource)-[:CONTROLS]->(n) | o.rid] AS owners,
  [(n)-[:RUNS_ON]->(o:Resource) | o.rid] AS nodes;

// OBJECTS_OF_KINDS
UNWIND $prefixes AS prefix
MATCH (n:Resource {client_id: $client_id})
WHERE n.rid STARTS WITH prefix
WITH n ORDER BY n.rid LIMIT $most
RETURN {rid: n.rid, kind: n.kind, ns: n.ns, name: n.name, stub: coalesce(n.stub, false), ails: CASE WHEN n.stub THEN NULL
    WHEN n:Pod AND NOT n.waiting_reason IN ['ContainerCreating', 'PodInitializing'] THEN n.waiting_reason
    WHEN n:Pod AND n.phase IN ['Failed', 'Pending', 'Unknown'] THEN n.phase
    WHEN n:Pod AND ((n.status CONTAINS '"phase":"Running"' AND n.status CONTAINS '"status":"False","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"False","type":"Ready"') OR (n.status CONTAINS '"status":"Unknown","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"True","type":"MemoryPressure"') OR (n.status CONTAINS '"status":"True","type":"DiskPressure"') OR (n.status CONTAINS '"status":"True","type":"PIDPressure"') OR (n.status CONTAINS '"status":"True","type":"NetworkUnavailable"')) THEN 'Pressure'
    WHEN n:Node AND n.unschedulable = true THEN 'Cordoned'
    WHEN n:Deployment|ReplicaSet|StatefulSet AND coalesce(n.replicas, 0) > coalesce(n.ready_replicas, 0) THEN 'NotAllReady'
    WHEN n:DaemonSet AND coalesce(n.number_unavailable, 0) > 0 THEN 'NotAllReady'
    WHEN n:Job AND coalesce(n.failed, 0) > 0 AND coalesce(n.active, 0) = 0 AND coalesce(n.succeeded, 0) = 0 THEN 'Failed'
    WHEN n:PersistentVolumeClaim AND n.phase IN ['Pending', 'Lost'] THEN n.phase
    WHEN n:PersistentVolume AND n.phase IN ['Failed'] THEN n.phase
    WHEN n:Namespace AND n.phase IN ['Terminating'] THEN n.phase
  END} AS object, n.replicas AS replicas, n.ready_replicas AS ready, n.number_ready AS number_ready,
  n.desired_number_scheduled AS desired, EXISTS { (n)<-[:CONTROLS]-(:Resource) } AS owned,
  COUNT { (n)<-[:RUNS_ON]-(:Resource) } AS runs, n.image AS image;

// BARE_PODS
MATCH (n:Resource {client_id: $client_id})
WHERE n.rid STARTS WITH 'pod:'
  AND NOT EXISTS { (n)<-[:CONTROLS]-(:Resource) }
WITH n ORDER BY n.rid LIMIT $most
RETURN {rid: n.rid, kind: n.kind, ns: n.ns, name: n.name, stub: coalesce(n.stub, false), ails: CASE WHEN n.stub THEN NULL
    WHEN n:Pod AND NOT n.waiting_reason IN ['ContainerCreating', 'PodInitializing'] THEN n.waiting_reason
    WHEN n:Pod AND n.phase IN ['Failed', 'Pending', 'Unknown'] THEN n.phase
    WHEN n:Pod AND ((n.status CONTAINS '"phase":"Running"' AND n.status CONTAINS '"status":"False","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"False","type":"Ready"') OR (n.status CONTAINS '"status":"Unknown","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"True","type":"MemoryPressure"') OR (n.status CONTAINS '"status":"True","type":"DiskPressure"') OR (n.status CONTAINS '"status":"True","type":"PIDPressure"') OR (n.status CONTAINS '"status":"True","type":"NetworkUnavailable"')) THEN 'Pressure'
    WHEN n:Node AND n.unschedulable = true THEN 'Cordoned'
    WHEN n:Deployment|ReplicaSet|StatefulSet AND coalesce(n.replicas, 0) > coalesce(n.ready_replicas, 0) THEN 'NotAllReady'
    WHEN n:DaemonSet AND coalesce(n.number_unavailable, 0) > 0 THEN 'NotAllReady'
    WHEN n:Job AND coalesce(n.failed, 0) > 0 AND coalesce(n.active, 0) = 0 AND coalesce(n.succeeded, 0) = 0 THEN 'Failed'
    WHEN n:PersistentVolumeClaim AND n.phase IN ['Pending', 'Lost'] THEN n.phase
    WHEN n:PersistentVolume AND n.phase IN ['Failed'] THEN n.phase
    WHEN n:Namespace AND n.phase IN ['Terminating'] THEN n.phase
  END} AS object, n.image AS image;

// SICK
MATCH (n:Resource {client_id: $client_id})
WHERE n.rid > '' AND (CASE WHEN n.stub THEN NULL
    WHEN n:Pod AND NOT n.waiting_reason IN ['ContainerCreating', 'PodInitializing'] THEN n.waiting_reason
    WHEN n:Pod AND n.phase IN ['Failed', 'Pending', 'Unknown'] THEN n.phase
    WHEN n:Pod AND ((n.status CONTAINS '"phase":"Running"' AND n.status CONTAINS '"status":"False","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"False","type":"Ready"') OR (n.status CONTAINS '"status":"Unknown","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"True","type":"MemoryPressure"') OR (n.status CONTAINS '"status":"True","type":"DiskPressure"') OR (n.status CONTAINS '"status":"True","type":"PIDPressure"') OR (n.status CONTAINS '"status":"True","type":"NetworkUnavailable"')) THEN 'Pressure'
    WHEN n:Node AND n.unschedulable = true THEN 'Cordoned'
    WHEN n:Deployment|ReplicaSet|StatefulSet AND coalesce(n.replicas, 0) > coalesce(n.ready_replicas, 0) THEN 'NotAllReady'
    WHEN n:DaemonSet AND coalesce(n.number_unavailable, 0) > 0 THEN 'NotAllReady'
    WHEN n:Job AND coalesce(n.failed, 0) > 0 AND coalesce(n.active, 0) = 0 AND coalesce(n.succeeded, 0) = 0 THEN 'Failed'
    WHEN n:PersistentVolumeClaim AND n.phase IN ['Pending', 'Lost'] THEN n.phase
    WHEN n:PersistentVolume AND n.phase IN ['Failed'] THEN n.phase
    WHEN n:Namespace AND n.phase IN ['Terminating'] THEN n.phase
  END) IS NOT NULL
WITH n ORDER BY n.rid LIMIT $most
RETURN {rid: n.rid, kind: n.kind, ns: n.ns, name: n.name, stub: coalesce(n.stub, false), ails: CASE WHEN n.stub THEN NULL
    WHEN n:Pod AND NOT n.waiting_reason IN ['ContainerCreating', 'PodInitializing'] THEN n.waiting_reason
    WHEN n:Pod AND n.phase IN ['Failed', 'Pending', 'Unknown'] THEN n.phase
    WHEN n:Pod AND ((n.status CONTAINS '"phase":"Running"' AND n.status CONTAINS '"status":"False","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"False","type":"Ready"') OR (n.status CONTAINS '"status":"Unknown","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"True","type":"MemoryPressure"') OR (n.status CONTAINS '"status":"True","type":"DiskPressure"') OR (n.status CONTAINS '"status":"True","type":"PIDPressure"') OR (n.status CONTAINS '"status":"True","type":"NetworkUnavailable"')) THEN 'Pressure'
    WHEN n:Node AND n.unschedulable = true THEN 'Cordoned'
    WHEN n:Deployment|ReplicaSet|StatefulSet AND coalesce(n.replicas, 0) > coalesce(n.ready_replicas, 0) THEN 'NotAllReady'
    WHEN n:DaemonSet AND coalesce(n.number_unavailable, 0) > 0 THEN 'NotAllReady'
    WHEN n:Job AND coalesce(n.failed, 0) > 0 AND coalesce(n.active, 0) = 0 AND coalesce(n.succeeded, 0) = 0 THEN 'Failed'
    WHEN n:PersistentVolumeClaim AND n.phase IN ['Pending', 'Lost'] THEN n.phase
    WHEN n:PersistentVolume AND n.phase IN ['Failed'] THEN n.phase
    WHEN n:Namespace AND n.phase IN ['Terminating'] THEN n.phase
  END} AS object;

// OBJECT
MATCH (n:Resource {client_id: $client_id, rid: $rid})
RETURN properties(n) AS props, {rid: n.rid, kind: n.kind, ns: n.ns, name: n.name, stub: coalesce(n.stub, false), ails: CASE WHEN n.stub THEN NULL
    WHEN n:Pod AND NOT n.waiting_reason IN ['ContainerCreating', 'PodInitializing'] THEN n.waiting_reason
    WHEN n:Pod AND n.phase IN ['Failed', 'Pending', 'Unknown'] THEN n.phase
    WHEN n:Pod AND ((n.status CONTAINS '"phase":"Running"' AND n.status CONTAINS '"status":"False","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"False","type":"Ready"') OR (n.status CONTAINS '"status":"Unknown","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"True","type":"MemoryPressure"') OR (n.status CONTAINS '"status":"True","type":"DiskPressure"') OR (n.status CONTAINS '"status":"True","type":"PIDPressure"') OR (n.status CONTAINS '"status":"True","type":"NetworkUnavailable"')) THEN 'Pressure'
    WHEN n:Node AND n.unschedulable = true THEN 'Cordoned'
    WHEN n:Deployment|ReplicaSet|StatefulSet AND coalesce(n.replicas, 0) > coalesce(n.ready_replicas, 0) THEN 'NotAllReady'
    WHEN n:DaemonSet AND coalesce(n.number_unavailable, 0) > 0 THEN 'NotAllReady'
    WHEN n:Job AND coalesce(n.failed, 0) > 0 AND coalesce(n.active, 0) = 0 AND coalesce(n.succeeded, 0) = 0 THEN 'Failed'
    WHEN n:PersistentVolumeClaim AND n.phase IN ['Pending', 'Lost'] THEN n.phase
    WHEN n:PersistentVolume AND n.phase IN ['Failed'] THEN n.phase
    WHEN n:Namespace AND n.phase IN ['Terminating'] THEN n.phase
  END} AS object LIMIT $most;

// BRIEFS
UNWIND $rids AS rid
MATCH (n:Resource {client_id: $client_id, rid: rid})
RETURN {rid: n.rid, kind: n.kind, ns: n.ns, name: n.name, stub: coalesce(n.stub, false), ails: CASE WHEN n.stub THEN NULL
    WHEN n:Pod AND NOT n.waiting_reason IN ['ContainerCreating', 'PodInitializing'] THEN n.waiting_reason
    WHEN n:Pod AND n.phase IN ['Failed', 'Pending', 'Unknown'] THEN n.phase
    WHEN n:Pod AND ((n.status CONTAINS '"phase":"Running"' AND n.status CONTAINS '"status":"False","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"False","type":"Ready"') OR (n.status CONTAINS '"status":"Unknown","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"True","type":"MemoryPressure"') OR (n.status CONTAINS '"status":"True","type":"DiskPressure"') OR (n.status CONTAINS '"status":"True","type":"PIDPressure"') OR (n.status CONTAINS '"status":"True","type":"NetworkUnavailable"')) THEN 'Pressure'
    WHEN n:Node AND n.unschedulable = true THEN 'Cordoned'
    WHEN n:Deployment|ReplicaSet|StatefulSet AND coalesce(n.replicas, 0) > coalesce(n.ready_replicas, 0) THEN 'NotAllReady'
    WHEN n:DaemonSet AND coalesce(n.number_unavailable, 0) > 0 THEN 'NotAllReady'
    WHEN n:Job AND coalesce(n.failed, 0) > 0 AND coalesce(n.active, 0) = 0 AND coalesce(n.succeeded, 0) = 0 THEN 'Failed'
    WHEN n:PersistentVolumeClaim AND n.phase IN ['Pending', 'Lost'] THEN n.phase
    WHEN n:PersistentVolume AND n.phase IN ['Failed'] THEN n.phase
    WHEN n:Namespace AND n.phase IN ['Terminating'] THEN n.phase
  END} AS object ORDER BY rid LIMIT $most;

// EDGES_AT
UNWIND $rids AS rid
MATCH (n:Resource {client_id: $client_id, rid: rid})-[r:RUNS_ON|SELECTS|CONTROLS|MOUNTS|USES|ROUTES|CLAIMS|SCALES|CALLS]-(m:Resource)
WHERE type(r) IN $types
WITH rid, type(r) AS type, startNode(r) = n AS outgoing, m ORDER BY m.rid
WITH rid, type, outgoing, collect(m) AS found
RETURN rid, type, outgoing, [m IN found[..$each] | {rid: m.rid, kind: m.kind, ns: m.ns, name: m.name, stub: coalesce(m.stub, false), ails: CASE WHEN m.stub THEN NULL
    WHEN m:Pod AND NOT m.waiting_reason IN ['ContainerCreating', 'PodInitializing'] THEN m.waiting_reason
    WHEN m:Pod AND m.phase IN ['Failed', 'Pending', 'Unknown'] THEN m.phase
    WHEN m:Pod AND ((m.status CONTAINS '"phase":"Running"' AND m.status CONTAINS '"status":"False","type":"Ready"')) THEN 'NotReady'
    WHEN m:Node AND ((m.status CONTAINS '"status":"False","type":"Ready"') OR (m.status CONTAINS '"status":"Unknown","type":"Ready"')) THEN 'NotReady'
    WHEN m:Node AND ((m.status CONTAINS '"status":"True","type":"MemoryPressure"') OR (m.status CONTAINS '"status":"True","type":"DiskPressure"') OR (m.status CONTAINS '"status":"True","type":"PIDPressure"') OR (m.status CONTAINS '"status":"True","type":"NetworkUnavailable"')) THEN 'Pressure'
    WHEN m:Node AND m.unschedulable = true THEN 'Cordoned'
    WHEN m:Deployment|ReplicaSet|StatefulSet AND coalesce(m.replicas, 0) > coalesce(m.ready_replicas, 0) THEN 'NotAllReady'
    WHEN m:DaemonSet AND coalesce(m.number_unavailable, 0) > 0 THEN 'NotAllReady'
    WHEN m:Job AND coalesce(m.failed, 0) > 0 AND coalesce(m.active, 0) = 0 AND coalesce(m.succeeded, 0) = 0 THEN 'Failed'
    WHEN m:PersistentVolumeClaim AND m.phase IN ['Pending', 'Lost'] THEN m.phase
    WHEN m:PersistentVolume AND m.phase IN ['Failed'] THEN m.phase
    WHEN m:Namespace AND m.phase IN ['Terminating'] THEN m.phase
  END}] AS others, size(found) AS number
ORDER BY rid, type, outgoing LIMIT $most;

// EDGES_BETWEEN
UNWIND $rids AS rid
MATCH (a:Resource {client_id: $client_id, rid: rid})-[r:RUNS_ON|SELECTS|CONTROLS|MOUNTS|USES|ROUTES|CLAIMS|SCALES|CALLS]->(b:Resource)
WHERE b.rid IN $rids
RETURN a.rid AS source, type(r) AS type, b.rid AS target ORDER BY source, type, target LIMIT $most;

// OWNERS
MATCH p = (n:Resource {client_id: $client_id, rid: $rid})<-[:CONTROLS]-{1,6}(o:Resource)
WITH o, min(length(p)) AS hops
RETURN {rid: o.rid, kind: o.kind, ns: o.ns, name: o.name, stub: coalesce(o.stub, false), ails: CASE WHEN o.stub THEN NULL
    WHEN o:Pod AND NOT o.waiting_reason IN ['ContainerCreating', 'PodInitializing'] THEN o.waiting_reason
    WHEN o:Pod AND o.phase IN ['Failed', 'Pending', 'Unknown'] THEN o.phase
    WHEN o:Pod AND ((o.status CONTAINS '"phase":"Running"' AND o.status CONTAINS '"status":"False","type":"Ready"')) THEN 'NotReady'
    WHEN o:Node AND ((o.status CONTAINS '"status":"False","type":"Ready"') OR (o.status CONTAINS '"status":"Unknown","type":"Ready"')) THEN 'NotReady'
    WHEN o:Node AND ((o.status CONTAINS '"status":"True","type":"MemoryPressure"') OR (o.status CONTAINS '"status":"True","type":"DiskPressure"') OR (o.status CONTAINS '"status":"True","type":"PIDPressure"') OR (o.status CONTAINS '"status":"True","type":"NetworkUnavailable"')) THEN 'Pressure'
    WHEN o:Node AND o.unschedulable = true THEN 'Cordoned'
    WHEN o:Deployment|ReplicaSet|StatefulSet AND coalesce(o.replicas, 0) > coalesce(o.ready_replicas, 0) THEN 'NotAllReady'
    WHEN o:DaemonSet AND coalesce(o.number_unavailable, 0) > 0 THEN 'NotAllReady'
    WHEN o:Job AND coalesce(o.failed, 0) > 0 AND coalesce(o.active, 0) = 0 AND coalesce(o.succeeded, 0) = 0 THEN 'Failed'
    WHEN o:PersistentVolumeClaim AND o.phase IN ['Pending', 'Lost'] THEN o.phase
    WHEN o:PersistentVolume AND o.phase IN ['Failed'] THEN o.phase
    WHEN o:Namespace AND o.phase IN ['Terminating'] THEN o.phase
  END} AS object, hops ORDER BY hops, o.rid LIMIT $most;

// MEMBERS_OF_NAMESPACE
MATCH (n:Resource {client_id: $client_id})
WHERE n.rid > '' AND n.ns = $ns
WITH n ORDER BY n.rid LIMIT $most
RETURN {rid: n.rid, kind: n.kind, ns: n.ns, name: n.name, stub: coalesce(n.stub, false), ails: CASE WHEN n.stub THEN NULL
    WHEN n:Pod AND NOT n.waiting_reason IN ['ContainerCreating', 'PodInitializing'] THEN n.waiting_reason
    WHEN n:Pod AND n.phase IN ['Failed', 'Pending', 'Unknown'] THEN n.phase
    WHEN n:Pod AND ((n.status CONTAINS '"phase":"Running"' AND n.status CONTAINS '"status":"False","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"False","type":"Ready"') OR (n.status CONTAINS '"status":"Unknown","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"True","type":"MemoryPressure"') OR (n.status CONTAINS '"status":"True","type":"DiskPressure"') OR (n.status CONTAINS '"status":"True","type":"PIDPressure"') OR (n.status CONTAINS '"status":"True","type":"NetworkUnavailable"')) THEN 'Pressure'
    WHEN n:Node AND n.unschedulable = true THEN 'Cordoned'
    WHEN n:Deployment|ReplicaSet|StatefulSet AND coalesce(n.replicas, 0) > coalesce(n.ready_replicas, 0) THEN 'NotAllReady'
    WHEN n:DaemonSet AND coalesce(n.number_unavailable, 0) > 0 THEN 'NotAllReady'
    WHEN n:Job AND coalesce(n.failed, 0) > 0 AND coalesce(n.active, 0) = 0 AND coalesce(n.succeeded, 0) = 0 THEN 'Failed'
    WHEN n:PersistentVolumeClaim AND n.phase IN ['Pending', 'Lost'] THEN n.phase
    WHEN n:PersistentVolume AND n.phase IN ['Failed'] THEN n.phase
    WHEN n:Namespace AND n.phase IN ['Terminating'] THEN n.phase
  END} AS object;

// EPISODES
MATCH (e:Episodic {client_id: $client_id})
WHERE e.ver > ''
RETURN properties(e) AS props ORDER BY e.client_id DESC, e.ver DESC LIMIT $most;

// EPISODES_ABOUT
UNWIND $rids AS rid
MATCH (e:Episodic {client_id: $client_id, subject: rid})
RETURN properties(e) AS props ORDER BY e.ver DESC, e.eid LIMIT $most;

// REFERRERS_OF PromTarget
MATCH (e:PromTarget {client_id: $client_id, subject: $rid})
RETURN properties(e) AS props ORDER BY e.tid LIMIT $most;

// REFERRERS_OF Rule
MATCH (e:Rule {client_id: $client_id, subject: $rid})
RETURN properties(e) AS props ORDER BY e.rkey LIMIT $most;

// INCIDENTS
MATCH (i:Incident {client_id: $client_id})
WHERE i.iid > '' AND ($open IS NULL OR (i.resolved IS NULL) = $open) AND ($root IS NULL OR i.root = $root)
RETURN properties(i) AS props ORDER BY i.resolved IS NOT NULL, i.opened DESC, i.iid LIMIT $most;

// INCIDENT_BY_ID
MATCH (i:Incident {client_id: $client_id})
WHERE i.iid > '' AND (i.iid = $iid OR $iid IN i.aliases)
RETURN properties(i) AS props ORDER BY i.iid <> $iid, i.iid LIMIT $most;

// AFFECTED
MATCH (i:Incident {client_id: $client_id, iid: $iid})-[r:AFFECTS]->(n:Resource)
RETURN r.role AS role, {rid: n.rid, kind: n.kind, ns: n.ns, name: n.name, stub: coalesce(n.stub, false), ails: CASE WHEN n.stub THEN NULL
    WHEN n:Pod AND NOT n.waiting_reason IN ['ContainerCreating', 'PodInitializing'] THEN n.waiting_reason
    WHEN n:Pod AND n.phase IN ['Failed', 'Pending', 'Unknown'] THEN n.phase
    WHEN n:Pod AND ((n.status CONTAINS '"phase":"Running"' AND n.status CONTAINS '"status":"False","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"False","type":"Ready"') OR (n.status CONTAINS '"status":"Unknown","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"True","type":"MemoryPressure"') OR (n.status CONTAINS '"status":"True","type":"DiskPressure"') OR (n.status CONTAINS '"status":"True","type":"PIDPressure"') OR (n.status CONTAINS '"status":"True","type":"NetworkUnavailable"')) THEN 'Pressure'
    WHEN n:Node AND n.unschedulable = true THEN 'Cordoned'
    WHEN n:Deployment|ReplicaSet|StatefulSet AND coalesce(n.replicas, 0) > coalesce(n.ready_replicas, 0) THEN 'NotAllReady'
    WHEN n:DaemonSet AND coalesce(n.number_unavailable, 0) > 0 THEN 'NotAllReady'
    WHEN n:Job AND coalesce(n.failed, 0) > 0 AND coalesce(n.active, 0) = 0 AND coalesce(n.succeeded, 0) = 0 THEN 'Failed'
    WHEN n:PersistentVolumeClaim AND n.phase IN ['Pending', 'Lost'] THEN n.phase
    WHEN n:PersistentVolume AND n.phase IN ['Failed'] THEN n.phase
    WHEN n:Namespace AND n.phase IN ['Terminating'] THEN n.phase
  END} AS object ORDER BY role, n.rid LIMIT $most;

// EPISODES_OF_INCIDENT
MATCH (i:Incident {client_id: $client_id, iid: $iid})<-[:PART_OF]-(e:Episodic)
RETURN properties(e) AS props ORDER BY e.ver DESC, e.eid LIMIT $most;

// CAUSES_OF_INCIDENT
MATCH (i:Incident {client_id: $client_id, iid: $iid})<-[:PART_OF]-(a:Episodic)-[r:POTENTIAL_CAUSE]->(b:Episodic)
WHERE r.incident = $iid
RETURN properties(r) AS props, a.subject AS source, b.subject AS target
ORDER BY r.rank, source, target LIMIT $most;

// INCIDENTS_OF_OBJECT
MATCH (n:Resource {client_id: $client_id, rid: $rid})<-[r:AFFECTS]-(i:Incident)
RETURN properties(i) AS props, r.role AS role ORDER BY i.opened DESC, i.iid LIMIT $most;

// SEARCH
CALL db.index.fulltext.queryNodes('resource_text', $text, {limit: $scanned}) YIELD node AS n, score
WHERE $client_ids IS NULL OR n.client_id IN $client_ids
WITH n, score ORDER BY score DESC, n.client_id, n.rid LIMIT $most
RETURN n.client_id AS client_id, {rid: n.rid, kind: n.kind, ns: n.ns, name: n.name, stub: coalesce(n.stub, false), ails: CASE WHEN n.stub THEN NULL
    WHEN n:Pod AND NOT n.waiting_reason IN ['ContainerCreating', 'PodInitializing'] THEN n.waiting_reason
    WHEN n:Pod AND n.phase IN ['Failed', 'Pending', 'Unknown'] THEN n.phase
    WHEN n:Pod AND ((n.status CONTAINS '"phase":"Running"' AND n.status CONTAINS '"status":"False","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"False","type":"Ready"') OR (n.status CONTAINS '"status":"Unknown","type":"Ready"')) THEN 'NotReady'
    WHEN n:Node AND ((n.status CONTAINS '"status":"True","type":"MemoryPressure"') OR (n.status CONTAINS '"status":"True","type":"DiskPressure"') OR (n.status CONTAINS '"status":"True","type":"PIDPressure"') OR (n.status CONTAINS '"status":"True","type":"NetworkUnavailable"')) THEN 'Pressure'
    WHEN n:Node AND n.unschedulable = true THEN 'Cordoned'
    WHEN n:Deployment|ReplicaSet|StatefulSet AND coalesce(n.replicas, 0) > coalesce(n.ready_replicas, 0) THEN 'NotAllReady'
    WHEN n:DaemonSet AND coalesce(n.number_unavailable, 0) > 0 THEN 'NotAllReady'
    WHEN n:Job AND coalesce(n.failed, 0) > 0 AND coalesce(n.active, 0) = 0 AND coalesce(n.succeeded, 0) = 0 THEN 'Failed'
    WHEN n:PersistentVolumeClaim AND n.phase IN ['Pending', 'Lost'] THEN n.phase
    WHEN n:PersistentVolume AND n.phase IN ['Failed'] THEN n.phase
    WHEN n:Namespace AND n.phase IN ['Terminating'] THEN n.phase
  END} AS object, n.labels AS labels, n.image AS image, n.pod_ip AS pod_ip,
  n.service_ips AS service_ips, n.uid AS uid;

// READ_HEADS
UNWIND $rows AS row
MATCH (c:Cluster {client_id: row.client_id})
WHERE NOT coalesce(c.purging, false)
WITH row, c.writes AS writes
CALL (row) {
  MATCH (n:Resource {client_id: row.client_id}) WHERE n.rid > ''
  RETURN max(n.ver) AS of_resources, count(n) AS resources
}
CALL (row) {
  MATCH (n:PromTarget {client_id: row.client_id}) WHERE n.tid > ''
  RETURN max(n.ver) AS of_targets
}
CALL (row) {
  MATCH (n:Rule {client_id: row.client_id}) WHERE n.rkey > ''
  RETURN max(n.ver) AS of_rules
}
CALL (row) {
  MATCH (n:Episodic {client_id: row.client_id}) WHERE n.ver > ''
  WITH n.ver AS ver ORDER BY n.client_id DESC, n.ver DESC LIMIT 1
  RETURN max(ver) AS of_episodes
}
CALL (row) {
  MATCH (n:Tombstone {client_id: row.client_id}) WHERE n.ver > ''
  WITH n.ver AS ver ORDER BY n.client_id DESC, n.ver DESC LIMIT 1
  RETURN max(ver) AS of_tombstones
}
RETURN row.client_id AS client_id, writes, resources, of_resources, of_targets, of_rules, of_episodes, of_tombstones;

// READ_SIZES
UNWIND $rows AS row
CALL (row) {
  MATCH (n:Episodic {client_id: row.client_id}) WHERE n.ver > row.episodes
  WITH n LIMIT $most
  RETURN count(n) AS told
}
CALL (row) {
  MATCH (n:Episodic)
    USING INDEX n:Episodic(client_id, finding)
    WHERE n.client_id = row.client_id AND n.finding > '' AND n.ver > row.findings
  WITH n LIMIT $most
  RETURN count(n) AS found
}
CALL (row) {
  MATCH (n:PromTarget {client_id: row.client_id}) WHERE n.tid > '' AND n.health = 'down'
  RETURN count(n) AS down
}
CALL (row) {
  MATCH (n:Resource {client_id: row.client_id}) WHERE n.ailing = true
  RETURN count(n) AS ailing
}
RETURN row.client_id AS client_id, told, found, down, ailing;

// READ_EPISODES
UNWIND $rows AS row
CALL (row) {
  CALL (row) {
    MATCH (n:Episodic {client_id: row.client_id}) WHERE n.ver > row.episodes AND n.finding IS NULL AND (NOT n.severity IN $harmless OR n.reason IN $telling)
    RETURN n
    UNION ALL
    WITH row
    MATCH (n:Episodic)
    USING INDEX n:Episodic(client_id, finding)
    WHERE n.client_id = row.client_id AND n.finding > '' AND n.ver > row.findings
    RETURN n
  }
  WITH n ORDER BY n.ver DESC, n.eid LIMIT $most
  WITH properties(n) AS p
  RETURN collect([p.eid, p.etype, p.reason, left(p.message, 4096), p.subject, p.severity, p.count, p.ver, p.value, p.state, p.owner, p.event_time.epochSeconds * 1000000 + p.event_time.microsecond, p.first_time.epochSeconds * 1000000 + p.first_time.microsecond]) AS values
}
RETURN row.client_id AS client_id, values;

// READ_AILING
UNWIND $rows AS row
CALL (row) {
  MATCH (n:Resource {client_id: row.client_id}) WHERE n.ailing = true
  WITH n.rid AS rid ORDER BY rid LIMIT $most
  RETURN collect(rid) AS values
}
RETURN row.client_id AS client_id, values;

// READ_SPACES_ON
UNWIND $rows AS row
UNWIND row.nodes AS rid
MATCH (n:Resource {client_id: row.client_id, rid: rid})<-[:RUNS_ON]-(p)
RETURN DISTINCT row.client_id AS client_id, p.ns AS ns;

// READ_SPACES_CALLED
UNWIND $rows AS row
MATCH (w:Resource {client_id: row.client_id}) WHERE w.rid > '' AND w.ns IN row.spaces
MATCH (w)-[:CALLS]->(s)
RETURN DISTINCT row.client_id AS client_id, s.ns AS ns;

// READ_RESOURCES
UNWIND $rows AS row
CALL (row) {
  MATCH (n:Resource {client_id: row.client_id}) WHERE n.rid > '' AND n.kind IN row.kinds
    AND (n.ns IN row.spaces OR n.kind IN row.cluster_kinds)
  WITH n, CASE WHEN n.ailing THEN 0 ELSE row.ranks[n.kind] END AS rank ORDER BY rank, n.rid LIMIT $most
  WITH n, properties(n) AS p
  RETURN collect([p.rid, p.kind, p.ns, p.name, p.labels, p.selector, p.node, p.pod_ip, p.replicas, p.service_ips, CASE WHEN size(p.status) <= 16384 THEN p.status END, p.facts, p.ver, p.stub, p.phase, p.taints, p.unschedulable, p.volume, p.storage_class, p.storage_request, p.access_modes, p.capacity, p.claim, p.created.epochSeconds * 1000000 + p.created.microsecond, p.changed.epochSeconds * 1000000 + p.changed.microsecond,
    [(n)-[r:CONTROLS|RUNS_ON|SELECTS|MOUNTS|USES|CALLS|CLAIMS]->(m) | [type(r), m.rid]],
    [(n)<-[r:CONTROLS|CALLS]-(m) | [type(r), m.rid]]]) AS values
}
RETURN row.client_id AS client_id, values;

// READ_TARGETS_DOWN
UNWIND $rows AS row
CALL (row) {
  MATCH (n:PromTarget {client_id: row.client_id}) WHERE n.tid > '' AND n.health = 'down'
  RETURN properties(n) AS props ORDER BY n.tid LIMIT 1000
}
RETURN row.client_id AS client_id, props;

// READ_RESTLESS
MATCH (c:Cluster) WHERE c.client_id > '' AND NOT coalesce(c.quiet, false) AND NOT coalesce(c.purging, false)
RETURN c.client_id AS client_id ORDER BY client_id;

// LOCK_ANALYSIS
UNWIND $rows AS row
MATCH (c:Cluster {client_id: row.client_id})
WHERE NOT coalesce(c.purging, false)
SET c.analysed_at = timestamp()
RETURN row.client_id AS client_id, c.writes AS writes;

// SET_QUIET
UNWIND $rows AS row
MATCH (c:Cluster {client_id: row.client_id})
SET c.quiet = true;

// READ_HELD
UNWIND $rows AS row
MATCH (i:Incident {client_id: row.client_id}) WHERE i.iid > ''
RETURN row.client_id AS client_id, i.iid AS iid, i.hash AS hash;

// DROP_INCIDENTS
UNWIND $rows AS row
MATCH (i:Incident {client_id: row.client_id, iid: row.iid})
DETACH DELETE i;

// PUT_INCIDENTS
UNWIND $rows AS row
MERGE (i:Incident {client_id: row.client_id, iid: row.iid})
SET i = row.props, i.client_id = row.client_id;

// UNJOIN
UNWIND $rows AS row
MATCH (i:Incident {client_id: row.client_id, iid: row.iid})<-[:PART_OF]-(e:Episodic)-[r:POTENTIAL_CAUSE]-()
WHERE r.incident = row.iid
WITH DISTINCT r
DELETE r;

// UNJOIN_OWN
UNWIND $rows AS row
MATCH (i:Incident {client_id: row.client_id, iid: row.iid})-[r:PART_OF|AFFECTS]-()
DELETE r;

// JOIN_PART_OF
UNWIND $rows AS row
MATCH (e:Episodic {client_id: row.client_id, eid: row.eid})
MATCH (i:Incident {client_id: row.client_id, iid: row.iid})
MERGE (e)-[r:PART_OF]->(i)
SET r.client_id = row.client_id, r.severity = row.severity;

// JOIN_AFFECTS
UNWIND $rows AS row
MATCH (i:Incident {client_id: row.client_id, iid: row.iid})
MATCH (n:Resource {client_id: row.client_id, rid: row.rid})
MERGE (i)-[r:AFFECTS]->(n)
SET r.client_id = row.client_id, r.role = row.role;

// JOIN_CAUSES
UNWIND $rows AS row
MATCH (a:Episodic {client_id: row.client_id, eid: row.source})
MATCH (b:Episodic {client_id: row.client_id, eid: row.target})
MERGE (a)-[r:POTENTIAL_CAUSE {client_id: row.client_id, incident: row.props.incident}]->(b)
SET r = row.props, r.client_id = row.client_id;

// LIST_INCIDENTS
MATCH (i:Incident) WHERE ($client_id = '' OR i.client_id = $client_id) AND ($state = '' OR i.state = $state)
  AND i.last >= $since
RETURN properties(i) AS props ORDER BY i.state, i.opened DESC, i.iid LIMIT $most;

// SHOW_INCIDENT
MATCH (i:Incident) WHERE (i.iid = $iid OR $iid IN coalesce(i.aliases, []))
  AND ($client_id = '' OR i.client_id = $client_id)
RETURN properties(i) AS props, [(i)-[r:AFFECTS]->(n) | {role: r.role, rid: n.rid}] AS affects,
  [(e:Episodic)-[:PART_OF]->(i) | e {.eid, .reason, .message, .subject, .ver, .event_time}] AS episodes
ORDER BY i.iid LIMIT 10;

// COUNT_INCIDENTS
MATCH (i:Incident) WHERE i.state = 'open' AND ($client_id = '' OR i.client_id = $client_id)
RETURN i.client_id AS client_id, i.kind AS kind, count(*) AS number ORDER BY client_id, kind;

// READ_OBJECT
MATCH (n:Resource {client_id: $client_id, rid: $rid})
RETURN n.rid AS rid;

// digest_page Resource
MATCH (n:Resource)
USING INDEX n:Resource(client_id, rid)
WHERE n.client_id = $client_id AND n.rid > $after
WITH n ORDER BY n.client_id, n.rid LIMIT 2000
RETURN n.rid AS key, properties(n) AS props, n.stub IS NULL OR EXISTS { (n)--() } AS counts,
  [(n)-[r]->(m) | [type(r), CASE WHEN m:Resource THEN 'Resource' WHEN m:Episodic THEN 'Episodic' WHEN m:PromTarget THEN 'PromTarget' WHEN m:Rule THEN 'Rule' WHEN m:Incident THEN 'Incident' END, CASE WHEN m:Resource THEN m.rid WHEN m:Episodic THEN m.eid WHEN m:PromTarget THEN m.tid WHEN m:Rule THEN m.rkey WHEN m:Incident THEN m.iid END, m.client_id]] AS out;

// digest_page Episodic
MATCH (n:Episodic)
USING INDEX n:Episodic(client_id, eid)
WHERE n.client_id = $client_id AND n.eid > $after
WITH n ORDER BY n.client_id, n.eid LIMIT 2000
RETURN n.eid AS key, properties(n) AS props, n.stub IS NULL OR EXISTS { (n)--() } AS counts,
  [(n)-[r]->(m) | [type(r), CASE WHEN m:Resource THEN 'Resource' WHEN m:Episodic THEN 'Episodic' WHEN m:PromTarget THEN 'PromTarget' WHEN m:Rule THEN 'Rule' WHEN m:Incident THEN 'Incident' END, CASE WHEN m:Resource THEN m.rid WHEN m:Episodic THEN m.eid WHEN m:PromTarget THEN m.tid WHEN m:Rule THEN m.rkey WHEN m:Incident THEN m.iid END, m.client_id]] AS out;

// digest_page PromTarget
MATCH (n:PromTarget)
USING INDEX n:PromTarget(client_id, tid)
WHERE n.client_id = $client_id AND n.tid > $after
WITH n ORDER BY n.client_id, n.tid LIMIT 2000
RETURN n.tid AS key, properties(n) AS props, n.stub IS NULL OR EXISTS { (n)--() } AS counts,
  [(n)-[r]->(m) | [type(r), CASE WHEN m:Resource THEN 'Resource' WHEN m:Episodic THEN 'Episodic' WHEN m:PromTarget THEN 'PromTarget' WHEN m:Rule THEN 'Rule' WHEN m:Incident THEN 'Incident' END, CASE WHEN m:Resource THEN m.rid WHEN m:Episodic THEN m.eid WHEN m:PromTarget THEN m.tid WHEN m:Rule THEN m.rkey WHEN m:Incident THEN m.iid END, m.client_id]] AS out;

// digest_page Rule
MATCH (n:Rule)
USING INDEX n:Rule(client_id, rkey)
WHERE n.client_id = $client_id AND n.rkey > $after
WITH n ORDER BY n.client_id, n.rkey LIMIT 2000
RETURN n.rkey AS key, properties(n) AS props, n.stub IS NULL OR EXISTS { (n)--() } AS counts,
  [(n)-[r]->(m) | [type(r), CASE WHEN m:Resource THEN 'Resource' WHEN m:Episodic THEN 'Episodic' WHEN m:PromTarget THEN 'PromTarget' WHEN m:Rule THEN 'Rule' WHEN m:Incident THEN 'Incident' END, CASE WHEN m:Resource THEN m.rid WHEN m:Episodic THEN m.eid WHEN m:PromTarget THEN m.tid WHEN m:Rule THEN m.rkey WHEN m:Incident THEN m.iid END, m.client_id]] AS out;

// digest_page Incident
MATCH (n:Incident)
USING INDEX n:Incident(client_id, iid)
WHERE n.client_id = $client_id AND n.iid > $after
WITH n ORDER BY n.client_id, n.iid LIMIT 2000
RETURN n.iid AS key, properties(n) AS props, n.stub IS NULL OR EXISTS { (n)--() } AS counts,
  [(n)-[r]->(m) | [type(r), CASE WHEN m:Resource THEN 'Resource' WHEN m:Episodic THEN 'Episodic' WHEN m:PromTarget THEN 'PromTarget' WHEN m:Rule THEN 'Rule' WHEN m:Incident THEN 'Incident' END, CASE WHEN m:Resource THEN m.rid WHEN m:Episodic THEN m.eid WHEN m:PromTarget THEN m.tid WHEN m:Rule THEN m.rkey WHEN m:Incident THEN m.iid END, m.client_id]] AS out;
