"""What a person types never becomes syntax of the index."""

import re

from hypothesis import given
from hypothesis import strategies as st

from transforms.planning.views.search_text import search_text, search_words


def test_words_are_few_long_enough_and_once_each() -> None:
    assert search_words("cart cart  a  shop") == ["cart", "shop"]
    assert search_words(" ") == []
    assert len(search_words("aa bb cc dd ee ff gg")) == 5
    assert len(search_words("x" * 5_000)[0]) == 128


def test_the_tenants_are_words_of_the_query() -> None:
    assert search_text({"af-10", "af-9"}, ["cart"]).startswith("(client_id:af\\-10 OR client_id:af\\-9) AND (name:cart^8")
    assert "client_id" not in search_text(None, ["cart"])


@given(st.text(max_size=40))
def test_nothing_typed_is_a_field_a_group_or_an_operator(typed: str) -> None:
    for word in search_words(typed):
        text = search_text(frozenset({"af-1"}), [word])
        bare = re.sub(r"\\.", "", text, flags=re.DOTALL)
        fields = set(re.findall(r"([a-z_]+):", bare))
        assert fields <= {"client_id", "name", "ns", "labels", "image", "pod_ip", "service_ips", "uid"}
        assert bare.count("(") == bare.count(")") == 2
        assert not re.search(r'["\[\]{}~?!/]', bare)
