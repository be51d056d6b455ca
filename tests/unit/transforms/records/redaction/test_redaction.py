"""Redaction takes secrets out of a value and leaves everything else as it is."""

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.patience import examples
from tests.support.wire import AT_MS, kafka_record
from transforms.io.dead_letters.writer import encode_deadletter
from transforms.planning.facts.mutations import UpsertNode
from transforms.planning.interpret.dispatch import interpret
from transforms.records.dead_letters.redacted import Kept, kept_value
from transforms.records.decode import decode_record
from transforms.records.record import KafkaRecord
from transforms.records.redaction.text import LAST_APPLIED, redact_text, redact_tokens
from transforms.records.redaction.tree import redact_tree
from transforms.records.rejects import Reason, Reject, Step


def redacted(body: Any) -> Any:
    return redact_tree(body)


def kept(value: bytes) -> Kept:
    return kept_value(kafka_record("events.normalized", value))


def variable(name: str, value: str) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "c", "env": [{"name": name, "value": value}]}]}}


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "client-secret", "API_KEY", "apikey", "GITHUB_TOKEN", "PGPASSWD", "BASIC_AUTH", "AWS_ACCESS_KEY_ID"]
)
def test_a_variable_whose_name_looks_secret_loses_its_value(name: str) -> None:
    assert redacted(variable(name, "hunter2")) == variable(name, "REDACTED")


@pytest.mark.parametrize(
    "value",
    [
        "-----BEGIN RSA PRIVATE KEY-----\nabc",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln",
        "AKIAIOSFODNN7EXAMPLE",
        "postgres://app:hunter2@db:5432/app",
    ],
)
def test_a_value_that_looks_secret_goes_wherever_it_stands(value: str) -> None:
    left = redact_text(value)
    assert "hunter2" not in left
    assert left in ("REDACTED", "postgres://app:REDACTED@db:5432/app")
    assert redacted(variable("SETTING", value)) == variable("SETTING", left)
    assert redacted({"status": {"message": value}}) == {"status": {"message": left}}


def test_the_last_applied_annotation_and_the_data_of_secrets_go() -> None:
    body = {"annotations": {LAST_APPLIED: "{...}", "kept": "x"}, "items": [{"kind": "secret", "data": {"a": "b"}, "type": "Opaque"}]}
    assert redacted(body) == {
        "annotations": {LAST_APPLIED: "REDACTED", "kept": "x"},
        "items": [{"kind": "secret", "data": {"a": "REDACTED"}, "type": "Opaque"}],
    }


def test_the_data_of_a_secret_or_config_map_goes_at_any_depth_and_that_of_others_stays() -> None:
    held = {"data": {"a": "b"}, "stringData": {"c": "d"}, "type": "Opaque"}
    gone = {"data": {"a": "REDACTED"}, "stringData": {"c": "REDACTED"}, "type": "Opaque"}
    assert redacted({"kind": "Secret", "spec": held, "more": [{"deep": held}]}) == {
        "kind": "Secret",
        "spec": gone,
        "more": [{"deep": gone}],
    }
    assert redacted({"kind": "ConfigMap", "spec": held}) == {"kind": "ConfigMap", "spec": gone}
    assert redacted({"kind": "Widget", "spec": held}) == {"kind": "Widget", "spec": held}


@pytest.mark.parametrize("body", [variable("REPLICAS", "3"), {"kind": "Widget", "data": {"a": "b"}}, {"n": [1, 2.5, None, True]}, "text"])
def test_what_holds_no_secret_is_left_as_it_is(body: Any) -> None:
    value = json.dumps(body).encode()
    assert redact_tree(body) == body
    assert kept(value) == Kept(value)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("dial postgres://app:hunter2@db:5432/app failed", "dial postgres://app:REDACTED@db:5432/app failed"),
        ("login with password=hunter2, user=app", "login with password=REDACTED, user=app"),
        ('{"db_password": "hunter2", "user": "app"}', '{"db_password": "REDACTED", "user": "app"}'),
        ('msg="{\\"token\\":\\"hunter2\\"}"', 'msg="{\\"token\\":\\"REDACTED\\"}"'),
        ("Authorization: Bearer abcdefgh.ijklmnop-1234", "Authorization: Bearer REDACTED"),
        ("authorization: basic YXBwOmh1bnRlcjJodW50ZXIy", "authorization: basic REDACTED"),
        ("key AKIAIOSFODNN7EXAMPLE denied", "key REDACTED denied"),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln!", "got REDACTED!"),
        ("read -----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY----- ok", "read REDACTED ok"),
        ("read -----BEGIN PRIVATE KEY-----\nhunter2", "read REDACTED"),
        ("API_KEY=hunter2 and api-key: hunter2", "API_KEY=REDACTED and api-key: REDACTED"),
    ],
)
def test_only_the_secret_itself_goes_from_free_text(text: str, left: str) -> None:
    assert redact_text(text) == left
    assert redact_text(left) == left


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dial tcp 10.0.0.1:5432: connection refused",
        'secrets "serving-cert" not found',
        "token expired",
        "http://db:5432/x@y",
        'User "system:serviceaccount:cloud-credential-operator:webhook" is forbidden',
        "pull registry/token-service:v1.2",
        "token-service: started",
    ],
)
def test_free_text_without_secrets_is_left_as_it_is(text: str) -> None:
    assert redact_text(text) == text


