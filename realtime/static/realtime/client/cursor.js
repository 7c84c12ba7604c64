/**
 * How far one tab has come in one stream. Applies each event once and in order; says what it is
 * missing.
 */
export class Cursor {
  #queue = Promise.resolve();
  #resetting = false;

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
      if (this.seq !== null && seq > this.seq && !this.#resetting) this.does.want(this.wish());
    });
  }

  async #handle(frame) {
    if (this.#resetting) return;
    if (frame.type === "subscribed") this.#begin(frame);
    else if (frame.type === "reset") await this.#reset(frame);
    else if (frame.type === "events") await this.#events(frame);
  }

  #begin({ epoch, seq }) {
    if (this.seq === null) {
      this.seq = seq;
      this.epoch = epoch;
    }
    this.epoch ??= epoch;
  }

  async #events({ from, to, events }) {
    if (this.seq === null || to <= this.seq) return;
    if (from > this.seq + 1) {
      this.does.want(this.wish());
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
    if (frame.epoch === this.epoch && this.seq !== null && this.seq >= frame.seq) return;
    await this.#refetch(frame);
  }

  async #refetch({ epoch, seq }) {
    this.#resetting = true;
    try {
      const fetched = await this.does.refetch();
      this.epoch = fetched?.epoch ?? epoch;
      this.seq = fetched?.since ?? seq;
    } catch (error) {
      console.error(`${this.stream} could not be fetched anew; trying again later.`, error);
      // A position that no log has leads to the next reset.
      this.epoch = "none";
      this.seq = 0;
      await new Promise((resolve) => setTimeout(resolve, 5000 * Math.random()));
    } finally {
      this.#resetting = false;
    }
    // What came while fetching was dropped.
    this.does.want(this.wish());
  }
}
