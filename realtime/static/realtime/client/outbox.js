/**
 * The pace of what one socket says. The server closes a socket that says more than a person can mean
 * (60 frames at once, 5 per second), and thirty tabs that wake together would. Less is sent here; the
 * rest waits, and of what waits about one stream and epoch only the last counts, from the lowest place.
 */
const BURST = 40;
const PER_SECOND = 4;

export class Outbox {
  #left = BURST;
  #at = Date.now();
  /** Frames that wait, by stream and epoch, in the order in which they came. */
  #waiting = new Map();
  #timer = null;

  /** @param {(frame: object) => void} send */
  constructor(send) {
    this.send = send;
  }

  /** Say something about a stream, now or as soon as it may be said. */
  say(frame) {
    const key = `${frame.stream} ${frame.epoch ?? ""}`;
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    // A tab that is behind must not lose its place to one that is ahead.
    if (waiting?.since < frame.since) frame = { ...frame, since: waiting.since };
    this.#waiting.set(key, frame);
    this.#flush();
  }

  /** Whether one more frame may be sent now; it is counted. */
  take() {
    this.#refill();
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  close() {
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #flush() {
    clearTimeout(this.#timer);
    for (const [key, frame] of this.#waiting) {
      if (!this.take()) {
        this.#timer = setTimeout(() => this.#flush(), 1000 / PER_SECOND);
        return;
      }
      this.#waiting.delete(key);
      this.send(frame);
    }
  }

  #refill() {
    // A clock that was set back gives nothing.
    const passed = Math.max(0, Date.now() - this.#at);
    this.#left = Math.min(BURST, this.#left + (passed * PER_SECOND) / 1000);
    this.#at = Date.now();
  }
}
