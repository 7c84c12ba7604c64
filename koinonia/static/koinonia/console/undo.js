/** Counts the seconds in which Undo is possible, and asks for the page again when they are over. */
const SECOND_MS = 1000;
const LEAVES_WITHIN_MS = 1500;

function tick() {
  const form = document.querySelector("[data-undo]");
  if (!form) return;
  const seconds = Math.ceil((Date.parse(form.dataset.due) - Date.now()) / SECOND_MS);
  const words = form.querySelector("[data-countdown]");
  if (seconds > 0) {
    words.textContent = words.dataset.sentence.replace("{n}", seconds);
    setTimeout(tick, SECOND_MS);
    return;
  }
  form.querySelector("button").disabled = true;
  setTimeout(() => document.body.dispatchEvent(new CustomEvent("koinonia:reset", { detail: { events: [] } })), LEAVES_WITHIN_MS);
}

tick();
