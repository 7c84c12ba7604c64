import { notice } from "./notices.js";
import { newKey } from "./key.js";
import { Recipient } from "./recipient.js";
import { SizeRules } from "./text_size.js";

/** The form that sends a single message, or a broadcast to a group. */
export class Compose {
  #api;
  #text = document.getElementById("text");
  #button = document.getElementById("send");
  #recipient;
  #rules = new SizeRules(JSON.parse(document.getElementById("size-rules").textContent));
  #key = newKey();

  constructor(form, api) {
    this.#api = api;
    this.#recipient = new Recipient(api, () => this.#changed());
    this.#text.addEventListener("input", () => this.#changed());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  /** A changed text is a new request: it gets a new Idempotency-Key. */
  #changed() {
    this.#key = newKey();
    const { units, parts } = this.#rules.measure(this.#text.value);
    const size = document.getElementById("size");
    size.textContent =
      `${units} character${units === 1 ? "" : "s"}` + (parts > 1 ? `, ${parts} parts` : "") +
      (parts > this.#rules.maxParts ? `: the limit is ${this.#rules.maxParts}` : "");
    size.classList.toggle("problem", parts > this.#rules.maxParts);
    document.getElementById("placeholders").hidden = !this.#recipient.chosen?.audience;
  }

  async #send() {
    this.#showProblems({});
    const recipient = this.#recipient.chosen;
    const problems = {};
    if (!recipient) problems.to = ["Choose a member, a group or a number from the list."];
    if (!this.#text.value.trim()) problems.text = ["Write a text first."];
    if (Object.keys(problems).length) return this.#showProblems(problems);
    this.#button.disabled = true;
    try {
      await this.#post(recipient);
      this.#text.value = "";
      this.#recipient.clear();
      this.#recipient.focus();
    } catch (error) {
      this.#showProblems(error.errors ?? {}, error.message);
    }
    this.#button.disabled = false;
  }

  async #post(recipient) {
    const text = this.#text.value;
    if (recipient.single) {
      await this.#api.send("messages/", { ...recipient.single, text }, this.#key);
      return;
    }
    const { body } = await this.#api.send("broadcasts/", { audience: recipient.audience, text }, this.#key);
    notice(`On its way to ${body.total} ${body.total === 1 ? "person" : "people"}.`);
  }

  #showProblems(errors, sentence = "") {
    const named = { ...errors };
    const recipient = [named.to, named.member, named.conversation, named.audience].flat().filter(Boolean);
    this.#say("recipient-problem", recipient.join(" "));
    this.#say("text-problem", (named.text ?? []).join(" "));
    this.#say("compose-problem", recipient.length || named.text ? "" : sentence);
  }

  #say(id, sentence) {
    const line = document.getElementById(id);
    line.textContent = sentence;
    line.hidden = !sentence;
  }
}
