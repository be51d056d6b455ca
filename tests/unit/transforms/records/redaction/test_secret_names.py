"""A name says by its end whether it is a secret's."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from transforms.records.redaction.secret_names import SIGNS, is_secret_name, is_secret_parameter

SECRETS = (
    *(
        "db_password",
        "DB_PASS",
        "PASSPHRASE",
        "ENCRYPTION_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "BASIC_AUTH",
        "API_KEY",
        "apikey",
    ),
    *("client-secret", "PGPASSWD", "GITHUB_TOKEN", "TOKEN_1", "password_value", "pass", "MYSQL_PWD", "HTTPPassword", "PRIVATE_KEY"),
    *("clientSecret", "authorization", "Set-Cookie", "connectionString", "userPat"),
)
OTHERS = (
    *(
        "tokenReviews",
        "secretName",
        "imagePullSecrets",
        "bypass",
        "compass",
        "key",
        "keys",
        "author",
        "authority",
        "passed",
        "token-service",
    ),
    *(
        "secretKeyRef",
        "tokenExpirationSeconds",
        "auth-type",
        "service-account.name",
        "passwordFile",
        "secretRef",
        "patch",
        "path",
        "monkey",
    ),
)


@pytest.mark.parametrize("name", SECRETS)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", OTHERS)
def test_names_of_what_is_none(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("name", ["sig", "key", "api-key", "X-Amz-Signature", "access_token", "code", "sessionId"])
def test_parameters_that_are_secrets(name: str) -> None:
    assert is_secret_parameter(name)


@pytest.mark.parametrize("name", ["page", "region", "resourceVersion", "v2"])
def test_parameters_that_are_none(name: str) -> None:
    assert not is_secret_parameter(name)


PARTS = st.sampled_from([*SECRETS, *OTHERS, "_", "-", ".", "1", "Value", "value", "x", "Pat", "psk", "SAS", "Key", "db"])


@given(st.lists(PARTS, max_size=4).map("".join))
def test_no_name_of_a_secret_is_without_a_sign(name: str) -> None:
    assert not is_secret_name(name) or re2.search(SIGNS, f'"{name}"')
