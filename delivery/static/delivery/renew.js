/**
 * Renews parts of a page.
 *
 * `<div data-renew="url" data-every="5">` holds elements with `data-part`. The module fetches the address with the
 * entity tag of the last answer; 304 changes nothing. A part is replaced only if it has changed, so focus and open
 * details elsewhere stay. Without JavaScript a reload shows the same.
 */
const LONGEST_PAUSE_SECONDS = 60;

/** Return the keys of the open details of a part. */
function openDetails(part) {
  return new Set([...part.querySelectorAll("details[open][id]")].map(({ id }) => id));
}

/** Put the new parts in the place of the old ones. */
function replaceParts(root, text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = root.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
    if (!old || old.dataset.shown === part.outerHTML) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    const open = openDetails(old);
    const shown = part.outerHTML;
    const next = document.adoptNode(part);
    for (const id of open) {
      const details = next.querySelector(`#${CSS.escape(id)}`);
      if (details) details.open = true;
    }
    next.dataset.shown = shown;
    old.replaceWith(next);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
}

/** Say below the part whether it is up to date. */
function say(root, sentence) {
  const place = root.parentElement.querySelector("[data-renew-state]");
  if (place && place.textContent !== sentence) place.textContent = sentence;
}

function follow(root) {
  const every = Number(root.dataset.every) || 5;
  let tag = "";
  let failures = 0;
  for (const part of root.querySelectorAll("[data-part]")) part.dataset.shown = part.outerHTML;

  async function renew() {
    const headers = tag ? { "If-None-Match": tag } : {};
    const answer = await fetch(root.dataset.renew, { headers, cache: "no-store", redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.status === 403) {
      say(root, "You are signed out. Reload the page to sign in again.");
      return false;
    }
    if (answer.status !== 304) {
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      tag = answer.headers.get("ETag") ?? "";
      replaceParts(root, await answer.text());
    }
    return true;
  }

  async function step() {
    if (document.hidden) {
      document.addEventListener("visibilitychange", step, { once: true });
      return;
    }
    try {
      if (!(await renew())) return;
      failures = 0;
      say(root, "");
    } catch {
      failures += 1;
      say(root, "The server does not answer: these figures may be old. The page tries again by itself.");
    }
    setTimeout(step, 1000 * Math.min(LONGEST_PAUSE_SECONDS, every * 2 ** Math.min(failures, 4)));
  }

  setTimeout(step, 1000 * every);
}

for (const root of document.querySelectorAll("[data-renew]")) follow(root);
