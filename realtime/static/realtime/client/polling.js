/** The same log over HTTP, one held request per stream, for where no socket gets through. */
import { backoff } from "./timing.js";

const GONE = [401, 403, 404];

export class Polling {
  #abort = null;
  #requests = new Map();

  /**
   * @param {Map<string, object>} streams  shared with the link; positions are read from it
   * @param {object} on
   * @param {(frame: object) => void} on.onFrame
   * @param {(failedBefore: boolean) => void} on.onAnswer  after each frame
   * @param {() => void} on.onLost  nothing answers, not even with an error; polling has stopped
   */
  constructor(streams, timing, on) {
    this.streams = streams;
    this.timing = timing;
    this.on = on;
  }

  get running() {
    return this.#abort !== null;
  }

  /** Whether there is anything to poll. */
  start() {
    if (this.running) return true;
    if (![...this.streams.values()].some(({ poll }) => poll)) return false;
    this.#abort = new AbortController();
    for (const name of this.streams.keys()) this.#follow(name);
    return true;
  }

  stop() {
    this.#abort?.abort();
    this.#abort = null;
    this.#requests.clear();
  }

  /** The position of a stream was changed: the request that is held asks for the old one. */
  again(name) {
    if (!this.running) return;
    this.#requests.get(name)?.abort();
    this.#follow(name);
  }

  async #follow(name) {
    const own = new AbortController();
    this.#requests.set(name, own);
    const signal = AbortSignal.any([own.signal, this.#abort.signal]);
    let failures = 0;
    // The first answer comes at once: it says that polling works.
    let held = false;
    while (!signal.aborted && this.streams.get(name).poll) {
      try {
        const retryAfter = await this.#once(name, signal, held);
        // A socket that opened meanwhile has stopped this: what is live must not be called polling.
        if (retryAfter === null || signal.aborted) return;
        this.on.onAnswer(failures > 0);
        failures = 0;
        held = true;
        await pause(retryAfter, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof TypeError) {
          this.stop();
          this.on.onLost();
          return;
        }
        failures += 1;
        await pause(backoff(this.timing, failures), signal);
      }
    }
  }

  /** Milliseconds until the next request, or null: never again. */
  async #once(name, signal, held) {
    const stream = this.streams.get(name);
    const address = new URL(stream.poll, location.href);
    if (stream.seq !== null) {
      address.searchParams.set("after", stream.seq);
      if (stream.epoch !== null) address.searchParams.set("epoch", stream.epoch);
      if (held) address.searchParams.set("wait", Math.floor(this.timing.wait / 1000));
    }
    const response = await fetch(address, { signal, credentials: "same-origin", cache: "no-store" });
    if (GONE.includes(response.status)) return null;
    if (response.status === 429 || response.status === 503) {
      return 1000 * Number(response.headers.get("Retry-After") ?? 5);
    }
    if (!response.ok) throw new Error(`${name}: HTTP ${response.status}`);
    const answer = await response.json();
    if (!signal.aborted) this.on.onFrame(frameOf(name, answer, stream.seq === null));
    return 0;
  }
}

function frameOf(stream, { epoch, from, to, reset, events }, first) {
  if (reset) return { type: "reset", stream, epoch, seq: to };
  if (first) return { type: "subscribed", stream, epoch, seq: to, resumed: false };
  return { type: "events", stream, epoch, from, to, events };
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
