"""The documented questions, asked of the sample's graph."""

from datetime import datetime

import pytest

from scripts.queries import QUERIES
from scripts.sampling.stream import sample_stream
from tests.system.world import World

ANSWERED_BY_NOBODY = {
    "Which services select no pod?",
    "Which objects are only known from others?",
    "Which Pods and alerts have more than 32 selectors or rules, so that some are not joined?",
}

# The sample has no quota and no address in an environment, and nothing in it has recovered or has an episode of its cause.
NOT_IN_THE_SAMPLE = {
    "Which incidents are over, and how long did they last?",
    "Which quotas are nearly used up?",
    "Who calls whom?",
    "Which episode probably caused which?",
}


@pytest.fixture
def sampled(world: World) -> World:
    world.produce(sample_stream(clusters=2, resyncs=6, seed=7, poison_classes=0).records)
    world.run_job()
    return world


def test_every_question_has_an_answer_on_the_sample(sampled: World) -> None:
    assert len(QUERIES) == 27
    answers = {query.question: sampled.cypher(query.cypher, client_id="af-10") for query in QUERIES}

    assert {question for question, rows in answers.items() if not rows} <= ANSWERED_BY_NOBODY | NOT_IN_THE_SAMPLE
    pods = sampled.cypher("MATCH (p:Pod {client_id: 'af-10'}) WHERE p.stub IS NULL RETURN count(p) AS pods")[0]["pods"]
    assert sum(row["pods"] for row in answers["What runs where?"]) == pods
    assert sum(row["pods"] for row in answers["Which images run, and how often?"]) == pods
    (owner,) = answers["Who owns this pod, up to the top?"]
    assert owner["from the top"][0].startswith("Deployment/")
    assert owner["from the top"][-1].startswith("Pod/")
    (down,) = answers["Which targets are down, and what do they scrape?"]
    (alert,) = answers["Which alerts were raised, by which rule, about what?"]
    assert down["scrapes"] == alert["about"] != ""
    assert down["scrapes"].startswith("Pod/redis-")
    assert (down["job"], alert["group"], alert["alert"]) == ("redis", "shop.alerts", "ShopTargetDown")
    assert len(answers["Which pods have these labels?"]) == 2
    assert {row["its keys"][0] for row in answers["What mounts the secret payments-credentials?"]} == {"password"}
    assert [row["service"] for row in answers["What does the ingress shop reach?"]] == ["checkout", "frontend"]
    assert all(row["pods"] for row in answers["What does the ingress shop reach?"])
    (waiting,) = answers["Which claims wait for a volume, and how many Pods wait for each?"]
    assert (waiting["claim"], waiting["asks"], waiting["of whom"]) == ("archive", "50Gi", "csi.example")
    warnings = [row["at"] for row in answers["What are the latest warnings?"]]
    assert len(warnings) == 5
    assert all(warnings)
    assert [datetime.fromisoformat(at) for at in warnings] == sorted(map(datetime.fromisoformat, warnings), reverse=True)
    assert all(row["at"] for row in answers["Which episodes are the evidence of an incident?"])
    wrong = answers["What was wrong with which objects, and when?"]
    assert all(row["last reported"].startswith("2026-03-01T08:") for row in wrong)
    assert None in {row["since"] for row in wrong}
    assert [row["tenant"] for row in answers["How large is each tenant's graph, and when was it last heard of?"]] == ["af-10", "af-11"]


def test_the_questions_nobody_answers_find_what_they_look_for(sampled: World) -> None:
    sampled.cypher("MATCH (s:Service {client_id: 'af-10', name: 'cart'})-[r:SELECTS]->() DELETE r")
    sampled.cypher("MATCH (n:Node {client_id: 'af-10', name: 'node-1'}) SET n.stub = true")
    found = {query.question: sampled.cypher(query.cypher, client_id="af-10") for query in QUERIES if query.question in ANSWERED_BY_NOBODY}

    assert {"ns": "shop", "service": "cart"} in found["Which services select no pod?"]
    assert {"kind": "Node", "ns": None, "name": "node-1"} in found["Which objects are only known from others?"]
