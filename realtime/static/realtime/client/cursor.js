/** No log has this epoch: a position in it leads to `reset`. */
const NOWHERE = "none";

/**
 * How far one tab has come in one stream. Applies each event once and in order; says what it is
 * missing.
 */
export class Cursor {
  #queue = Promise.resolve();
  /** What was asked for last, and not answered yet. */
  #asked = null;

  /**
   * @param {string} stream
   * @param {import("../client.js").StreamOptions} given
   * @param {object} does  `apply(events)` and `refetch()` may take time; `want(wish)` asks the
   *   connection to go on from a position
   */
  constructor(stream, { since, epoch, poll }, does) {
    this.stream = stream;
    this.seq = since ?? null;
    this.epoch = epoch ?? null;
    this.poll = poll ?? null;
    this.does = does;
  }

  position() {
    return { epoch: this.epoch, since: this.seq };
  }

  wish() {
    return { stream: this.stream, seq: this.seq, epoch: this.epoch, poll: this.poll };
  }

  /** Frames are worked off one after the other, even where applying them takes time. */
  take(frame) {
    this.#queue = this.#queue.then(() => this.#handle(frame));
  }

  /** A heartbeat says that everything up to `seq` was sent. */
  compare(seq) {
    this.#queue = this.#queue.then(() => {
      if (this.seq !== null && seq > this.seq) this.#ask();
    });
  }

  async #handle(frame) {
    if (frame.type === "subscribed") await this.#begin(frame);
    else if (frame.type === "reset") await this.#reset(frame);
    else if (frame.type === "events") await this.#events(frame);
  }

  async #begin({ epoch, seq }) {
    this.#asked = null;
    if (this.seq === null) this.seq = seq;
    await this.#knows({ epoch, seq });
  }

  /** Whether this is the log that the page knows; if not, the page fetches anew. */
  async #knows({ epoch, seq }) {
    this.epoch ??= epoch;
    if (epoch === this.epoch) return true;
    await this.#refetch({ epoch, seq });
    return false;
  }

  async #events({ epoch = this.epoch, from, to, events }) {
    if (this.seq === null || this.epoch === NOWHERE) return;
    if (!(await this.#knows({ epoch, seq: to })) || to <= this.seq) return;
    if (from > this.seq + 1) {
      // What follows has the same gap.
      if (this.#asked !== this.seq) this.#ask();
      return;
    }
    try {
      const fresh = events.filter((event) => event.seq > this.seq);
      if (fresh.length) await this.does.apply(fresh);
      this.seq = to;
    } catch (error) {
      console.error(`An event of ${this.stream} could not be applied; fetching anew.`, error);
      await this.#refetch({ epoch: this.epoch, seq: to });
    }
  }

  async #reset(frame) {
    // Another tab's reset: this one has it all.
    if (frame.epoch === this.epoch && frame.seq === this.seq) return;
    await this.#refetch(frame);
  }

  async #refetch({ epoch, seq }) {
    try {
      const fetched = await this.does.refetch();
      this.epoch = fetched?.epoch ?? epoch;
      this.seq = fetched?.since ?? seq;
    } catch (error) {
      console.error(`${this.stream} could not be fetched anew; trying again later.`, error);
      this.epoch = NOWHERE;
      this.seq = 0;
      await new Promise((resolve) => setTimeout(resolve, 5000 * Math.random()));
    }
    this.#ask();
  }

  #ask() {
    this.#asked = this.seq;
    this.does.want(this.wish());
  }
}
