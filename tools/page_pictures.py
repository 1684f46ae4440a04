"""Pictures of a map page as it stands in headless Chromium, at the size of a desktop or of a phone.

python tools/page_pictures.py demo/DEMO_map.html docs/pictures/page_desktop.png --fire
python tools/page_pictures.py demo/DEMO_map.html docs/pictures/page_phone.png --fire --size phone

With --fire the first fire of the list is chosen. The page of a morning is that of the last of the ten that
`python benchmarks/mornings.py table --size 96 --keep DIR` leaves.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from check_page import SIZES, choose_fire, launched, opened_page
from playwright.sync_api import sync_playwright

SETTLED = 3000
"""Milliseconds after which the map has moved to where it was sent."""


def main() -> None:
    """Take one picture."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("page", type=Path)
    options.add_argument("picture", type=Path)
    options.add_argument("--fire", action="store_true", help="choose the first fire")
    options.add_argument("--size", choices=SIZES, default="desktop")
    chosen = options.parse_args()
    with sync_playwright() as playwright:
        browser = launched(playwright)
        page = opened_page(browser, chosen.page, chosen.size)
        page.wait_for_timeout(SETTLED)
        if chosen.fire and not choose_fire(page):
            options.error(f"{chosen.page} shows no fire")
        page.evaluate("document.activeElement.blur()")
        page.wait_for_timeout(SETTLED)
        page.screenshot(path=chosen.picture, full_page=chosen.size == "phone")
        browser.close()


if __name__ == "__main__":
    main()
