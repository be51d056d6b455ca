"""A person's ways through the console, in a real browser; nothing else runs, since a test double holds the graph."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from pipelines.console.app import build_app
from pipelines.console.auth import Anyone
from pipelines.console.guard import RateLimit
from pipelines.console.site import SharedAnswers, Site
from tests.support.console_world import HOSTILE, INCIDENT_ID, NOW_MS, Builder, conditions, fleet
from transforms.testing.memory_source import MemoryGraphSource, ViewedTenant

CHROMIUM: Final = shutil.which("chromium") or shutil.which("google-chrome")
PAGES: Final = (
    "/",
    "/tenants/af-10",
    "/tenants/af-11",
    "/tenants/af-10/object?rid=deployment:shop:checkout&hops=2",
    f"/tenants/af-11/object?rid=pod:evil:{quote(HOSTILE, safe='')}",
    f"/tenants/af-10/incident?iid={INCIDENT_ID}",
    "/tenants/af-10/incidents?show=all",
    "/search?q=cart",
    "/deadletters",
    "/tenants/af-10/map",
    "/tenants/af-10/map?as=table",
    "/nothing",
)


def large(client_id: str, pods: int) -> ViewedTenant:
    """So many pods with two relationships each."""
    one = Builder(client_id)
    nodes = [one.add("Node", "", f"node-{number}", status=conditions(Ready="True")) for number in range(40)]
    for number in range(pods):
        ns = f"team-{number % 12}"
        pod = one.add(
            "Pod", ns, f"app-{number // 10}-{number}", phase="Running", status=conditions(Ready="True" if number % 97 else "False")
        )
        one.join(pod, "RUNS_ON", nodes[number % 40])
        if number % 10 == 0:
            owner = one.add("ReplicaSet", ns, f"app-{number // 10}")
        one.join(owner, "CONTROLS", pod)
    return one.made


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    tenants = [*fleet(), large("big", 1_760)]
    app = build_app(Site(MemoryGraphSource(tenants, NOW_MS), None, SharedAnswers(1.0)), Anyone(), RateLimit(10_000))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        limit = time.monotonic() + 60
        while not server.started:
            assert time.monotonic() < limit
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "CI installs chromium (.ci/run)"
        pytest.skip("no chromium is installed (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page of 1280 by 800; whatever its scripts or its policy complain of fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=address)
    context.set_default_timeout(60_000)
    found = context.new_page()
    complaints: list[str] = []

    def refused(dialog: Dialog) -> None:
        complaints.append(f"dialog {dialog.message}")
        dialog.dismiss()

    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    found.on("dialog", refused)
    yield found
    context.close()
    assert [one for one in complaints if "404" not in one] == []


def test_from_the_fleet_to_the_cause_in_three_clicks(page: Page) -> None:
    page.goto("/")
    page.get_by_role("row", name="shop-prod").get_by_role("link", name="af-10").click()
    page.get_by_role("link", name="checkout restarts").first.click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("checkout restarts")
    assert "correct the probe's port" in page.locator(".remedy").first.inner_text()
    page.get_by_label("Chain of effects", exact=True).get_by_role("link", name="Deployment/checkout").click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("Deployment checkout")


def test_the_cluster_that_is_down_is_found_first_and_by_its_state(page: Page) -> None:
    page.goto("/")
    assert page.locator("tbody tr").nth(0).inner_text().startswith("af-13")
    page.locator("select[name=state]").select_option("STALE")
    page.get_by_role("button", name="Show").click()
    assert page.locator("tbody th").all_inner_texts() == ["af-12"]
    assert "state=STALE" in page.url


def test_an_image_is_found_from_every_page(page: Page) -> None:
    page.goto("/deadletters")
    page.get_by_role("searchbox", name="Search all tenants").fill("cart:3.0")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=*")
    texts = page.locator("tbody tr").all_inner_texts()
    assert {text.split()[0] for text in texts} == {"af-10", "af-12"}


def test_a_neighbourhood_grows_and_its_address_shows_the_same_elsewhere(page: Page, browser: Browser, address: str) -> None:
    page.goto("/tenants/af-10/object?rid=deployment:shop:checkout")
    before = page.locator("a.box").count()
    page.get_by_role("link", name="One hop more").click()
    page.wait_for_url("**hops=2**")
    shown = page.locator("a.box").all_inner_texts()
    assert len(shown) > before
    other = browser.new_context().new_page()
    other.goto(page.url)
    assert other.locator("a.box").all_inner_texts() == shown
    other.context.close()


def test_every_page_works_without_scripts(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=address)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("link", name="af-10").first.click()
    page.get_by_role("link", name="checkout restarts").first.click()
    assert page.locator("a.box").count() > 3
    page.goto("/tenants/af-10/map")
    page.get_by_role("link", name="The table", exact=True).click()
    assert page.get_by_role("link", name="Pod/checkout-7d9f-0").count() == 1
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_no_page_is_wider_than_the_window(browser: Browser, address: str, scheme: Any) -> None:
    widths = (360, 1280) if scheme == "light" else (1280,)
    found: list[str] = []
    for width in widths:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, base_url=address, bypass_csp=True)
        page = context.new_page()
        for path in PAGES:
            page.goto(path)
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if wide > 0:
                found.append(f"{path} at {width}: {wide} px too wide")
            for violation in Axe().run(page).response["violations"]:
                if violation["impact"] in ("serious", "critical"):
                    nodes = [node["html"][:120] for node in violation["nodes"][:2]]
                    found.append(f"{path} at {width}: {violation['id']} {nodes}")
        context.close()
    assert found == []


def test_nothing_moves_while_a_page_loads(page: Page) -> None:
    for path in PAGES:
        page.goto(path)
        shift = page.evaluate(
            "() => new Promise((done) => { let sum = 0;"
            " new PerformanceObserver((list) => list.getEntries().forEach((one) => sum += one.value))"
            ".observe({ type: 'layout-shift', buffered: true }); setTimeout(() => done(sum), 300); })"
        )
        assert shift < 0.01, (path, shift)


def test_the_map_is_walked_by_keys_and_one_key_shows_the_table(page: Page) -> None:
    page.goto("/tenants/af-10/map")
    page.wait_for_selector("#canvas[data-drawn]")
    objects = len(fleet()[0].resources)
    told = page.locator("#told")
    assert f"{objects} objects are shown" in told.inner_text()
    page.locator("#canvas").focus()
    page.keyboard.press("Home")
    seen = set()
    for _ in range(200):
        text = told.inner_text()
        seen.add(text.split(":")[0].split(";")[0].partition(". ")[0])
        if text.rstrip(".").split()[-3] == text.rstrip(".").split()[-1]:
            break
        page.keyboard.press("PageDown")
    for props in fleet()[0].resources.values():
        kind_and_name = f"{props['kind']}/{props['name']}"
        assert any(text.startswith((kind_and_name, props["name"])) for text in seen) or props["kind"] == "Namespace", kind_and_name
    page.keyboard.press("ArrowUp")
    assert "at=" in page.url
    page.keyboard.press("t")
    page.wait_for_url("**as=table**")
    assert page.locator("table").nth(1).locator("tbody tr").count() == objects


def test_a_tenant_of_two_thousand_objects_is_drawn_without_a_long_task(page: Page, record_property: Any) -> None:
    page.goto("/tenants/big")
    page.evaluate("sessionStorage.clear()")
    page.add_init_script(
        "window.longTasks = []; new PerformanceObserver((list) => list.getEntries().forEach((one) => window.longTasks.push(one.duration)))"
        ".observe({ type: 'longtask', buffered: true });"
    )
    began = time.monotonic()
    page.goto("/tenants/big/map")
    page.wait_for_selector("#canvas[data-drawn]")
    took = time.monotonic() - began
    longest = max(page.evaluate("window.longTasks"), default=0)
    drawn = int(page.locator("#canvas").get_attribute("data-drawn") or 0)
    record_property("first_picture_s", round(took, 3))
    record_property("longest_task_ms", longest)
    print(f"first picture {took:.3f} s, longest task {longest} ms, {drawn} boxes and tiles")  # noqa: T201
    assert drawn >= 1_900
    # A busy machine makes everything slow alike; the goals are 1 s and 50 ms on an idle one (docs/performance.md).
    assert took < 30
    page.locator("#canvas").focus()
    page.keyboard.press("l")
    page.wait_for_timeout(500)


def test_what_is_new_moves_nothing_that_is_shown(page: Page, address: str) -> None:
    held = page.request.get(f"{address}/tenants/af-10/map", headers={"accept": "application/json"}).json()
    again = page.request.get(f"{address}/tenants/af-10/map", headers={"accept": "application/json"}).json()
    assert held == again
    newer = {**held, "objects": [*held["objects"], {**held["objects"][0], "rid": "pod:shop:new", "name": "new"}]}
    page.add_init_script("const wait = setTimeout; window.setTimeout = (act, ms) => wait(act, ms > 10000 ? 50 : ms);")
    answers = iter([held])
    page.route("**/tenants/af-10/map*", lambda route: route.fulfill(json=next(answers, newer)) if _is_json(route) else route.continue_())
    page.goto("/tenants/af-10/map")
    page.locator("#told", has_text="1 objects are new and 0 are gone").wait_for()
    before = page.locator("#canvas").get_attribute("data-drawn")
    page.locator("#canvas").focus()
    page.keyboard.press("n")
    page.wait_for_selector(f"#canvas[data-drawn='{int(before or 0) + 1}']")


def _is_json(route: Any) -> bool:
    return "application/json" in route.request.headers.get("accept", "")


def test_a_live_page_takes_up_what_is_new(page: Page, address: str) -> None:
    page.add_init_script("const wait = setTimeout; window.setTimeout = (act, ms) => wait(act, Math.min(ms, 50));")
    page.goto("/")
    page.route(
        f"{address}/", lambda route: route.fulfill(body=route.fetch().text().replace("shop-prod", "renamed"), content_type="text/html")
    )
    page.get_by_text("renamed").wait_for()
