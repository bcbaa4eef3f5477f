"""What axe has judged already: a piece of a page that stands in the same place, made of the same tags, is not judged a second time."""

from __future__ import annotations

from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.test_accessibility import RULES

NEW = """([known, options]) => {
  const seen = new Set(known), fresh = [], ids = new Map(), twice = [];
  const refers = ['for', 'form', 'aria-labelledby', 'aria-describedby', 'aria-controls'];
  const keeps = /^(class|role|type|lang|dir|scope|tabindex|aria-(?!label)[a-z]+|disabled|required|open|colspan|autocomplete|hidden)$/;
  const hash = (text) => {
    let found = 7;
    for (let at = 0; at < text.length; at++) found = Math.imul(found, 31) + text.charCodeAt(at) | 0;
    return found;
  };
  const told = (each, name, value) => {
    if (refers.includes(name)) return value.split(' ').every((id) => document.getElementById(id));
    if (keeps.test(name)) return value;
    return each.namespaceURI.endsWith('svg') ? '' : Boolean(value.trim());
  };
  const made = new Map();
  const sign = (each) => {
    if (each.id) ids.get(each.id) ? twice.push(each.id) : ids.set(each.id, true);
    const own = each.getAttributeNames().sort().map((name) => `${name}=${told(each, name, each.getAttribute(name))}`);
    const says = (node) => node.nodeType === 3 && node.data.trim() ? 'x' : '';
    const inside = [...each.childNodes].map((node) => node.nodeType === 1 ? sign(node) : says(node));
    const found = hash([each.localName, ...own, '>', ...inside].join(' '));
    made.set(each, found);
    return found;
  };
  sign(document.documentElement);
  const left = [];
  const walk = (each, place) => {
    const here = hash(`${place} ${made.get(each)}`);
    if (seen.has(here)) return left.push(each);
    seen.add(here);
    fresh.push(here);
    const within = hash(`${place} ${each.localName} ${each.className.baseVal ?? each.className}`);
    for (const inner of each.children) walk(inner, within);
  };
  walk(document.body, `${innerWidth}`);
  const exclude = left[0] === document.body ? [...document.body.children] : left;
  return axe.run(exclude.length ? {include: [document.documentElement], exclude} : document, options)
    .then((found) => ({violations: found.violations, fresh, twice}));
}"""


@dataclass
class Judged:
    """The pieces that were judged so far, as numbers of what they are made of and where they stand.

    What a piece says is no part of it, only that it says something; of a reference, only whether it leads somewhere. A difference of that
    kind axe would judge alike.
    """

    known: set[int] = field(default_factory=set)

    def findings(self, page: Page) -> list[str]:
        """What axe finds in the pieces of the page that it has not judged at this width, and every id that stands there twice."""
        if not page.evaluate("'axe' in window"):
            page.evaluate(Axe().axe_script)
        found = page.evaluate(NEW, [list(self.known), RULES])
        self.known.update(found["fresh"])
        nodes = [(each["id"], node["html"][:160]) for each in found["violations"] for node in each["nodes"]]
        return [f"{page.url} {rule}: {html}" for rule, html in [*nodes, *(("id twice", each) for each in found["twice"])]]
