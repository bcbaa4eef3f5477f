"""How a state of a page is reached in a browser: by opening an address, or by posting a form of a page as it stands or bent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Page

from tests.browser.conftest import Served
from tests.running_clinic import Person

SUBMIT = """([action, to, fields]) => {
  const says = (form) => ['do', 'text'].every((name) => {
    const hidden = form.querySelector(`input[type=hidden][name="${name}"]`);
    return !hidden || !(name in fields) || hidden.value === fields[name];
  });
  const whole = new RegExp(`^${action}(#.*)?$`);
  const form = [...document.forms].find((each) => each.method === 'post' && whole.test(each.getAttribute('action')) && says(each));
  for (const [name, value] of Object.entries(fields)) {
    form.querySelectorAll(`[name="${name}"]`).forEach((each) => each.remove());
    const made = Object.assign(document.createElement('input'), {type: 'hidden', name, value});
    form.append(made);
  }
  form.removeAttribute('target');
  if (to) form.action = to;
  form.submit();
}"""
"""Without the browser's own checks: a page must also say what is wrong to somebody whose browser lets it through."""


@dataclass
class Walk:
    """A clinic and a page for each kind of visitor; `refs` are names to be used in addresses, such as `{steady}`."""

    served: Served
    pages: dict[str, Page]
    people: dict[str, Person]
    refs: dict[str, str] = field(default_factory=dict)


Reach = Callable[[Walk, Page], None]


@dataclass(frozen=True)
class State:
    """What a page looks like once: whose browser, how it is reached, and words that only this state says."""

    name: str
    who: str
    words: str
    reach: Reach


def at(path: str) -> Reach:
    """Open an address."""
    return lambda walk, page: _open(page, path.format(**walk.refs))


def sent(start: str, action: str, *, to: str = "", **fields: str) -> Reach:
    """Open `start` (empty: stay) and post its form whose action matches, with these fields in place of its own, to `to` if given."""

    def reach(walk: Walk, page: Page) -> None:
        if start:
            _open(page, start.format(**walk.refs))
        with page.expect_navigation():
            told = {name: text.format(**walk.refs) for name, text in fields.items()}
            page.evaluate(SUBMIT, [action.format(**walk.refs), to.format(**walk.refs), told])

    return reach


def file(content: bytes) -> Reach:
    """Choose a file of patients."""

    def reach(_: Walk, page: Page) -> None:
        _open(page, "/import")
        page.get_by_label("The file").set_input_files({"name": "patients.csv", "mimeType": "text/csv", "buffer": content})
        page.get_by_role("button", name="Look at the file").click()
        page.wait_for_load_state()

    return reach


def after(do: Callable[[Walk], None], reach: Reach) -> Reach:
    """Something happens in the clinic first."""

    def both(walk: Walk, page: Page) -> None:
        do(walk)
        reach(walk, page)

    return both


def _open(page: Page, path: str) -> None:
    page.goto(path)
