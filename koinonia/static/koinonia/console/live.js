/**
 * Turns the church's events into DOM events on the body, for htmx and for modules of pages.
 *
 * `koinonia:<type>` with `detail.events`: the data of all events of this type since the last one, at
 * most once a second. `koinonia:reset`: events were missed, fetch again what is shown.
 */
import { notice } from "./notices.js";
import { grouped } from "./numbers.js";
import { holdForms } from "./reachable.js";

const SHORTEST_PAUSE_MS = 1000;
const RETRY_AFTER_MS = 3000;
const LONGEST_RENEWAL_MS = 10_000;
/** htmx listens for a new part within this time. */
const SETTLED_AFTER_MS = 100;

const root = document.body;
const sentences = JSON.parse(document.getElementById("sentences").textContent);
const title = document.title;

const waiting = new Map();
let lastTime = 0;
let timer = null;
let retry = null;
let renewals = 0;
let lastRenewal = 0;

function dispatch(type, events) {
  root.dispatchEvent(new CustomEvent(`koinonia:${type}`, { bubbles: true, detail: { events } }));
}

/**
 * Dispatch what was gathered, when no renewal is under way: its answer may be older than the events,
 * and the part that it replaces would no longer hear them.
 */
function flush() {
  timer = null;
  if (renewals > 0 && Date.now() < lastRenewal + LONGEST_RENEWAL_MS) return;
  renewals = 0;
  lastTime = Date.now();
  const ready = [...waiting];
  waiting.clear();
  for (const [type, events] of ready) dispatch(type, events);
}

/** Gather events of the same type; the first one of a quiet time goes out at once. */
function gather(events) {
  for (const { type, data, seq } of events) {
    if (!waiting.has(type)) waiting.set(type, []);
    waiting.get(type).push({ ...data, seq });
  }
  flushSoon();
}

function flushSoon() {
  timer ??= setTimeout(flush, Math.max(SETTLED_AFTER_MS, lastTime + SHORTEST_PAUSE_MS - Date.now()));
}

/** Count the renewals that are under way. */
function watchRenewals() {
  root.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (!isRenewal(detail)) return;
    renewals += 1;
    lastRenewal = Date.now();
    setTimeout(flushSoon, LONGEST_RENEWAL_MS + 1);
  });
  root.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (!isRenewal(detail)) return;
    renewals = Math.max(0, renewals - 1);
    // A flush that was due now would not reach the new part, which does not listen yet.
    clearTimeout(timer);
    timer = null;
    if (waiting.size) flushSoon();
  });
}

function showState(state) {
  const pill = document.getElementById("link");
  pill.hidden = false;
  pill.dataset.state = state;
  pill.textContent = sentences[state] ?? state;
  if (state === "offline" && navigator.onLine) leaveIfSignedOut();
}

/**
 * Leave the page if the user is signed out, or is not on the staff any more: names and texts must not
 * stay on the screen. Without an answer, only the network or the server is away.
 */
async function leaveIfSignedOut() {
  const { pathname, search } = location;
  const part = `/churches/${root.dataset.church}/parts/unread/`;
  const answer = await fetch(part, { redirect: "manual" }).catch(() => null);
  if (answer?.type === "opaqueredirect") location.replace(`/login/?next=${encodeURIComponent(pathname + search)}`);
  else if (answer?.status === 404) location.reload();
}

/** Show the number of unread texts in the title. */
function showUnread() {
  const unread = Number(document.getElementById("unread")?.dataset.unread ?? 0);
  document.title = unread ? `(${grouped(unread)}) ${title}` : title;
}

/** Return the name of the person who wrote. The server writes the number of a person without one. */
async function callerOf({ member, from, conversation }, base) {
  const name = member?.name ?? "";
  if (name && !/^\+\d+$/.test(name)) return name;
  const answer = conversation && (await fetch(`${base}${conversation}/caller/`).catch(() => null));
  return (answer?.ok && (await answer.text().catch(() => ""))) || from;
}

/** Announce a text, unless its conversation is before the person's eyes. */
async function announce({ detail }) {
  const open = document.hidden ? undefined : document.getElementById("talk")?.dataset.conversation;
  const last = detail.events.filter(({ conversation }) => !open || conversation !== open).at(-1);
  if (!last) return;
  const base = `/churches/${root.dataset.church}/inbox/`;
  const sentence = sentences.reply.replace("{name}", await callerOf(last, base));
  notice(sentence, last.conversation ? `${base}${last.conversation}/` : base);
  if (document.hidden && globalThis.Notification?.permission === "granted" && localStorage.getItem("notify")) {
    // One notification per church: a newer one replaces it. It holds no word of the text.
    new Notification(sentence, { tag: `koinonia-${root.dataset.church}` });
  }
}

function offerNotifications() {
  const button = document.getElementById("notify");
  if (!button || !globalThis.Notification) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const answer = await Notification.requestPermission();
    if (answer === "granted") localStorage.setItem("notify", "yes");
    notice(answer === "granted" ? sentences.notifying : sentences.blocked);
  });
}

/** Renew every part once more, because no event repeats what a lost answer would have shown. */
function renewLater() {
  retry ??= setTimeout(() => {
    retry = null;
    gather([{ type: "reset" }]);
  }, RETRY_AFTER_MS);
}

/** `detail.elt` is a parent of the part if the answer has replaced the part. */
function isRenewal({ requestConfig }) {
  return requestConfig.elt.getAttribute("hx-trigger")?.includes("koinonia:") ?? false;
}

/**
 * Keep what is shown when an answer is cut off: over plain HTTP, Chromium reports an answer that ends in
 * its headers as 200 and empty. No page and no part is empty.
 */
function keepWhatIsShown({ detail }) {
  if (detail.xhr.status !== 200 || detail.serverResponse) return;
  detail.shouldSwap = false;
  if (isRenewal(detail)) renewLater();
  else notice(sentences.unreachable);
}

const REFUSALS = { 409: "conflict", 429: "busy" };

function showFailures() {
  root.addEventListener("htmx:sendError", ({ detail }) => {
    if (isRenewal(detail)) renewLater();
    else notice(sentences.unreachable);
  });
  root.addEventListener("htmx:responseError", ({ detail }) => {
    const { status } = detail.xhr;
    if (isRenewal(detail) && status >= 500) renewLater();
    else if (status !== 403 && status !== 404) notice(sentences[REFUSALS[status]] ?? sentences.failed);
  });
  root.addEventListener("htmx:beforeSwap", keepWhatIsShown);
}

async function start() {
  document.getElementById("church")?.addEventListener("change", ({ target }) => target.form.submit());
  offerNotifications();
  showFailures();
  holdForms(() => document.getElementById("link").dataset.state, sentences.unreachable);
  watchRenewals();
  showUnread();
  root.addEventListener("htmx:afterSwap", showUnread);
  root.addEventListener("koinonia:message.received", announce);
  const { church, user, epoch, since, realtime } = root.dataset;
  const { connect } = await import(realtime);
  connect({
    url: "/ws/v1/",
    user,
    streams: {
      [`church:${church}`]: { epoch, since: Number(since), poll: `/api/v1/churches/${church}/events/` },
      "user:me": { poll: "/api/v1/me/events/" },
    },
    onEvents: (_stream, events) => gather(events),
    onReset: () => gather([{ type: "reset" }]),
    onState: showState,
  });
}

start();
