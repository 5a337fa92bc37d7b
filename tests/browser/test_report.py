# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report in a real browser: hostile content does nothing, filters work, it fits a phone, both colour schemes are readable."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import http.server
import json
import pathlib
import shutil
import threading
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._report.html import render_html
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.conftest import require_programs
from tests.unit.report.fleet import WAIVERS, checked, document, fleet

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def browser(tmp_path: pathlib.Path) -> t.Iterator[webdriver.Chrome]:
    require_programs("browser", "chromium", "chromedriver")
    options = Options()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def trap() -> t.Iterator[tuple[str, list[str]]]:
    """A web server on loopback that hostile content would like to be fetched from, and the list of what it was asked."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:  # type: ignore[override]
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def show(browser: webdriver.Chrome, folder: pathlib.Path, page: str) -> None:
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    browser.get(path.as_uri())


def requests_of(browser: webdriver.Chrome) -> list[str]:
    """What the page asked for over the whole session, from the browser's own network log."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    # What the browser's own start page is made of, which is loaded before ours; none of it leaves the browser.
    return [url for url in asked if not url.startswith(("chrome://", "chrome-untrusted://", "data:"))]


def payload(origin: str, name: str) -> str:
    return (
        f"<img src='{origin}/{name}-img' onerror=\"window.owned='{name}'\">\"'></details><script>window.owned='{name}'</script>"
        f"<style>@import '{origin}/{name}-css';</style><meta http-equiv=refresh content='0;url={origin}/{name}-meta'>"
        f"<iframe src='{origin}/{name}-frame'></iframe><base href='{origin}/'>\u202egnp.exe"
    )


