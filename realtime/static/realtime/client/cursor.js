import { backoff } from "./timing.js";

/** No log has this epoch, so a position in it leads to a reset. */
const NO_EPOCH = "none";

/** The position of one tab in one stream. Applies each event once and in order, and finds gaps. */
export class Cursor {
  #queue = Promise.resolve();
  #closed = false;
  #fetching = false;
  /** The position of the last request that has no answer yet. */
  #requestedSeq = null;
  /** Fetches in a row without an applied event between them. */
  #fetches = 0;
  /** A frame of the stream has arrived. */
  answered = false;

  /**
   * @param {string} stream
   * @param {import("../client.js").StreamOptions} given
   * @param {object} actions  `apply(events)` and `refetch()` may return promises; `subscribe(request)`
   *   makes the connection continue from a position; `show()` is called when `current` may have changed
   */
  constructor(stream, { since, epoch, poll }, timing, actions) {
    if (since !== undefined && since !== null && !Number.isInteger(since)) {
      throw new TypeError(`${stream}: since is a whole number, not ${JSON.stringify(since)}.`);
    }
    this.stream = stream;
    this.seq = since ?? null;
    this.epoch = epoch ?? null;
    this.poll = poll ?? null;
    this.timing = timing;
    this.actions = actions;
  }

  /** Whether the page shows the data of `position`, and no fetch is under way. */
  get current() {
    return this.answered && !this.#fetching && this.epoch !== NO_EPOCH;
  }

  position() {
    return { epoch: this.epoch, since: this.seq };
  }

  /** Return the request that continues from here. */
  request() {
    return { stream: this.stream, seq: this.seq, epoch: this.epoch, poll: this.poll };
  }

  close() {
    this.#closed = true;
  }

  /** Queue a frame: frames are applied one after the other, even if applying one takes time. */
  receive(frame) {
    this.answered = true;
    this.actions.show();
    this.#enqueue(() => this.#handle(frame));
  }

  /** Find a gap by a heartbeat, which says that everything up to `seq` was sent. */
  checkHeartbeat(seq) {
    this.#enqueue(() => {
      if (this.seq !== null && this.epoch !== NO_EPOCH && seq > this.seq) this.#requestMissing();
    });
  }

  #enqueue(work) {
    this.#queue = this.#queue.then(() => (this.#closed ? undefined : work()));
  }

  async #handle(frame) {
    if (frame.type === "subscribed") await this.#begin(frame);
    else if (frame.type === "reset") await this.#reset(frame);
    else if (frame.type === "events") await this.#apply(frame);
  }

  async #begin({ epoch, seq }) {
    this.#requestedSeq = null;
    if (this.seq === null) this.seq = seq;
    this.epoch ??= epoch;
    if (epoch !== this.epoch) await this.#refetch({ epoch, seq });
  }

  async #apply({ epoch, from, to, events }) {
    if (this.seq === null || this.epoch === NO_EPOCH) return;
    // Frames that queued during a fetch may come from an earlier epoch.
    if (epoch && this.epoch && epoch !== this.epoch) return this.#requestMissing();
    this.epoch ??= epoch ?? null;
    if (to <= this.seq) return;
    if (from > this.seq + 1) return this.#requestMissing();
    try {
      const fresh = events.filter((event) => event.seq > this.seq);
      if (fresh.length) await this.actions.apply(fresh);
      this.seq = to;
      this.#fetches = 0;
    } catch (error) {
      console.error(`Applying events of ${this.stream} failed; fetching the data again.`, error);
      await this.#refetch({ epoch: this.epoch, seq: to });
    }
  }

  async #reset(frame) {
    // The reset was for another tab: this tab has everything.
    if (frame.epoch === this.epoch && frame.seq === this.seq) return;
    // In the same epoch and ahead of this tab, the reset may refuse the position of another tab.
    if (frame.epoch === this.epoch && frame.seq > this.seq) {
      const refused = this.#isSameEpoch(frame.refused) ? frame.refused.seq : null;
      // The connection may have merged the request of this tab with a lower one: request again.
      if (refused !== null && refused < this.seq) return this.#request();
      if (refused !== this.seq) return this.#requestMissing();
    }
    await this.#refetch(frame);
  }

  #isSameEpoch(position) {
    return Boolean(position) && (position.epoch ?? this.epoch) === this.epoch;
  }

  async #refetch({ epoch, seq }) {
    this.#fetching = true;
    this.actions.show();
    // The fetched position may be refused again, for example from a lagging replica: no retry storm.
    if (this.#fetches++) await pause(backoff(this.timing, this.#fetches));
    if (this.#closed) return;
    try {
      const fetched = await this.actions.refetch();
      this.epoch = fetched?.epoch ?? epoch;
      this.seq = fetched?.since ?? seq;
    } catch (error) {
      console.error(`Fetching the data of ${this.stream} failed; retrying later.`, error);
      this.epoch = NO_EPOCH;
      this.seq = 0;
    }
    this.#fetching = false;
    this.actions.show();
    this.#request();
  }

  /** Request missing events once: the frames that follow show the same gap. */
  #requestMissing() {
    if (this.#requestedSeq !== this.seq) this.#request();
  }

  #request() {
    if (this.#closed) return;
    this.#requestedSeq = this.seq;
    this.actions.subscribe(this.request());
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
