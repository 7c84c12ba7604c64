/**
 * Keeps what is typed in `<form data-draft="name">`, per church and user, until it was accepted.
 *
 * The fields come back after a reload, an expired session or a switch of the church. A form that the
 * server refused shows the typed values already (`data-refused` inside). A notice with
 * `data-accepted="name"` ends the draft. Modules with fields of their own listen to `koinonia:draft`
 * on the form: `detail.entries` are the kept pairs of name and value.
 */
const { church, user } = document.body.dataset;
const PREFIX = `draft:${user}:`;
const NOT_KEPT = new Set(["csrfmiddlewaretoken", "password"]);

function keyOf(name) {
  return `${PREFIX}${church}:${name}`;
}

/** Storage can be full or forbidden: typing must go on without it. */
function quietly(act) {
  try {
    return act();
  } catch (error) {
    console.warn("The draft is not kept.", error);
    return null;
  }
}

function entriesOf(form) {
  return [...new FormData(form)].filter(
    ([name, value]) => typeof value === "string" && !NOT_KEPT.has(name) && !form.elements[name]?.matches?.("[type=password]"),
  );
}

function keep(form) {
  const entries = entriesOf(form);
  quietly(() => localStorage.setItem(keyOf(form.dataset.draft), JSON.stringify(entries)));
}

function restore(form) {
  if (form.querySelector("[data-refused], [aria-invalid=true]")) return keep(form);
  const kept = quietly(() => JSON.parse(localStorage.getItem(keyOf(form.dataset.draft))));
  if (!kept) return;
  const values = new Map();
  for (const [name, value] of kept) values.set(name, [...(values.get(name) ?? []), value]);
  for (const field of form.elements) {
    if (!field.name || NOT_KEPT.has(field.name) || field.type === "file" || field.type === "hidden") continue;
    const given = values.get(field.name) ?? [];
    if (field.type === "checkbox" || field.type === "radio") field.checked = given.includes(field.value);
    else if (field.type === "select-multiple") for (const option of field.options) option.selected = given.includes(option.value);
    else if (given.length) field.value = given[0];
  }
  form.draft = kept; // For a module that starts later.
  form.dispatchEvent(new CustomEvent("koinonia:draft", { detail: { entries: kept } }));
}

function forget(name) {
  quietly(() => localStorage.removeItem(keyOf(name)));
}

function forgetAll() {
  quietly(() => {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  });
}

function look(root) {
  for (const done of root.querySelectorAll("[data-accepted]")) forget(done.dataset.accepted);
  for (const form of root.querySelectorAll("form[data-draft]:not([data-watched])")) {
    form.dataset.watched = "yes";
    for (const type of ["input", "change"]) form.addEventListener(type, () => keep(form));
    restore(form);
  }
}

look(document);
document.body.addEventListener("htmx:afterSettle", () => look(document));
for (const form of document.querySelectorAll("form[data-sign-out]")) form.addEventListener("submit", forgetAll);
