/** The rules by which a text takes one or more parts, as `delivery.content.encoding.size_rules` returns them. */
export class SizeRules {
  #basic;
  #extended;
  #gsm7;
  #ucs2;

  constructor({ basic, extended, gsm7, ucs2, maxParts }) {
    this.#basic = new Set(basic);
    this.#extended = new Set(extended);
    this.#gsm7 = gsm7;
    this.#ucs2 = ucs2;
    this.maxParts = maxParts;
  }

  /** Return the units and the parts of a text; an empty text takes no part. */
  measure(text) {
    let units = 0;
    for (const character of text) {
      if (this.#basic.has(character)) units += 1;
      else if (this.#extended.has(character)) units += 2;
      else return this.#size(text.length, this.#ucs2);
    }
    return this.#size(units, this.#gsm7);
  }

  #size(units, [single, joined]) {
    return { units, parts: units <= single ? Math.min(units, 1) : Math.ceil(units / joined) };
  }
}
