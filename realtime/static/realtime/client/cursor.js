import { backoff } from "./timing.js";

/** No log has this epoch: a position in it leads to `reset`. */
const NOWHERE = "none";

/**
 * How far one tab has come in one stream. Applies each event once and in order; says what it is
 * missing.
 */
export class Cursor {
  #queue = Promise.resolve();
  #closed = false;
  #fetching = false;
  /** What was asked for last, and not answered yet. */
  #asked = null;
  /** In a row, with nothing applied between them. */
  #fetches = 0;
  /** Anything was heard of the stream. */
  told = false;

  /**
   * @param {string} stream
   * @param {import("../client.js").StreamOptions} given
   * @param {object} does  `apply(events)` and `refetch()` may take time; `want(wish)` asks the
   *   connection to go on from a position; `show()` hears that `current` is another
   */
  constructor(stream, { since, epoch, poll }, timing, does) {
    if (since !== undefined && since !== null && !Number.isInteger(since)) {
      throw new TypeError(`${stream}: since is a whole number, not ${JSON.stringify(since)}.`);
    }
    this.stream = stream;
    this.seq = since ?? null;
    this.epoch = epoch ?? null;
    this.poll = poll ?? null;
    this.timing = timing;
    this.does = does;
  }

  /** Whether the page's data is that of `position`, and not on its way. */
  get current() {
    return this.told && !this.#fetching && this.epoch !== NOWHERE;
  }

  position() {
    return { epoch: this.epoch, since: this.seq };
  }

  wish() {
    return { stream: this.stream, seq: this.seq, epoch: this.epoch, poll: this.poll };
  }

  close() {
    this.#closed = true;
  }

  /** Frames are worked off one after the other, even where applying them takes time. */
  take(frame) {
    this.told = true;
    this.does.show();
    this.#then(() => this.#handle(frame));
  }

  /** A heartbeat says that everything up to `seq` was sent. */
  compare(seq) {
    this.#then(() => {
      if (this.seq !== null && this.epoch !== NOWHERE && seq > this.seq) this.#miss();
    });
  }

  #then(work) {
    this.#queue = this.#queue.then(() => (this.#closed ? undefined : work()));
  }

  async #handle(frame) {
    if (frame.type === "subscribed") await this.#begin(frame);
    else if (frame.type === "reset") await this.#reset(frame);
    else if (frame.type === "events") await this.#events(frame);
  }

  async #begin({ epoch, seq }) {
    this.#asked = null;
    if (this.seq === null) this.seq = seq;
    this.epoch ??= epoch;
    if (epoch !== this.epoch) await this.#refetch({ epoch, seq });
  }

  async #events({ epoch, from, to, events }) {
    if (this.seq === null || this.epoch === NOWHERE) return;
    // What queued while the page fetched anew may be of the log that was.
    if (epoch && this.epoch && epoch !== this.epoch) return this.#miss();
    this.epoch ??= epoch ?? null;
    if (to <= this.seq) return;
    if (from > this.seq + 1) return this.#miss();
    try {
      const fresh = events.filter((event) => event.seq > this.seq);
      if (fresh.length) await this.does.apply(fresh);
      this.seq = to;
      this.#fetches = 0;
    } catch (error) {
      console.error(`An event of ${this.stream} could not be applied; fetching anew.`, error);
      await this.#refetch({ epoch: this.epoch, seq: to });
    }
  }

  async #reset(frame) {
    // Another tab's reset: this one has it all.
    if (frame.epoch === this.epoch && frame.seq === this.seq) return;
    // Of this log, and further: perhaps another tab's; only who asked from here is meant.
    if (frame.epoch === this.epoch && frame.seq > this.seq) {
      if (this.#asked !== this.seq) return this.#ask();
    }
    await this.#refetch(frame);
  }

  async #refetch({ epoch, seq }) {
    this.#fetching = true;
    this.does.show();
    // What was fetched may be refused again: a copy that lags behind, say.
    if (this.#fetches++) await pause(backoff(this.timing, this.#fetches));
    if (this.#closed) return;
    try {
      const fetched = await this.does.refetch();
      this.epoch = fetched?.epoch ?? epoch;
      this.seq = fetched?.since ?? seq;
    } catch (error) {
      console.error(`${this.stream} could not be fetched anew; trying again later.`, error);
      this.epoch = NOWHERE;
      this.seq = 0;
    }
    this.#fetching = false;
    this.does.show();
    this.#ask();
  }

  /** What follows has the same gap: once is enough. */
  #miss() {
    if (this.#asked !== this.seq) this.#ask();
  }

  #ask() {
    if (this.#closed) return;
    this.#asked = this.seq;
    this.does.want(this.wish());
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
