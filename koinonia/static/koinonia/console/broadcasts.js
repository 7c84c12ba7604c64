const SHOWN = 5;
const UNDERWAY = ["accepted", "sent"];
const FAILED = ["failed", "dead", "unknown"];

function sum(counts, statuses) {
  return statuses.reduce((total, status) => total + (counts[status] ?? 0), 0);
}

/** The latest broadcasts, each with a progress bar. */
export class BroadcastList {
  #api;
  #list = document.getElementById("broadcasts");
  #cards = new Map();

  constructor(api) {
    this.#api = api;
  }

  async load() {
    try {
      const { body } = await this.#api.get(`broadcasts/?page_size=${SHOWN}`);
      this.#cards.clear();
      this.#list.replaceChildren(...body.results.map((broadcast) => this.#card(broadcast)));
    } catch {
      // The message list shows the error for the whole page.
    }
    this.#showEmpty();
  }

  insert(broadcast) {
    if (this.#cards.has(broadcast.id)) return;
    this.#list.prepend(this.#card(broadcast));
    while (this.#list.children.length > SHOWN) this.#list.lastElementChild.remove();
    this.#showEmpty();
  }

  progress({ broadcast, counts }) {
    const card = this.#cards.get(broadcast);
    if (card) this.#fill(card, counts);
  }

  #card(broadcast) {
    const card = document.createElement("li");
    card.dataset.broadcast = broadcast.id;
    card.dataset.total = broadcast.total;
    card.innerHTML =
      '<div class="line"><span class="text"></span><b class="share"></b></div>' +
      '<div class="meter" role="img"><i class="delivered"></i><i class="underway"></i><i class="failed"></i></div><small></small>';
    card.querySelector(".text").textContent = broadcast.text;
    this.#cards.set(broadcast.id, card);
    this.#fill(card, broadcast.counts);
    return card;
  }

  #fill(card, counts) {
    const total = Number(card.dataset.total) || 1;
    const parts = {
      delivered: sum(counts, ["delivered"]),
      underway: sum(counts, UNDERWAY),
      failed: sum(counts, FAILED),
    };
    for (const [name, count] of Object.entries(parts)) {
      card.querySelector(`.${name}`).style.width = `${(100 * count) / total}%`;
      card.dataset[name] = count;
    }
    const sentence = Object.entries(counts)
      .filter(([, count]) => count)
      .map(([status, count]) => `${count.toLocaleString()} ${status}`)
      .join(" · ");
    card.querySelector(".share").textContent = `${Math.floor((100 * parts.delivered) / total)} %`;
    card.querySelector("small").textContent = sentence;
    card.querySelector(".meter").setAttribute("aria-label", sentence);
  }

  #showEmpty() {
    document.getElementById("no-broadcasts").hidden = this.#cards.size > 0;
  }
}
