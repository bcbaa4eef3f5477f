// Makes the phone page feel like a chat app: sends without reloading, stays at the bottom, looks for new messages.
// Everything here also works without it, as plain forms and links.
"use strict";

const POLL_MS = 3000;
const log = () => document.getElementById("log");

function atBottom(box) {
  return box.scrollHeight - box.scrollTop - box.clientHeight < 80;
}

function toBottom() {
  const box = log();
  if (box) box.scrollTop = box.scrollHeight;
}

// Only what is new is added, so that a screen reader reads each message once and nothing that is typed is lost.
function mergeLog(fresh) {
  const box = log();
  if (!box || !fresh) return;
  const stay = atBottom(box);
  const end = box.querySelector("#latest");
  const wanted = new Set([...fresh.children].map((item) => item.id).filter(Boolean));
  for (const item of [...box.children]) {
    if (item.id && item.id !== "latest" && !wanted.has(item.id)) item.remove();
  }
  let added = false;
  for (const item of [...fresh.children]) {
    if (!item.id || item.id === "latest") continue;
    const old = document.getElementById(item.id);
    if (!old) {
      box.insertBefore(item, end);
      added = true;
    } else if (words(old) !== words(item)) {
      old.replaceWith(item);
    } else {
      syncParts(old, item);
    }
  }
  if (added && stay) toBottom();
}

function words(item) {
  const text = item.querySelector(".text");
  return text ? text.textContent : item.textContent;
}

function syncParts(old, fresh) {
  const keys = old.querySelector(".keys");
  const nowKeys = fresh.querySelector(".keys");
  if (keys && nowKeys && !keys.contains(document.activeElement)) keys.open = nowKeys.open;
  const edit = old.querySelector(".edit");
  const nowEdit = fresh.querySelector(".edit");
  if (edit && !nowEdit && !edit.contains(document.activeElement)) edit.remove();
  if (!edit && nowEdit) old.append(nowEdit);
}

function replace(id, from) {
  const old = document.getElementById(id);
  const fresh = from.getElementById(id);
  if (!old || !fresh || old.innerHTML === fresh.innerHTML) return;
  const inside = old.contains(document.activeElement) ? document.activeElement : null;
  const again = inside && (inside.value ? `[value="${CSS.escape(inside.value)}"]` : inside.getAttribute("href") && `[href="${CSS.escape(inside.getAttribute("href"))}"]`);
  old.replaceChildren(...fresh.childNodes);
  if (again) old.querySelector(again)?.focus();
}

function show(text) {
  const from = new DOMParser().parseFromString(text, "text/html");
  mergeLog(from.getElementById("log"));
  replace("phones", from);
  replace("clock", from);
  replace("local", from);
  const write = document.getElementById("write");
  const nowWrite = from.getElementById("write");
  if (write && nowWrite && !!write.querySelector("#text") !== !!nowWrite.querySelector("#text")) replace("write", from);
}

async function send(form, body) {
  const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  show(await answer.text());
}

// One after the other, in the order in which they were done: a quick hand must not lose anything.
let line = Promise.resolve();
let waiting = 0;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-live")) return;
  event.preventDefault();
  const box = form.querySelector("textarea");
  if (box && !box.value.trim()) return;
  const body = new URLSearchParams(new FormData(form));
  const button = event.submitter;
  if (button && button.name) body.set(button.name, button.value);
  const inLog = !!log() && log().contains(form);
  if (box) box.value = "";
  waiting += 1;
  document.body.classList.add("busy");
  line = line.then(async () => {
    try {
      await send(form, body);
      toBottom();
      if (inLog || !document.body.contains(form)) document.getElementById("text")?.focus({ preventScroll: true });
    } catch {
      // As a plain form the server says what is wrong, and what was typed comes back with the browser's own "back".
      if (box && !box.value) box.value = body.get("text");
      form.removeAttribute("data-live");
      form.requestSubmit(button && document.body.contains(button) ? button : undefined);
    } finally {
      waiting -= 1;
      if (!waiting) document.body.classList.remove("busy");
    }
  });
});

document.addEventListener("keydown", (event) => {
  if (event.target.id === "text" && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

async function poll() {
  if (!waiting && document.visibilityState === "visible") {
    try {
      const answer = await fetch(location.pathname + location.search, { credentials: "same-origin" });
      if (answer.ok && !waiting) show(await answer.text());
    } catch {
      // The service is restarting; the next look will tell.
    }
  }
  setTimeout(poll, POLL_MS);
}

toBottom();
setTimeout(poll, POLL_MS);
