/** A conversation that stays open: it follows its events, marks what is seen as read, and measures the reply. */
import { grouped } from "./numbers.js";
import { SizeRules } from "./text_size.js";

const body = document.body;
const talk = document.getElementById("talk");
const conversation = talk.dataset.conversation;
const rules = new SizeRules(JSON.parse(document.getElementById("size-rules").textContent));

function texts() {
  return document.getElementById("texts");
}

/** Fetch the texts again if an event is about this conversation. */
function follow({ detail }) {
  const isOurs = detail.events.some((data) => data.conversation === conversation || data.conversation === undefined);
  if (isOurs) texts().dispatchEvent(new CustomEvent("inbox:changed"));
}

for (const type of ["message.received", "message.created", "message.status", "conversation.updated", "broadcast.created"]) {
  body.addEventListener(`koinonia:${type}`, follow);
}
for (const type of ["note.created", "note.deleted"]) {
  body.addEventListener(`koinonia:${type}`, ({ detail }) => {
    if (detail.events.some((data) => data.conversation === conversation)) {
      document.getElementById("notes-list").dispatchEvent(new CustomEvent("inbox:notes"));
    }
  });
}

/** Tell the server what a person has seen: only while the page is in front. */
async function markRead() {
  const { read, unread, last } = texts().dataset;
  if (!read || unread === "0" || document.visibilityState !== "visible") return;
  texts().dataset.unread = "0";
  const answer = await fetch(read, {
    method: "POST",
    headers: { "X-CSRFToken": body.dataset.csrf },
    body: new URLSearchParams({ seen: last, quietly: "yes" }),
  }).catch(() => null);
  // The next event or visit tries again.
  if (!answer?.ok) texts().dataset.unread = unread;
}

body.addEventListener("htmx:afterSwap", markRead);
document.addEventListener("visibilitychange", markRead);

/** Hide a picture that does not load: it can be a video, or gone. The link below it stays. */
talk.addEventListener(
  "error",
  ({ target }) => {
    if (target.matches?.(".medium img")) target.hidden = true;
  },
  true,
);

function showSize() {
  const field = document.getElementById("reply-text");
  const line = document.getElementById("size");
  if (!field || !line) return;
  const { units, parts } = rules.measure(field.value);
  line.textContent = units ? `${grouped(units)} · ${(parts === 1 ? line.dataset.one : line.dataset.many.replace("{parts}", grouped(parts)))}` : "";
  line.classList.toggle("problem", parts > rules.maxParts);
}

talk.addEventListener("input", showSize);
talk.addEventListener("koinonia:draft", showSize, true);
talk.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.target.id !== "reply-text") return;
  event.preventDefault();
  document.getElementById("send").click();
});
let sending = false;
talk.addEventListener("submit", (event) => {
  if (event.target.id !== "reply") return;
  if (sending) event.preventDefault();
  sending = true;
});

/** A person who opens a conversation answers it. A touch screen would open its keyboard over the texts. */
function begin() {
  if (document.activeElement !== body || !matchMedia("(pointer: fine)").matches) return;
  document.getElementById("reply-text")?.focus({ preventScroll: true });
}

showSize();
markRead();
// Chromium takes the focus away when it scrolls to the fragment of the address, at the end of the load.
addEventListener("load", () => requestAnimationFrame(begin));
