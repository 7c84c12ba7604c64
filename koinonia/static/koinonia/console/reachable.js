/**
 * Asks the server before a form is sent while the connection is down. The browser's own error page would
 * take the place of the page, with the words in it.
 */
import { notice } from "./notices.js";

const LIVE = new Set(["live", "polling"]);
const asking = new WeakSet();
const answered = new WeakSet();

async function isReachable() {
  const answer = await fetch(location.pathname, { method: "HEAD", cache: "no-store" }).catch(() => null);
  return answer !== null && answer.status < 500;
}

/** Hold back a form until the server answers. ``state`` returns the state of the connection. */
export function holdForms(state, sentence) {
  document.addEventListener("submit", async (event) => {
    const { target: form, submitter } = event;
    if (form.method !== "post" || LIVE.has(state()) || answered.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (asking.has(form)) return;
    asking.add(form);
    const reachable = await isReachable();
    asking.delete(form);
    if (!reachable) return notice(sentence);
    answered.add(form);
    form.requestSubmit(submitter);
  }, true);
}
