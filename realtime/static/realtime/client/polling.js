/** The log over HTTP, for networks that let no socket through. */
import { backoff } from "./timing.js";

const UNAUTHENTICATED = 401;
const FORBIDDEN = [403, 404];
const BUSY = [429, 503];
const DEFAULT_RETRY_SECONDS = 5;
const MAX_RETRY_SECONDS = 300;
/** Over HTTP/1.1 a browser has six connections to a server, and the page needs some of them. */
const MAX_HELD = 4;

/** Polls all streams of a connection; `state.poller` polls one of them. */
export class Polling {
  /**
   * @param {Map<string, object>} streams  the link's state of each stream
   * @param {object} on
   * @param {(frame: object) => void} on.onFrame
   * @param {(failedBefore: boolean) => void} on.onAnswer  after each frame
   * @param {() => void} on.onFailure  after an error; polling continues
   * @param {() => void} on.onUnreachable  no request is answered, and polling has stopped
   * @param {() => void} on.onUnauthenticated  polling has stopped
   * @param {(stream: string) => void} on.onForbidden  polling of this stream has stopped
   */
  constructor(streams, timing, on) {
    this.streams = streams;
    this.timing = timing;
    this.on = on;
  }

  get running() {
    return this.#pollers.length > 0;
  }

  /** Whether the page has all events of each stream that the user may listen to. */
  get current() {
    return [...this.streams.values()].every(({ refused, poller }) => refused || poller?.current);
  }

  get #pollers() {
    return [...this.streams.values()].map(({ poller }) => poller).filter(Boolean);
  }

  /** Start; return whether any stream can be polled. */
  start() {
    if (!this.running) this.restart();
    return this.running;
  }

  stop() {
    for (const state of this.streams.values()) this.leave(state);
  }

  leave(state) {
    state.poller?.stop();
    state.poller = null;
  }

  /** Send new requests: a sleeping laptop may have lost the held ones. */
  restart() {
    for (const state of this.streams.values()) this.#poll(state);
  }

  /** Send a new request for a stream whose position has changed. */
  restartStream(state) {
    if (this.running) this.#poll(state);
  }

  #poll(state) {
    const previous = state.poller;
    // A poller that the server told to wait reads the new position after the wait.
    if (previous?.mustWait) return;
    this.leave(state);
    if (!state.poll) return;
    const held = this.#pollers.filter(({ mayHold }) => mayHold).length;
    const poller = new StreamPoller(state, this.timing, {
      onFrame: this.on.onFrame,
      onAnswer: this.on.onAnswer,
      onFailure: this.on.onFailure,
      areAllUnanswered: () => this.#pollers.every(({ unanswered }) => unanswered),
      onUnreachable: () => (this.stop(), this.on.onUnreachable()),
      onUnauthenticated: () => (this.stop(), this.on.onUnauthenticated()),
      onForbidden: () => (this.leave(state), this.on.onForbidden(state.stream)),
    });
    poller.mayHold = held < MAX_HELD;
    poller.inheritFrom(previous);
    state.poller = poller;
    poller.run();
  }
}

/** Polls one stream: one request after the other, each held until there are events. */
class StreamPoller {
  /** Whether the page has all events. Two errors in a row, or an order to wait, make that uncertain. */
  current = false;
  /** Whether the server may hold a request; otherwise the poller asks at intervals. */
  mayHold = true;
  /** The server has said when to come back. */
  mustWait = false;
  /** The last request got no answer. */
  unanswered = false;
  #failures = 0;
  #stopped = false;
  #request = null;
  #wake = () => {};

  /**
   * @param {import("./position.js").Position} position  read again at each request
   * @param {object} on  the poller ends after each of the last three
   * @param {(frame: object) => void} on.onFrame
   * @param {(failedBefore: boolean) => void} on.onAnswer  after each frame
   * @param {() => void} on.onFailure
   * @param {() => boolean} on.areAllUnanswered
   * @param {() => void} on.onUnreachable
   * @param {() => void} on.onUnauthenticated
   * @param {() => void} on.onForbidden
   */
  constructor(position, timing, on) {
    this.position = position;
    this.timing = timing;
    this.on = on;
  }

