"""report.html in the system's Chromium, from disk, without a network.

Skipped where there is none, unless OD_PATCH_BROWSER_REQUIRED is set.
"""

import io
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from object_detection_patch.decathlon.report import page
from tests.decathlon.report import results as made

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_DRIVER = "chromedriver"
_PHONE, _DESK = (360, 740), (1280, 900)


def _browser():
    """The programs, or why there is no test."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver = shutil.which(_DRIVER)
    if browser and driver:
        return browser, driver
    missing = f"needs {_DRIVER} and one of {', '.join(_BROWSERS)}"
    if os.environ.get("OD_PATCH_BROWSER_REQUIRED"):
        pytest.fail(f"{missing}; on Debian: chromium and chromium-driver")
    pytest.skip(missing)


@pytest.fixture(scope="module")
def driver():
    browser, program = _browser()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (
        "--headless=new",
        # Containers run as root and have little shared memory.
        "--no-sandbox",
        "--disable-dev-shm-usage",
    ):
        options.add_argument(argument)
    logs = {"browser": "ALL", "performance": "ALL"}
    options.set_capability("goog:loggingPrefs", logs)
    driver = webdriver.Chrome(options=options, service=Service(program))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def results():
    """Everything but two runs, and one that failed."""
    whole = made.whole(made.suite(4))
    runs = dict(whole.runs)
    del runs["main", "DW_PATCH", "birds", "", 1]
    del runs["main", "BN_PATCH", "cars", "", 1]
    failed = made.run("TOWER_PATCH", "birds", None)
    runs["main", "TOWER_PATCH", "birds", "", 1] = failed
    suite = whole.suite
    return made.of(
        suite, runs.values(), whole.bases.values(), whole.conversions
    )


@pytest.fixture(scope="module")
def report(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("a report, from disk")
    made.write(results, folder)
    image = Image.new("RGB", (1000, 700), (200, 60, 20))
    (folder / "figures").mkdir()
    image.save(folder / "figures" / "gallery_birds.jpeg")
    return page.write_report(folder)[0]


def _show(driver, report, size, dark=False):
    """Loads the page anew; what it logs from here on is its own."""
    width, height = size
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {
            "width": width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": width < 500,
        },
    )
    scheme = {
        "name": "prefers-color-scheme",
        "value": "dark" if dark else "light",
    }
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    driver.get("about:blank")
    for log in ("browser", "performance"):
        driver.get_log(log)
    driver.get(report.as_uri())


def _screenshot(driver):
    data = io.BytesIO(driver.get_screenshot_as_png())
    return np.asarray(Image.open(data).convert("RGB")).astype(int)


def _size(driver, selector):
    return driver.execute_script(
        "const box = document.querySelector(arguments[0])"
        ".getBoundingClientRect(); return [box.width, box.height];",
        selector,
    )


def _requests(driver):
    messages = [
        json.loads(entry["message"])["message"]
        for entry in driver.get_log("performance")
    ]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [_PHONE, _DESK], ids=["phone", "desk"])
def test_it_is_shown_and_fetches_nothing(driver, report, size, dark):
    _show(driver, report, size, dark)
    shown = _screenshot(driver)
    assert shown.shape == (*size[::-1], 3)
    paper = shown[-1, 0]
    assert (paper.mean() < 64) == dark
    # Letters and lines: neither nothing nor everything differs from paper.
    inked = np.abs(shown - paper).max(axis=-1) > 64
    assert 0.01 < inked.mean() < 0.5
    # Only tables scroll sideways.
    assert driver.execute_script(
        "const page = document.documentElement;"
        "return page.scrollWidth == page.clientWidth;"
    )
    assert driver.get_log("browser") == []
    requests = [url for url in _requests(driver) if url[:5] != "data:"]
    assert requests == [report.as_uri()]


@pytest.mark.parametrize("size", [_PHONE, _DESK], ids=["phone", "desk"])
def test_figures_are_as_wide_as_they_may_be(driver, report, size):
    _show(driver, report, size)
    widths = driver.execute_script(
        "return [...document.querySelectorAll('figure > svg')]"
        ".map(figure => figure.getBoundingClientRect().width);"
    )
    assert len(widths) == 9
    assert min(320, size[0] - 40) <= min(widths)
    assert max(widths) <= size[0]
    # The gallery keeps a size at which its labels can be read.
    assert _size(driver, "figure img")[0] >= 480
    assert _size(driver, "figure .scroll")[0] <= size[0]


def test_figures_take_the_inks_of_the_dark(driver, report):
    colours = []
    for dark in (False, True):
        _show(driver, report, _DESK, dark)
        colours.append(
            driver.execute_script(
                "const path = document.querySelector('figure > svg path');"
                "const text = document.querySelector('figure > svg text');"
                "return [path, text].map(e => getComputedStyle(e).fill);"
            )
        )
    (light_paper, light_ink), (dark_paper, dark_ink) = colours
    assert light_paper == "rgb(255, 255, 255)"
    assert len({light_paper, light_ink, dark_paper, dark_ink}) == 4


def _column(driver, table, index):
    """Texts of a column, in the order shown."""
    return driver.execute_script(
        "const rows = document.querySelector(arguments[0]).tBodies[0].rows;"
        "return [...rows].map(row => row.cells[arguments[1]].innerText);",
        f"#table-{table} + .scroll > table",
        index,
    )


def _head(driver, table, index):
    return driver.find_elements(
        By.CSS_SELECTOR, f"#table-{table} + .scroll thead th"
    )[index]


def _click(driver, table, index):
    head = _head(driver, table, index)
    button = head.find_element(By.TAG_NAME, "button")
    driver.execute_script(
        "arguments[0].scrollIntoView({block: 'center', inline: 'center'})",
        button,
    )
    button.click()
    return head.get_attribute("aria-sort")


def _table(results, key):
    report = page.build_report(results)
    return next(
        table
        for section in report.sections
        for table in section.tables
        if table.key == key
    )


def _sorted(table, index, falling):
    """First cells in the order that is asked for: numbers, words, gaps."""
    numbers = [r for r in table.rows if isinstance(r[index], int | float)]
    words = [r for r in table.rows if isinstance(r[index], str)]
    gaps = [r for r in table.rows if r[index] is None]
    for part in (numbers, words):
        part.sort(key=lambda row: row[index], reverse=falling)
    return [row[0] for row in (*numbers, *words, *gaps)]


@pytest.mark.parametrize("size", [_PHONE, _DESK], ids=["phone", "desk"])
def test_a_click_sorts_by_number(driver, report, results, size):
    _show(driver, report, size)
    table = _table(results, "table_2")
    original = _column(driver, "table_2", 0)
    # With a failed run and one that is missing.
    index = [column.title for column in table.columns].index("birds")
    values = [row[index] for row in table.rows]
    assert {"failed", "not run"} <= set(values)
    rising = _sorted(table, index, falling=False)
    assert rising != original
    assert _click(driver, "table_2", index) == "ascending"
    assert _column(driver, "table_2", 0) == rising
    assert _click(driver, "table_2", index) == "descending"
    assert _column(driver, "table_2", 0) == _sorted(table, index, falling=True)
    assert driver.get_log("browser") == []


def test_numbers_sort_by_all_their_digits(driver, report, results):
    _show(driver, report, _DESK)
    table = _table(results, "table_4_files")
    for index in range(1, len(table.columns)):
        assert _click(driver, "table_4_files", index) == "ascending"
        expected = _sorted(table, index, falling=False)
        assert _column(driver, "table_4_files", 0) == expected
        # The heading before it gives its direction back.
        previous = _head(driver, "table_4_files", index - 1)
        assert previous.get_attribute("aria-sort") == "none"


def test_gaps_stay_last(driver, report, results):
    _show(driver, report, _DESK)
    table = _table(results, "table_4_files")
    index = next(
        i
        for i in range(len(table.columns))
        if any(row[i] is None for row in table.rows)
    )
    for _ in ("rising", "falling"):
        _click(driver, "table_4_files", index)
        assert _column(driver, "table_4_files", index)[-1] == "–"


def test_the_keyboard_sorts_too(driver, report):
    _show(driver, report, _DESK)
    head = _head(driver, "table_2", 0)
    button = head.find_element(By.TAG_NAME, "button")
    button.send_keys(Keys.ENTER)
    assert head.get_attribute("aria-sort") == "ascending"
    assert _column(driver, "table_2", 0) == sorted(made.METHODS)
    button.send_keys(Keys.SPACE)
    assert head.get_attribute("aria-sort") == "descending"
    assert _column(driver, "table_2", 0) == sorted(made.METHODS, reverse=True)


def test_the_first_column_stays_while_a_table_is_scrolled(driver, report):
    _show(driver, report, _PHONE)
    script = """
        const box = document.querySelector('#table-table_2 + .scroll');
        box.scrollLeft = 200;
        const cell = box.querySelector('tbody th');
        return [box.scrollLeft, cell.getBoundingClientRect().left,
                box.getBoundingClientRect().left];
    """
    scrolled, cell, box = driver.execute_script(script)
    assert scrolled == 200
    assert cell == box


def test_the_first_tab_skips_to_the_content(driver, report):
    _show(driver, report, _DESK)
    driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    link = driver.switch_to.active_element
    assert link.text == "Skip to the content"
    assert link.location["x"] >= 0
    link.send_keys(Keys.ENTER)
    assert driver.current_url.endswith("#content")


def test_what_is_folded_is_printed(driver, report):
    _show(driver, report, _DESK)
    details = "return [...document.querySelectorAll('details')]"
    assert driver.execute_script(f"{details}.some(d => d.open)") is False
    printed = driver.execute_cdp_cmd("Page.printToPDF", {})
    assert len(printed["data"]) > 10_000
    assert driver.execute_script(f"{details}.every(d => d.open)") is True
