/**
 * A recipient field: a combobox (ARIA 1.2) over the list that htmx fetches while a person types.
 *
 * Enter takes only the marked line, and never sends the form. A chosen recipient becomes a chip with a
 * hidden field `who`.
 */
export class RecipientField {
  #field;
  #input;
  #list;
  #chosen;
  #changed;
  #active = -1;
  /** The words that the fetched list is about. */
  #asked = "";

  constructor(field, changed) {
    this.#field = field;
    this.#changed = changed;
    this.#input = field.querySelector("input[type=text]");
    this.#list = field.querySelector("[role=listbox]");
    this.#chosen = field.querySelector(".chosen");
    field.querySelector(".find").hidden = true;
    const { kind } = field.dataset;
    for (const [name, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${kind}-options`,
    })) this.#input.setAttribute(name, value);
    this.#input.addEventListener("click", () => this.#list.hidden && this.#ask());
    this.#input.addEventListener("blur", () => this.#close());
    // The list of the former words would offer another recipient until the answer arrives.
    this.#input.addEventListener("input", () => this.#close());
    this.#input.addEventListener("htmx:beforeRequest", () => { this.#asked = this.#input.value; });
    this.#input.addEventListener("keydown", (event) => this.#onKey(event));
    this.#list.addEventListener("htmx:afterSwap", () => this.#open());
    this.#list.addEventListener("mousedown", (event) => {
      event.preventDefault(); // Keep the focus in the input.
      this.#choose(event.target.closest("[role=option]"));
    });
    this.#chosen.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      event.preventDefault();
      button.closest("li").remove();
      this.#input.focus();
      this.#changed();
    });
  }

  get kind() {
    return this.#field.dataset.kind;
  }

  /** A group or everybody is chosen. */
  get hasMany() {
    return [...this.#chosen.children].some(({ dataset }) => !["member", "number"].includes(dataset.kind));
  }

  get isEmpty() {
    return this.#chosen.children.length === 0;
  }

  /** Show the recipients that a draft names; the server knows their names. */
  show(chips) {
    this.#chosen.replaceChildren(...chips);
    if (chips.length) this.#field.closest("details")?.setAttribute("open", "");
  }

  focus() {
    this.#input.focus();
  }

  #ask() {
    this.#input.dispatchEvent(new CustomEvent("koinonia:ask"));
  }

  #options() {
    return [...this.#list.querySelectorAll("[role=option]")];
  }

  #open() {
    if (document.activeElement !== this.#input || this.#asked !== this.#input.value) return;
    this.#options().forEach((option, index) => { option.id = `${this.kind}-option-${index}`; });
    this.#active = -1;
    this.#input.removeAttribute("aria-activedescendant");
    this.#list.hidden = false;
    this.#input.setAttribute("aria-expanded", "true");
    this.#field.querySelector("[data-spoken]").textContent = this.#list.querySelector("[data-found]")?.dataset.found ?? "";
  }

  #close() {
    this.#list.hidden = true;
    this.#active = -1;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }

  #choose(option) {
    if (!option || option.getAttribute("aria-disabled") === "true") return;
    this.#chosen.append(chipOf(option.dataset));
    this.#input.value = "";
    this.#close();
    this.#input.dispatchEvent(new Event("change", { bubbles: true }));
    this.#changed();
  }

  #onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.isComposing) return;
    if (step) {
      event.preventDefault();
      if (this.#list.hidden) this.#ask();
      else this.#mark(step);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.#active >= 0) this.#choose(this.#options()[this.#active]);
    } else if (event.key === "Escape" && !this.#list.hidden) {
      event.preventDefault();
      this.#close();
    } else if (event.key === "Backspace" && !this.#input.value && !this.isEmpty) {
      this.#chosen.lastElementChild.remove();
      this.#changed();
    }
  }

  #mark(step) {
    const options = this.#options();
    if (!options.length) return;
    this.#active = (this.#active + step + options.length + (this.#active < 0 && step < 0 ? 1 : 0)) % options.length;
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === this.#active)));
    options[this.#active].scrollIntoView({ block: "nearest" });
    this.#input.setAttribute("aria-activedescendant", options[this.#active].id);
  }
}

function chipOf({ mark, label, kind }) {
  const chip = document.getElementById("chip").content.firstElementChild.cloneNode(true);
  chip.dataset.kind = kind;
  chip.querySelector("input").value = mark;
  chip.querySelector("bdi").textContent = label;
  chip.querySelector("button").value = `drop:${mark}`;
  chip.querySelector(".visually-hidden").append(label);
  return chip;
}