def test_redaction_of_free_text_takes_time_in_proportion_to_it() -> None:
    """What would send a backtracking pattern through the text again and again."""
    text = "eyJaaaaaaaa-" * 20_000 + "secret" * 20_000
    assert redact_text(text) == text


def test_a_secret_in_a_line_of_a_log_goes_from_its_dead_letter_too() -> None:
    found = kept(b'{"message": "login failed: password=hunter2-hunter2, user bob", "stream": "stderr"}')

    assert found == Kept(b'{"message":"login failed: password=REDACTED, user bob","stream":"stderr"}', redacted=True)


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (b"{not json", Kept(b"{not json")),
        (b'{"password":"hunter2', Kept(b'{"password":"REDACTED', redacted=True)),
        (b"mysql -phunter2 \xc3\xa9", Kept("mysql -pREDACTED \u00e9".encode(), redacted=True)),
        (b'{"message":"hunter2', Kept(b'{"message":"hunter2')),
        (b'{"p\\u0061ssword":"hunter2', Kept(None, withheld=True)),
        ('{"password":"hunter2"'.encode("utf-16"), Kept(None, withheld=True)),
        (b'{"password":"\xff', Kept(None, withheld=True)),
        (b'{"password":"hunter2","password":"x","a":1}', Kept(None, withheld=True)),
        (b'{"message":"password=hunter2","message":"x"}', Kept(None, withheld=True)),
        (b"[" * 300 + b'{"password":"hunter2"}' + b"]" * 300, Kept(None, withheld=True)),
        (b"[" * 5000 + b'{"password":"hunter2"}' + b"]" * 5000, Kept(None, withheld=True)),
        (b'["password=hunter2",' + b"1," * 600_000 + b"1]", Kept(None, withheld=True)),
    ],
)
def test_what_cannot_be_parsed_for_certain_is_redacted_over_its_bytes_or_withheld(value: bytes, left: Kept) -> None:
    assert kept(value) == left


def test_a_dead_letter_holds_the_redacted_value_and_proves_the_original() -> None:
    value = json.dumps({"op": "UPSERT", "kind": 7} | variable("DB_PASSWORD", "hunter2")).encode()
    record = KafkaRecord("state.k8s.resource", 0, 1, AT_MS, b"af-10::pod:shop:p", value)
    letter = encode_deadletter(Reject(record, "af-10", Step.DECODE, Reason.WRONG_TYPE, "why"))

    found = json.loads(letter)
    assert (found["redacted"], found["withheld"], found["truncated"]) == (True, False, False)
    assert found["value_bytes"] == len(value)
    assert b"hunter2" not in msgspec.json.decode(letter, type=dict[str, Any])["value"].encode()
    assert b"hunter2" not in base64.b64decode(found["value"])
    assert b"REDACTED" in base64.b64decode(found["value"])


def test_the_graph_keeps_nothing_of_a_secret_but_what_it_and_its_keys_are_called() -> None:
    body: dict[str, Any] = {
        "op": "UPSERT",
        "at": "2026-03-01T08:00:00Z",
        "kind": "Secret",
        "namespace": "shop",
        "name": "s",
        "data": {"p": "aHVudGVyMg=="},
    }
    body |= {"annotations": {LAST_APPLIED: "hunter2"}, "spec": variable("DB_PASSWORD", "hunter2")["spec"] | {"data": {"p": "aHVudGVyMg=="}}}
    decoded = decode_record(kafka_record("state.k8s.resource", json.dumps(body).encode()))
    assert decoded.body is not None
    (mutation,) = interpret("state.k8s.resource", decoded.body, "af-10", decoded.ver)

    assert isinstance(mutation, UpsertNode)
    assert mutation.props == {"kind": "Secret", "ns": "shop", "name": "s", "keys": ["p"]}


WORDS = st.lists(
    st.sampled_from(
        (
            *("password", "=", ":", " ", '"', "'", "\\", "://", "me", "@", "?token=", "&key=", "%3A%2F%2F", "x", "/", "[", "]", ",", "é"),
            *("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "bearer ", "basic ", "-p", "--token", "-u a", "hunter2hunter2", "REDACTED"),
            *("Authorization", "Cookie"),
        )
    ),
    max_size=12,
).map("".join)


@settings(max_examples=examples(1000), deadline=None)
@given(WORDS)
def test_what_was_redacted_is_redacted_already(text: str) -> None:
    """Else what is read from the archive, or said again by a producer that redacts, would be another text."""
    assert redact_text(redact_text(text)) == redact_text(text)
    assert redact_tokens(redact_tokens(text)) == redact_tokens(text)