  /** Keep the state of a poller that this one replaces: a cancelled request proves nothing. */
  inheritFrom(previous) {
    if (!previous) return;
    this.current = previous.current;
    this.#failures = previous.#failures;
  }

  stop() {
    this.#stopped = true;
    this.#request?.abort();
    this.#wake();
  }

  async run() {
    // Do not hold the first request: its answer shows that polling works.
    let held = false;
    while (!this.#stopped) {
      const answer = await this.#fetch(held);
      // A socket has opened meanwhile and stopped this poller, so the state must not become polling.
      if (this.#stopped) return;
      this.unanswered = answer === null;
      if (this.unanswered && this.on.areAllUnanswered()) return this.on.onUnreachable();
      if (answer?.status === UNAUTHENTICATED) return this.on.onUnauthenticated();
      if (FORBIDDEN.includes(answer?.status)) return this.on.onForbidden();
      const succeeded = this.#handle(answer);
      held = succeeded && this.mayHold;
      if (!held) await this.#pause(succeeded ? this.#interval() : this.#delayAfter(answer));
    }
  }

  /** Return the answer, or null if there was none in time. */
  async #fetch(held) {
    const request = (this.#request = new AbortController());
    const { wait, slack } = this.timing;
    const address = this.#address(held ? wait : 0);
    const timeout = setTimeout(() => request.abort(), (held ? wait : 0) + slack);
    const options = { signal: request.signal, credentials: "same-origin", cache: "no-store" };
    try {
      const response = await fetch(address, options);
      const { status, headers } = response;
      return { status, retryAfter: headers.get("Retry-After"), text: await response.text() };
    } catch {
      return null;
    } finally {
      clearTimeout(timeout);
    }
  }

  #address(wait) {
    const { poll, seq, epoch } = this.position;
    const address = new URL(poll, location.href);
    if (seq !== null) {
      address.searchParams.set("after", seq);
      if (epoch !== null) address.searchParams.set("epoch", epoch);
      if (wait) address.searchParams.set("wait", Math.floor(wait / 1000));
    }
    return address;
  }

  /** Handle an answer; return whether it contains a frame. */
  #handle(answer) {
    const failedBefore = this.#failures > 0;
    const frame = answer?.status === 200 ? frameOf(this.position, answer.text) : null;
    if (frame === null) {
      this.#failures += 1;
      this.mustWait = BUSY.includes(answer?.status);
      if (this.mustWait || this.#failures > 1) this.current = false;
      this.on.onFailure();
      return false;
    }
    this.#failures = 0;
    this.current = true;
    this.on.onFrame(frame);
    this.on.onAnswer(failedBefore);
    return true;
  }

  #interval() {
    return this.timing.look * (1 + Math.random());
  }

  #delayAfter(answer) {
    if (!this.mustWait) return backoff(this.timing, this.#failures);
    // Retry-After as a date would depend on two clocks, so only a number counts.
    const asked = Number(answer.retryAfter);
    const seconds = asked > 0 ? Math.min(asked, MAX_RETRY_SECONDS) : DEFAULT_RETRY_SECONDS;
    return 1000 * seconds * (1 + Math.random() / 4);
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => (clearTimeout(timer), resolve());
    }).then(() => (this.mustWait = false));
  }
}

/** Return the frame that a socket would send, or null if the answer is not from the log. */
function frameOf({ stream, seq, epoch: known }, text) {
  const answer = parse(text);
  if (typeof answer?.epoch !== "string") return null;
  const { epoch, from, to, reset, events } = answer;
  if (reset) return { type: "reset", stream, epoch, seq: to, refused: { seq, epoch: known } };
  if (seq === null) return { type: "subscribed", stream, epoch, seq: to, resumed: false };
  return { type: "events", stream, epoch, from, to, events };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
