const TYPED_AFTER_MS = 150;

/**
 * A combobox of groups and members (ARIA 1.2 pattern) that also accepts a phone number.
 * `chosen` is `{label, single: {member|to}}` or `{label, audience}`, or null.
 */
export class Recipient {
  chosen = null;
  #api;
  #input = document.getElementById("recipient");
  #list = document.getElementById("recipients");
  #options = [];
  #active = -1;
  #timer = null;
  #lastRequest = 0;
  #groups = null;
  #changed;

  constructor(api, changed) {
    this.#api = api;
    this.#changed = changed;
    this.#input.addEventListener("input", () => this.#onInput());
    this.#input.addEventListener("click", () => this.#suggest());
    this.#input.addEventListener("blur", () => this.#close());
    this.#input.addEventListener("keydown", (event) => this.#onKey(event));
    this.#list.addEventListener("mousedown", (event) => {
      event.preventDefault(); // Keep the focus in the input.
      const option = event.target.closest("li");
      if (option) this.#choose(this.#options[Number(option.dataset.index)]);
    });
  }

  clear() {
    this.chosen = null;
    this.#input.value = "";
    delete this.#input.dataset.chosen;
    this.#changed();
  }

  focus() {
    this.#input.focus();
  }

  #onInput() {
    this.chosen = null;
    delete this.#input.dataset.chosen;
    this.#changed();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#suggest(), TYPED_AFTER_MS);
  }

  async #suggest() {
    if (this.chosen) return;
    const request = ++this.#lastRequest;
    const words = this.#input.value.trim();
    const [groups, members] = await Promise.all([this.#allGroups(), this.#members(words)]);
    if (request !== this.#lastRequest) return; // A newer request replaces this one.
    const wanted = words.toLowerCase();
    const options = groups.filter((group) => group.label.toLowerCase().includes(wanted));
    options.push(...members);
    if (/^\+?[\d ().-]{7,}$/.test(words)) {
      options.push({ label: words, detail: "this number", single: { to: words } });
    }
    this.#open(options);
  }

  async #allGroups() {
    if (!this.#groups) {
      const [church, groups] = await Promise.all([this.#api.get(""), this.#api.get("groups/?page_size=200")]);
      this.#groups = [
        { label: "Everyone", detail: `${church.body.members_count} members`, audience: { all: true } },
        ...groups.body.results.map((group) => ({
          label: group.name,
          detail: `group of ${group.members_count}`,
          audience: { groups: [group.id] },
        })),
      ];
    }
    return this.#groups;
  }

  async #members(words) {
    const query = words ? `?page_size=8&search=${encodeURIComponent(words)}` : "?page_size=8";
    const { body } = await this.#api.get(`members/${query}`);
    return body.results.map((member) => ({
      label: `${member.first_name} ${member.last_name}`.trim(),
      detail: member.opted_out ? "opted out" : member.phone,
      disabled: member.opted_out,
      single: { member: member.id },
    }));
  }

  #open(options) {
    this.#options = options;
    this.#active = -1;
    this.#list.replaceChildren(...options.map((option, index) => this.#line(option, index)));
    this.#list.hidden = options.length === 0;
    this.#input.setAttribute("aria-expanded", String(options.length > 0));
  }

  #line(option, index) {
    const line = document.createElement("li");
    line.role = "option";
    line.id = `recipient-${index}`;
    line.dataset.index = index;
    if (option.disabled) line.setAttribute("aria-disabled", "true");
    const detail = document.createElement("small");
    detail.textContent = option.detail;
    line.append(option.label, detail);
    return line;
  }

  #close() {
    this.#lastRequest++;
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }

  #choose(option) {
    if (!option || option.disabled) return;
    this.chosen = option;
    this.#input.value = option.label;
    this.#input.dataset.chosen = "";
    this.#close();
    this.#changed();
  }

  #onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.#list.hidden) {
      event.preventDefault();
      this.#suggest();
    } else if (step) {
      event.preventDefault();
      this.#active = (this.#active + step + this.#options.length) % this.#options.length;
      this.#mark();
    } else if (event.key === "Enter" && !this.#list.hidden) {
      event.preventDefault();
      this.#choose(this.#options[Math.max(this.#active, 0)]);
    } else if (event.key === "Escape") {
      this.#close();
    }
  }

  #mark() {
    for (const line of this.#list.children) {
      const active = Number(line.dataset.index) === this.#active;
      line.setAttribute("aria-selected", String(active));
      if (active) line.scrollIntoView({ block: "nearest" });
    }
    this.#input.setAttribute("aria-activedescendant", `recipient-${this.#active}`);
  }
}
