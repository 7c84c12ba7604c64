/** One stream over HTTP: one request after the other, each held until there is something to tell. */
import { backoff } from "./timing.js";

const UNAUTHENTICATED = 401;
const FORBIDDEN = [403, 404];
const TOLD_WHEN_TO_COME_BACK = [429, 503];
const COME_BACK = 5;
const LONGEST_PAUSE = 300;

export class Follow {
  /** Whether the page has what there is: errors in a row, or one order to stay away, make it doubtful. */
  current = false;
  /** Whether the server may hold a request until there is something; else it is asked now and then. */
  holds = true;
  isToldToWait = false;
  /** The last request had no answer. */
  isLost = false;
  #failures = 0;
  #stopped = false;
  #request = null;
  #wake = () => {};

  /**
   * @param {() => object} stream  its position, as it is at each request
   * @param {object} on  after each of the last three it has ended
   * @param {(frame: object) => void} on.onFrame
   * @param {(failedBefore: boolean) => void} on.onAnswer  after each frame
   * @param {() => void} on.onFailure  an error was the answer
   * @param {() => boolean} on.areAllLost
   * @param {() => void} on.onLost  of no stream there is an answer, not even an error
   * @param {() => void} on.onUnauthenticated
   * @param {() => void} on.onForbidden
   */
  constructor(stream, timing, on) {
    this.stream = stream;
    this.timing = timing;
    this.on = on;
  }

  /** Where another one was: its request was broken off, and nothing is known to be better. */
  goOnAs(other) {
    if (!other) return;
    this.current = other.current;
    this.#failures = other.#failures;
  }

  stop() {
    this.#stopped = true;
    this.#request?.abort();
    this.#wake();
  }

  async run() {
    // The first answer comes at once: it says that polling works.
    let held = false;
    while (!this.#stopped) {
      const answer = await this.#ask(held);
      // A socket that opened meanwhile has stopped this: what is live must not be called polling.
      if (this.#stopped) return;
      this.isLost = answer === null;
      if (this.isLost && this.on.areAllLost()) return this.on.onLost();
      if (answer?.status === UNAUTHENTICATED) return this.on.onUnauthenticated();
      if (FORBIDDEN.includes(answer?.status)) return this.on.onForbidden();
      const told = this.#take(answer);
      held = told && this.holds;
      if (!held) await this.#pause(told ? this.#untilNextLook() : this.#delayAfter(answer));
    }
  }

  /** The answer, or null where none came in time. */
  async #ask(held) {
    const request = (this.#request = new AbortController());
    const { wait, slack } = this.timing;
    const address = this.#address(held ? wait : 0);
    const late = setTimeout(() => request.abort(), (held ? wait : 0) + slack);
    const how = { signal: request.signal, credentials: "same-origin", cache: "no-store" };
    try {
      const response = await fetch(address, how);
      const { status, headers } = response;
      return { status, retryAfter: headers.get("Retry-After"), text: await response.text() };
    } catch {
      return null;
    } finally {
      clearTimeout(late);
    }
  }

  #address(wait) {
    const { poll, seq, epoch } = this.stream();
    const address = new URL(poll, location.href);
    if (seq !== null) {
      address.searchParams.set("after", seq);
      if (epoch !== null) address.searchParams.set("epoch", epoch);
      if (wait) address.searchParams.set("wait", Math.floor(wait / 1000));
    }
    return address;
  }

  /** Whether it was a frame. */
  #take(answer) {
    const failedBefore = this.#failures > 0;
    const frame = answer?.status === 200 ? frameOf(this.stream(), answer.text) : null;
    if (frame === null) {
      this.#failures += 1;
      this.isToldToWait = TOLD_WHEN_TO_COME_BACK.includes(answer?.status);
      if (this.isToldToWait || this.#failures > 1) this.current = false;
      this.on.onFailure();
      return false;
    }
    this.#failures = 0;
    this.current = true;
    this.on.onFrame(frame);
    this.on.onAnswer(failedBefore);
    return true;
  }

  #untilNextLook() {
    return this.timing.look * (1 + Math.random());
  }

  #delayAfter(answer) {
    if (!this.isToldToWait) return backoff(this.timing, this.#failures);
    // The date that it may also be depends on two clocks.
    const told = Number(answer.retryAfter);
    const seconds = told > 0 ? Math.min(told, LONGEST_PAUSE) : COME_BACK;
    return 1000 * seconds * (1 + Math.random() / 4);
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => (clearTimeout(timer), resolve());
    }).then(() => (this.isToldToWait = false));
  }
}

/** What a socket would have said; null where this is no answer of the log, but of a proxy perhaps. */
function frameOf({ stream, seq }, text) {
  const answer = parsed(text);
  if (typeof answer?.epoch !== "string") return null;
  const { epoch, from, to, reset, events } = answer;
  if (reset) return { type: "reset", stream, epoch, seq: to };
  if (seq === null) return { type: "subscribed", stream, epoch, seq: to, resumed: false };
  return { type: "events", stream, epoch, from, to, events };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
