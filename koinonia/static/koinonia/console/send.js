/** The page that sends a text: recipients, size, placeholders, templates, and the preview. */
import { Attachments } from "./attachments.js";
import { grouped } from "./numbers.js";
import { RecipientField } from "./people.js";
import { SizeRules } from "./text_size.js";

const form = document.getElementById("compose");
const text = form.elements.text;
const rules = new SizeRules(JSON.parse(document.getElementById("size-rules").textContent));
const words = JSON.parse(document.getElementById("send-words").textContent);

function showSize() {
  const size = document.getElementById("size");
  const measured = rules.measure(text.value);
  const { units } = measured;
  // A text with a picture is one part at any length.
  const parts = form.elements.attached || form.elements.link.value ? 1 : measured.parts;
  const over = parts > rules.maxParts;
  const sentence = over ? words.over : parts > 1 ? words.many : units === 1 ? words.single : words.one;
  size.textContent = text.value
    ? sentence.replace("{units}", grouped(units)).replace("{parts}", grouped(parts)).replace("{limit}", rules.maxParts)
    : "";
  size.classList.toggle("problem", over);
}

/** Fetch the outlook again, and let the button say whether the text goes out now. */
function look() {
  const { date, time } = form.elements;
  const button = form.querySelector("[data-later]");
  button.textContent = date.value || time.value ? button.dataset.later : button.dataset.now;
  const butNot = form.querySelector(".but-not");
  butNot.classList.toggle("needed", butNot.open || fields[0].hasMany);
  form.querySelector(".until").classList.toggle("needed", Boolean(form.elements.repeat.value || form.elements.until.value));
  showSize();
  form.dispatchEvent(new CustomEvent("koinonia:compose"));
}

function changed() {
  form.dispatchEvent(new Event("change")); // The draft is kept.
  look();
}

function insert(words_) {
  text.setRangeText(words_, text.selectionStart, text.selectionEnd, "end");
  text.focus();
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

const fields = [...form.querySelectorAll(".recipients")].map((field) => new RecipientField(field, changed));

const attachments = new Attachments(form, changed);

/** Begin where a person goes on. A touch screen would open its keyboard over the page. */
function begin() {
  if (document.activeElement !== document.body || !matchMedia("(pointer: fine)").matches) return;
  if (fields[0].isEmpty) fields[0].focus();
  else text.focus();
}

async function restore({ detail }) {
  const urls = detail.entries.filter(([name]) => name === "attached").map(([, url]) => url);
  if (urls.length && !form.elements.attached) attachments.show(urls);
  if (!("linked" in form.dataset)) {
    const marks = detail.entries.filter(([name]) => name === "who").map(([, mark]) => mark);
    if (marks.length) await showRecipients(marks);
  }
  begin();
  const opened = detail.entries.filter(([name, value]) => value && ["date", "time", "link", "repeat", "until"].includes(name));
  for (const [name] of opened) form.elements[name].closest("details")?.setAttribute("open", "");
  look();
}

async function showRecipients(marks) {
  const query = new URLSearchParams(marks.map((mark) => ["mark", mark]));
  const address = `${form.getAttribute("action")}parts/recipients/?${query}`;
  const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const chips = [...page.querySelectorAll("li.recipient")].map((chip) => document.importNode(chip, true));
  for (const field of fields) {
    field.show(chips.filter((chip) => (chip.dataset.kind === "without") === (field.kind === "without")));
  }
}

async function insertTemplate(event) {
  const select = form.elements.template;
  if (!select?.value) return;
  event.preventDefault();
  const address = `${form.dataset.api}templates/${select.value}/`;
  const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
  const template = answer?.ok ? await answer.json().catch(() => null) : null;
  if (template) insert(template.text);
  else form.requestSubmit(event.target); // The server inserts it, and explains what is wrong.
  select.value = "";
}

function usePlain(button) {
  const plain = JSON.parse(button.dataset.plain);
  text.value = [...text.value].map((sign) => plain[sign] ?? sign).join("");
  text.dispatchEvent(new Event("input", { bubbles: true }));
  text.focus();
}

form.addEventListener("koinonia:draft", restore);
if (form.draft) restore({ detail: { entries: form.draft } });
else begin();
text.addEventListener("input", look);
for (const name of ["date", "time", "link", "repeat"]) form.elements[name].addEventListener("change", look);
for (const button of form.querySelectorAll("[data-insert]")) {
  button.hidden = false;
  button.addEventListener("click", () => insert(button.dataset.insert));
}
form.querySelector("[value=insert]")?.addEventListener("click", insertTemplate);
document.body.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-plain]");
  if (button) usePlain(button);
});
document.body.addEventListener("htmx:afterSwap", () => {
  document.getElementById("in-short").textContent = document.querySelector("[data-in-short]")?.dataset.inShort ?? "";
  for (const button of document.querySelectorAll("[data-plain]")) button.hidden = false;
});
form.addEventListener("submit", (event) => {
  if (form.dataset.sending) return event.preventDefault(); // A double click sends once.
  form.dataset.sending = "yes";
  return undefined;
});
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.querySelector("[data-later]").click();
});
addEventListener("pageshow", () => delete form.dataset.sending);
look();
