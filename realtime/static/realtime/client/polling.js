/** The same log over HTTP, for where no socket gets through. */
import { Follow } from "./follow.js";

/** Over HTTP/1.1 a browser has six connections to a server, and the page needs some. */
const MOST_HELD = 4;

export class Polling {
  #follows = new Map();

  /**
   * @param {Map<string, object>} streams  shared with the link; positions are read from it
   * @param {object} on
   * @param {(frame: object) => void} on.onFrame
   * @param {(failedBefore: boolean) => void} on.onAnswer  after each frame
   * @param {() => void} on.onFailure  an error was the answer; it is asked again
   * @param {() => void} on.onLost  nothing answers, not even with an error; polling has stopped
   * @param {() => void} on.onUnauthenticated  polling has stopped
   * @param {(stream: string) => void} on.onForbidden  this stream is not polled any more
   */
  constructor(streams, timing, on) {
    this.streams = streams;
    this.timing = timing;
    this.on = on;
  }

  get running() {
    return this.#follows.size > 0;
  }

  /** Whether each stream to which there is a right has been told of to its end. */
  get current() {
    return [...this.streams.values()].every(
      ({ stream, refused }) => refused || this.#follows.get(stream)?.current,
    );
  }

  /** Whether there is anything to poll. */
  start() {
    if (!this.running) this.look();
    return this.running;
  }

  stop() {
    for (const stream of [...this.#follows.keys()]) this.leave(stream);
  }

  leave(stream) {
    this.#follows.get(stream)?.stop();
    this.#follows.delete(stream);
  }

  /** Ask for each anew: a request that is held may be one that a sleeping laptop has lost. */
  look() {
    for (const stream of this.streams.keys()) this.#follow(stream);
  }

  /** The position of a stream was changed: the request that is held asks for the old one. */
  again(stream) {
    if (this.running) this.#follow(stream);
  }

  #follow(stream) {
    const before = this.#follows.get(stream);
    // The server has said when to come back; the position is read then.
    if (before?.isToldToWait) return;
    this.leave(stream);
    if (!this.streams.get(stream).poll) return;
    const held = [...this.#follows.values()].filter(({ holds }) => holds).length;
    const follow = new Follow(() => this.streams.get(stream), this.timing, {
      onFrame: this.on.onFrame,
      onAnswer: this.on.onAnswer,
      onFailure: this.on.onFailure,
      areAllLost: () => [...this.#follows.values()].every(({ isLost }) => isLost),
      onLost: () => (this.stop(), this.on.onLost()),
      onUnauthenticated: () => (this.stop(), this.on.onUnauthenticated()),
      onForbidden: () => (this.leave(stream), this.on.onForbidden(stream)),
    });
    follow.holds = held < MOST_HELD;
    follow.goOnAs(before);
    this.#follows.set(stream, follow);
    follow.run();
  }
}
