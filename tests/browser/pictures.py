"""The pictures of docs/images, taken anew from a sample clinic of their own: `.venv/bin/python -m tests.browser.pictures [NAME ...]`."""

from __future__ import annotations

import base64
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from plans.loading import load_library
from tests.browser.conftest import HOW_TO_GET_ONE, launched
from tests.files_of_patients import a_file, good_row

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDE, NARROW = 1180, 390
PLAN = load_library()["proximal_hamstring_tendinopathy"]
ROWS = a_file(PLAN, [good_row(PLAN, 1), good_row(PLAN, 2) | {"baseline": "often", "at": "soon"}, good_row(PLAN, 3) | {"name": ""}])
FEWER_COLOURS = """async (taken) => {
  const image = new Image();
  image.src = `data:image/png;base64,${taken}`;
  await image.decode();
  const {width, height} = image, canvas = new OffscreenCanvas(width, height), drawing = canvas.getContext('2d');
  drawing.drawImage(image, 0, 0);
  const dots = new Uint32Array(drawing.getImageData(0, 0, width, height).data.buffer), counts = new Map();
  for (const dot of dots) counts.set(dot, (counts.get(dot) ?? 0) + 1);
  const parts = (dot) => [dot & 255, dot >> 8 & 255, dot >> 16 & 255];
  const palette = [...counts].sort((one, other) => other[1] - one[1]).slice(0, 256).map(([dot]) => dot), kept = palette.map(parts);
  const nearest = (dot) => {
    const own = parts(dot);
    let best = 0, least = Infinity;
    kept.forEach((each, at) => {
      const far = each.reduce((sum, part, place) => sum + (part - own[place]) ** 2, 0);
      if (far < least) [best, least] = [at, far];
    });
    return best;
  };
  const places = new Map([...counts.keys()].map((dot) => [dot, nearest(dot)])), rows = new Uint8Array((width + 1) * height);
  dots.forEach((dot, at) => { rows[at + Math.floor(at / width) + 1] = places.get(dot); });
  const packed = await new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream('deflate'))).arrayBuffer();
  const table = Uint32Array.from({length: 256}, (_, at) => {
    for (let bit = 0; bit < 8; bit++) at = at & 1 ? 0xedb88320 ^ at >>> 1 : at >>> 1;
    return at;
  });
  const number = (value) => [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
  const chunk = (kind, bytes) => {
    const body = [...kind].map((letter) => letter.charCodeAt(0)).concat([...bytes]);
    const sum = body.reduce((found, byte) => table[(found ^ byte) & 255] ^ found >>> 8, -1) ^ -1;
    return [...number(bytes.length), ...body, ...number(sum)];
  };
  const head = [...number(width), ...number(height), 8, 3, 0, 0, 0];
  const parted = [chunk('IHDR', head), chunk('PLTE', kept.flat()), chunk('IDAT', new Uint8Array(packed)), chunk('IEND', [])];
  return [137, 80, 78, 71, 13, 10, 26, 10].concat(...parted);
}"""
"""The 256 colours that a picture has most of, as a PNG with a palette: a third of the bytes, and pale bands stay what they are."""


@dataclass(frozen=True)
class Picture:
    """A page, how it is come by, and what of it is shown: so many pixels from its top, or one part of it."""

    path: str
    height: int = 1000
    width: int = WIDE
    who: str = "physio"
    part: str = ""
    come_by: Callable[[Page], None] = lambda _: None


def _unfolded(page: Page) -> None:
    page.locator("article.case").first.get_by_text("Why this rule").click()


def _changed(page: Page) -> None:
    page.locator("fieldset.exercise").first.get_by_label("Sets").fill("2")
    page.get_by_role("button", name="Look at the changes").click()
    page.get_by_role("heading", name="Check what changes").wait_for()


def _uploaded(page: Page) -> None:
    page.get_by_label("The file").set_input_files({"name": "patients.csv", "mimeType": "text/csv", "buffer": ROWS})
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_role("button", name="Look at every row").click()
    page.get_by_role("heading", name="What is wrong").wait_for()


