const WAIT_SECONDS = 25;
const PAUSE_MS = 3_000;

/** The same frames by long polling, one request per stream at a time. */
export class Poller {
  #on;
  #abort = new AbortController();

  constructor(cursors, on) {
    this.#on = on;
    for (const cursor of cursors.values()) if (cursor.poll) this.#follow(cursor);
  }

  close() {
    this.#on = null;
    this.#abort.abort();
  }

  async #follow(cursor) {
    while (this.#on) {
      const frame = await this.#ask(cursor);
      if (!this.#on) return;
      this.#on.reached(frame !== null);
      if (frame === null) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (0.5 + Math.random())));
      else if (frame.reset || frame.to >= frame.from) await this.#on.frame(frame);
      else if (cursor.applied === null) cursor.jump(frame.epoch, frame.to);
    }
  }

  async #ask(cursor) {
    const query = new URLSearchParams();
    if (cursor.applied !== null) {
      query.set("after", cursor.applied);
      query.set("wait", WAIT_SECONDS);
      if (cursor.epoch) query.set("epoch", cursor.epoch);
    }
    try {
      const response = await fetch(`${cursor.poll}?${query}`, { signal: this.#abort.signal });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }
}