def certificate_subject(text: str) -> str:
    """The subject of a real certificate with a hostile name, as cryptography prints it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, text, _validate=False)])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + dt.timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).subject.rfc4514_string()


def hostile_fleet(origin: str) -> list[dict[str, t.Any]]:
    name = payload(origin, "host")
    subject = certificate_subject(payload(origin, "subject")[:200])
    return [
        checked(name, "not_a_crl", body=payload(origin, "body"), detail=f"Answered with a certificate for {subject}"),
        *fleet(),
        {"host": f"'\"{origin}/x", "state": "failed", "message": payload(origin, "message"), "result": None},
    ]


def test_hostile_content_runs_nothing_and_fetches_nothing(
    browser: webdriver.Chrome, tmp_path: pathlib.Path, trap: tuple[str, list[str]]
) -> None:
    origin, asked = trap
    show(browser, tmp_path, render_html(document(hostile_fleet(origin), title=payload(origin, "title"), waivers=WAIVERS)))
    address = browser.current_url
    browser.execute_script("document.querySelectorAll('details').forEach(function (item) { item.open = true; })")
    browser.find_element(By.ID, "filter-host").send_keys("<img")
    WebDriverWait(browser, 5).until(lambda _: counted(browser)[0] == 1)
    assert browser.execute_script("return window.owned === undefined")
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert browser.find_elements(By.CSS_SELECTOR, "img, iframe, base, meta[http-equiv=refresh], body style") == []
    assert browser.current_url == address
    assert [url for url in requests_of(browser) if not url.startswith(address)] == []
    assert asked == []
    [shown] = [host for host in browser.find_elements(By.CSS_SELECTOR, ".host h3") if host.is_displayed()]
    assert shown.text.startswith(f"<img src='{origin}/host-img' onerror=")
    assert shown.text.endswith("\\u202egnp.exe")


def test_the_trap_of_the_test_above_would_have_closed(
    browser: webdriver.Chrome, tmp_path: pathlib.Path, trap: tuple[str, list[str]]
) -> None:
    origin, asked = trap
    show(browser, tmp_path, f"<!DOCTYPE html><title>x</title><img src='{origin}/img' onerror=\"window.owned='x'\">")
    WebDriverWait(browser, 5).until(lambda _: browser.execute_script("return window.owned === 'x'"))
    assert asked == ["/img"]
    assert f"{origin}/img" in requests_of(browser)


def test_the_policy_alone_stops_markup_that_got_through(
    browser: webdriver.Chrome, tmp_path: pathlib.Path, trap: tuple[str, list[str]]
) -> None:
    """If escaping ever failed: the same payload put into the page unescaped runs nothing and fetches nothing."""
    origin, asked = trap
    raw = f"<img src='{origin}/img' onerror=\"window.owned=1\"><script>window.owned=1</script>"
    raw += f"<iframe src='{origin}/frame'></iframe>"
    show(browser, tmp_path, render_html(document()).replace("<footer", raw + "<footer", 1))
    assert browser.execute_script("return window.owned === undefined && document.images.length === 1")
    assert asked == []


def counted(browser: webdriver.Chrome) -> tuple[int, int]:
    words = browser.find_element(By.ID, "filter-count").text.split()
    return int(words[0]), int(words[2])


def visible_hosts(browser: webdriver.Chrome) -> list[str]:
    return [item.text for item in browser.find_elements(By.CSS_SELECTOR, ".host > summary h3") if item.is_displayed()]


def wait_for(browser: webdriver.Chrome, shown: int) -> None:
    WebDriverWait(browser, 5).until(lambda _: counted(browser)[0] == shown)


def test_filters(browser: webdriver.Chrome, tmp_path: pathlib.Path) -> None:
    show(browser, tmp_path, render_html(document()))
    assert counted(browser) == (10, 10)
    text = browser.find_element(By.ID, "filter-host")
    text.send_keys("MUC")
    wait_for(browser, 2)
    assert visible_hosts(browser) == ["edge01.muc.example.net", "edge02.muc.example.net"]
    rows = [row for row in browser.find_elements(By.CSS_SELECTOR, "#matrix tbody tr") if row.is_displayed()]
    assert len(rows) == 2
    Select(browser.find_element(By.ID, "filter-id")).select_by_value("trust.root.absent")
    wait_for(browser, 1)
    assert visible_hosts(browser) == ["edge02.muc.example.net"]
    shown = [item for item in browser.find_elements(By.CSS_SELECTOR, ".host [data-s]") if item.is_displayed()]
    assert [item.get_attribute("data-id") for item in shown] == ["trust.root.absent"]
    browser.find_element(By.CSS_SELECTOR, "#filters [type=reset]").click()
    wait_for(browser, 10)
    for status in ("fail", "pass"):
        browser.find_element(By.CSS_SELECTOR, f"#filters input[value={status}]").click()
    wait_for(browser, 2)
    assert visible_hosts(browser) == ["appliance.example.net", "old-exim.ham.example.net"]
    text.send_keys("nothing like it")
    wait_for(browser, 0)
    assert browser.find_element(By.ID, "none-shown").is_displayed()


def test_links_arrive_even_where_they_point_into_something_closed_or_filtered_away(
    browser: webdriver.Chrome, tmp_path: pathlib.Path
) -> None:
    show(browser, tmp_path, render_html(document()))
    browser.find_element(By.ID, "filter-host").send_keys("edge")
    wait_for(browser, 2)
    link = browser.find_element(By.CSS_SELECTOR, "#matrix a.c.s-pass")
    anchor = (link.get_attribute("href") or "").split("#")[1]
    link.click()
    WebDriverWait(browser, 5).until(lambda _: browser.find_element(By.ID, anchor).is_displayed())
    browser.find_element(By.CSS_SELECTOR, '.problem [data-show="egress.not_a_crl"]').click()
    wait_for(browser, 1)
    assert visible_hosts(browser) == ["hybrid01.corp.example.net"]


def test_without_javascript_all_is_there_and_no_dead_control_is(browser: webdriver.Chrome, tmp_path: pathlib.Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    show(browser, tmp_path, render_html(document()))
    assert not browser.find_element(By.ID, "filters").is_displayed()
    assert len(visible_hosts(browser)) == 10
    host = browser.find_element(By.CSS_SELECTOR, ".host")
    host.find_element(By.TAG_NAME, "summary").click()
    assert host.find_element(By.CSS_SELECTOR, ".group .remedy").is_displayed()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_page_never_scrolls_sideways(
    browser: webdriver.Chrome, tmp_path: pathlib.Path, trap: tuple[str, list[str]], width: int
) -> None:
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    show(browser, tmp_path, render_html(document([*hostile_fleet(trap[0]), checked("m" * 250)], waivers=WAIVERS)))
    browser.execute_script("document.querySelectorAll('details').forEach(function (item) { item.open = true; })")
    assert browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]") == [
        pytest.approx(width, abs=20),
        width,
    ]
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    if width < 500:
        wider = "var box = document.querySelector('#matrix .scroll'); return box.scrollWidth > box.clientWidth"
        assert browser.execute_script(wider), "the matrix scrolls within itself"


# Relative luminance and contrast as WCAG 2.2 defines them, over every element that has text of its own.
CONTRAST = """
function channel(v) { v /= 255; return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); }
function light(c) { return 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]); }
function parse(s) { var n = s.match(/[\\d.]+/g).map(Number); return n.length > 3 && n[3] === 0 ? null : n; }
function behind(e) {
  for (; e; e = e.parentElement) { var c = parse(getComputedStyle(e).backgroundColor); if (c) { return c; } }
  return [255, 255, 255];
}
var bad = {};
document.querySelectorAll('body *').forEach(function (e) {
  if (!Array.prototype.some.call(e.childNodes, function (n) { return n.nodeType === 3 && n.data.trim(); })) { return; }
  if (e.closest('script, style')) { return; }
  var a = light(parse(getComputedStyle(e).color)), b = light(behind(e));
  var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) { bad[e.tagName + '.' + e.className] = ratio.toFixed(2); }
});
return bad;
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_both_colour_schemes(browser: webdriver.Chrome, tmp_path: pathlib.Path, scheme: str) -> None:
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    show(browser, tmp_path, render_html(document(waivers=WAIVERS)))
    browser.execute_script("document.querySelectorAll('details').forEach(function (item) { item.open = true; })")
    assert browser.execute_script(CONTRAST) == {}
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (int(background.split("(")[1].split(",")[0]) < 100) is (scheme == "dark")


def test_the_browser_has_no_complaint_and_the_page_prints(browser: webdriver.Chrome, tmp_path: pathlib.Path) -> None:
    show(browser, tmp_path, render_html(document(waivers=WAIVERS)))
    with contextlib.suppress(AttributeError):
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    printed = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert printed.startswith(b"%PDF-")
    assert not browser.find_element(By.ID, "filters").is_displayed()
    assert browser.get_log("browser") == []


def test_keyboard_focus_is_visible(browser: webdriver.Chrome, tmp_path: pathlib.Path) -> None:
    show(browser, tmp_path, render_html(document()))
    outline = (
        "document.querySelector('.host > summary').focus({focusVisible: true});"
        "return getComputedStyle(document.activeElement).outlineStyle"
    )
    assert browser.execute_script(outline) == "solid"
