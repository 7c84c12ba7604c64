import { setChip } from "./chips.js";

const REFRESH_AFTER_MS = 400;
const RETRY_AFTER_MS = 3000;

/** Parse the Stream-Position header of a snapshot, such as `church:grace;9f3c;134`. */
function parsePosition(header) {
  const [, epoch, seq] = (header ?? "").split(";");
  return epoch ? { epoch, since: Number(seq) } : null;
}

function clock(iso) {
  const at = new Date(iso);
  const today = new Date().toDateString() === at.toDateString();
  return at.toLocaleString([], today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

/** The list of the newest messages, by id. Events change its rows in place. */
export class MessageList {
  #api;
  #list = document.getElementById("messages");
  #older = document.getElementById("older");
  #rows = new Map();
  #direction = "";
  #next = null;
  #timer = null;
  /** By request: changes from events that arrived during the request; its answer can lack them. */
  #loading = new Map();
  #lastRequest = 0;
  #shownRequest = 0;
  /** Position of the shown snapshot: it includes all events up to this one. */
  #snapshotSeq = 0;

  constructor(api) {
    this.#api = api;
    this.#older.addEventListener("click", () => this.#loadOlder());
    for (const tab of document.querySelectorAll(".tabs button")) {
      tab.addEventListener("click", () => this.#show(tab));
    }
  }

  /** Replace the list by a new snapshot; return the snapshot's position, or throw. */
  async load() {
    const query = this.#direction ? `?direction=${this.#direction}` : "";
    const request = ++this.#lastRequest;
    const since = [];
    this.#loading.set(request, since);
    try {
      const { body, headers } = await this.#api.get(`messages/${query}`);
      const position = parsePosition(headers.get("Stream-Position"));
      if (request > this.#shownRequest) this.#replace(body, position, request, since);
      this.#problem("");
      return position;
    } catch (error) {
      this.#problem(`The messages could not be loaded. ${error.message}`);
      throw error;
    } finally {
      this.#loading.delete(request);
    }
  }

  async #reload() {
    try {
      await this.load();
    } catch {
      // load() shows the error. Retry, because no event repeats the missing messages.
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#reload(), RETRY_AFTER_MS);
    }
  }

  #replace({ results, next }, position, request, since) {
    this.#shownRequest = request;
    this.#snapshotSeq = position?.since ?? 0;
    this.#rows.clear();
    this.#list.replaceChildren(...results.map((message) => this.#row(message)));
    this.#setNext(next);
    for (const { seq, act } of since) this.#applyIfNew(seq, act);
  }

  insert(message, seq) {
    this.#applyEvent(seq, () => this.#insert(message));
  }

  updateStatus(change, seq) {
    this.#applyEvent(seq, () => this.#updateStatus(change));
  }

  #applyEvent(seq, act) {
    for (const since of this.#loading.values()) since.push({ seq, act });
    this.#applyIfNew(seq, act);
  }

  /** Skip events that the shown snapshot already includes. */
  #applyIfNew(seq, act) {
    if (seq > this.#snapshotSeq) act();
  }

  #insert(message) {
    if (this.#direction && message.direction !== this.#direction) return;
    if (this.#rows.has(message.id)) return this.#updateStatus({ ...message, message: message.id });
    const row = this.#row(message);
    row.classList.add("fresh");
    this.#list.prepend(row);
    this.#showEmpty();
  }

  #updateStatus({ message: id, status, error }) {
    const row = this.#rows.get(id);
    if (!row) return;
    row.dataset.status = status;
    setChip(row.querySelector(".chip"), status);
    this.#showError(row, error);
  }

  /** Reload the list once after a burst of new messages (a broadcast). */
  refreshSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#reload(), REFRESH_AFTER_MS);
  }

  nameOf(id) {
    return this.#rows.get(id)?.querySelector(".name span").textContent ?? "the recipient";
  }

  #row(message) {
    const row = document.createElement("li");
    row.dataset.message = message.id;
    row.dataset.status = message.status;
    const number = message.direction === "inbound" ? message.from : message.to;
    row.innerHTML =
      '<div class="name"><span></span><small></small></div><div class="text"></div>' +
      '<div class="state"><span class="chip"></span><time></time></div><div class="error" hidden></div>';
    row.querySelector(".name span").textContent = message.member?.name ?? number;
    row.querySelector(".name small").textContent = message.direction === "inbound" ? "wrote to you" : message.member ? number : "";
    row.querySelector(".text").textContent = message.text || "(picture)";
    row.querySelector("time").textContent = clock(message.created_at);
    row.querySelector("time").dateTime = message.created_at;
    setChip(row.querySelector(".chip"), message.status);
    this.#showError(row, message.error);
    this.#rows.set(message.id, row);
    return row;
  }

  #showError(row, error) {
    const line = row.querySelector(".error");
    line.hidden = !error;
    line.textContent = error ? error.title || error.code : "";
  }

  async #show(tab) {
    for (const other of document.querySelectorAll(".tabs button")) {
      other.setAttribute("aria-pressed", String(other === tab));
    }
    this.#direction = tab.dataset.direction;
    await this.#reload();
  }

  async #loadOlder() {
    this.#older.disabled = true;
    try {
      const { body } = await this.#api.get(this.#next);
      const unseen = body.results.filter((message) => !this.#rows.has(message.id));
      this.#list.append(...unseen.map((message) => this.#row(message)));
      this.#setNext(body.next);
    } catch (error) {
      this.#problem(`The older messages could not be loaded. ${error.message}`);
    }
    this.#older.disabled = false;
  }

  #setNext(next) {
    this.#next = next;
    this.#older.hidden = !next;
    this.#showEmpty();
  }

  #showEmpty() {
    document.getElementById("no-messages").hidden = this.#rows.size > 0;
  }

  #problem(sentence) {
    const line = document.getElementById("list-problem");
    line.textContent = sentence;
    line.hidden = !sentence;
  }
}
