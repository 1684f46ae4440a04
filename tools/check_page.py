"""Accessibility of HTML pages, as axe-core finds it, and what a screen reader is told.

npm pack axe-core@4.14.1      # then unpack it
python tools/check_page.py package/axe.min.js demo/DEMO_map.html demo/report.html [--tree]

Each page is opened in headless Chromium at the size of a desktop and of a phone, light and dark; of a map
page a fire is opened too. A line is printed for each finding, and for each look how many rules passed; "look"
marks what axe-core cannot decide. The status is 1 if anything was found.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"desktop": (1400, 900), "phone": (390, 844)}
SILENT = {"none", "generic", "InlineTextBox", "StaticText", "LineBreak"}


def main() -> int:
    """Check pages; return 1 if something was found."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("axe", type=Path, help="axe.min.js of the npm package axe-core")
    options.add_argument("pages", type=Path, nargs="+")
    options.add_argument("--tree", action="store_true", help="print what a screen reader is told")
    chosen = options.parse_args()
    found = 0
    with sync_playwright() as playwright:
        browser = launched(playwright)
        for path in chosen.pages:
            for look, page in opened(browser, path):
                found += told(f"{path.name}, {look}", axe_of(page, chosen.axe))
                if chosen.tree and look == "desktop, light":
                    print("\n".join(spoken(page)))
        browser.close()
    print(f"{found} findings")
    return 1 if found else 0


def launched(playwright: Playwright) -> Browser:
    """Start the machine's Chromium without a screen, or Playwright's own where it has none."""
    executable = next((found for name in NAMES if (found := shutil.which(name))), None)
    return playwright.chromium.launch(executable_path=executable, args=OPTIONS)


def opened(browser: Browser, path: Path) -> Iterator[tuple[str, Page]]:
    """Open a page in each size and scheme, and once more with a fire chosen where it has fires."""
    for size in SIZES:
        for scheme in ("light", "dark"):
            page = opened_page(browser, path, size, scheme)
            yield f"{size}, {scheme}", page
            if choose_fire(page):
                yield f"{size}, {scheme}, a fire open", page
            page.context.close()


def opened_page(browser: Browser, path: Path, size: str, scheme: Literal["light", "dark"] = "light") -> Page:
    """Open a page and wait until its map is drawn."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.goto(path.resolve().as_uri())
    if page.locator("#map").count():
        page.wait_for_selector("body[data-ready]", timeout=60_000)
    return page


def choose_fire(page: Page) -> bool:
    """Choose the first fire of the list; return whether there is one."""
    if not page.locator("#rows tr").count():
        return False
    page.locator("#rows tr").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".leaflet-popup-content")
    page.wait_for_timeout(500)  # the popup fades in
    return True


def axe_of(page: Page, script: Path) -> dict[str, Any]:
    """Return the result of every rule of axe-core, best practices included."""
    page.add_script_tag(path=script)
    found: dict[str, Any] = page.evaluate("axe.run()")
    return found


def told(name: str, result: dict[str, Any]) -> int:
    """Print the findings of a look and return how many there are."""
    passed, failed = len(result["passes"]), len(result["violations"])
    unsure = sum(len(rule["nodes"]) for rule in result["incomplete"])
    print(f"{name}: {passed} rules passed, {failed} failed, {unsure} places to look at")
    for kind in ("violations", "incomplete"):
        for rule in result[kind]:
            for node in rule["nodes"]:
                why = "; ".join(check["message"] for check in node["any"] + node["all"] + node["none"])
                mark = rule["impact"] if kind == "violations" else "look"
                print(f"  {mark}: {rule['id']}: {node['html'][:110]!r}: {why[:220]}")
    return failed


def spoken(page: Page) -> Iterator[str]:
    """Give role, name and value of each node that a screen reader stops at."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    for node in nodes:
        role = node.get("role", {}).get("value", "")
        if not node.get("ignored") and role not in SILENT:
            said = [str(node[key]["value"]) for key in ("name", "value") if node.get(key, {}).get("value")]
            yield f"  {role}: {' = '.join(said)}"


if __name__ == "__main__":
    raise SystemExit(main())