PICTURES = {
    "caseload": Picture("/"),
    "caseload-phone": Picture("/", 1688, NARROW),
    "patient": Picture("/patients/{Maya Okafor}", 2050),
    "patient-phone": Picture("/patients/{Maya Okafor}", 1688, NARROW),
    "flag": Picture("/patients/{Tom Hartley}", part="article.case >> nth=0", come_by=_unfolded),
    "phone": Picture("/phone/{Tom Hartley}", 844, NARROW),
    "enrolment": Picture("/enrol", 1100),
    "import-check": Picture("/import", 800, come_by=_uploaded),
    "prescription": Picture("/patients/{Tom Hartley}/prescription", 1100),
    "prescription-check": Picture("/patients/{Tom Hartley}/prescription", 1000, come_by=_changed),
    "outcomes": Picture("/patients/{Maya Okafor}/outcomes", 1100),
    "forecast": Picture("/forecast", 740),
    "rules": Picture("/rules", 1000),
    "notices": Picture("/notices"),
    "team": Picture("/team", who="admin"),
    "wording": Picture("/clinic/wording", 900, who="admin"),
    "audit": Picture("/audit", 900, who="admin"),
}


def main(wanted: list[str]) -> None:
    """Take them all, or those that are named."""
    with sample_clinic() as (address, links), sync_playwright() as playwright:
        browser = launched(playwright)
        if browser is None:
            sys.exit(HOW_TO_GET_ONE)
        pages = {who: _signed_in(browser, address, link) for who, link in links.items()}
        refs = {link.inner_text(): (link.get_attribute("href") or "").rpartition("/")[2] for link in _everybody(pages["physio"])}
        for name in wanted or PICTURES:
            content = _taken(pages[PICTURES[name].who], PICTURES[name], refs)
            (IMAGES / f"{name}.png").write_bytes(content)
            sys.stdout.write(f"{name}.png {len(content) // 1024} kB\n")


@contextmanager
def sample_clinic() -> Iterator[tuple[str, dict[str, str]]]:
    """Where a sample clinic is served, and a link for its physio and its admin to sign in with."""
    with TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        own = {"PATH": os.defpath, "STEPWISE_DATABASE_URL": f"sqlite:///{folder}/s.db", "STEPWISE_BIND": f"127.0.0.1:{port}"}
        command = [sys.executable, "-P", "-m", "bot_service"]
        with subprocess.Popen([*command, "up"], env=own, stdout=subprocess.PIPE, text=True) as service:
            try:
                assert service.stdout is not None
                links = {"physio": next(found[0] for line in service.stdout if (found := re.search(r"http\S+/sign-in/\S+", line)))}
                invite = ["staff", "invite", "ruth.bell@riverside.example", "Ruth Bell", "--role", "admin"]
                told = subprocess.run([*command, *invite], env=own, stdout=subprocess.PIPE, text=True, check=True).stdout
                found = re.search(r"http\S+/sign-in/\S+", told)
                assert found, told
                yield f"http://127.0.0.1:{port}", links | {"admin": found[0]}
            finally:
                service.terminate()


def _signed_in(browser: Browser, address: str, link: str) -> Page:
    page = browser.new_context(base_url=address).new_page()
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    return page


def _everybody(page: Page) -> list[Any]:
    page.goto("/?whose=all")
    return page.locator(".caseload tbody th a").all()


def _taken(page: Page, picture: Picture, refs: dict[str, str]) -> bytes:
    page.set_viewport_size({"width": picture.width, "height": min(picture.height, 900)})
    page.goto(picture.path.format(**refs))
    picture.come_by(page)
    if picture.part:
        taken = page.locator(picture.part).screenshot()
    else:
        height = min(picture.height, page.evaluate("document.documentElement.scrollHeight"))
        taken = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": picture.width, "height": height})
    blank = page.context.new_page()  # no policy of ours stands there
    fewer = bytes(blank.evaluate(FEWER_COLOURS, base64.b64encode(taken).decode()))
    blank.close()
    return fewer


if __name__ == "__main__":
    main(sys.argv[1:])
