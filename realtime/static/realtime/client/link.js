/**
 * The connection: a WebSocket where there is one, else long polling, and back. Knows how far each
 * stream was received, and goes on from there.
 */
import { headOf, joined, note } from "./places.js";
import { Polling } from "./polling.js";
import { Socket } from "./socket.js";
import { FAILURES_BEFORE_POLLING, backoff } from "./timing.js";

const UNAUTHENTICATED = 4401;
const FORBIDDEN = 4403;
const TOO_SLOW = 4408;
const SWITCHED_OFF = 4503;
const RESTART = 1012;
const GOING_AWAY = 1001;

export class Link {
  #timer = null;
  #failures = 0;
  /** Streams that the new socket has not told of yet. */
  #untold = new Set();
  /** Of each stream, of the log that its last frame came from. */
  #epochs = new Map();
  /** Somebody looked while the handshake was on its way: with another cookie, perhaps. */
  #looked = false;
  /** Not even polls are answered. */
  #lost = false;
  #stopped = false;

  constructor({ url, timing, onFrame, onState }) {
    this.url = url;
    this.timing = timing;
    this.onFrame = onFrame;
    this.onState = onState;
    /** Places, by the names of their streams. */
    this.streams = new Map();
    this.socket = null;
    this.polling = new Polling(this.streams, timing, {
      onFrame: (frame) => this.#received(frame),
      onAnswer: (failedBefore) => this.#polled(failedBefore),
      onFailure: () => this.#showPolling(),
      onLost: () => this.#lose(),
      onUnauthenticated: () => this.#refused(),
      onForbidden: (stream) => {
        this.#received({ type: "unsubscribed", stream, code: "forbidden" });
        if (this.polling.running) this.#showPolling();
      },
    });
  }

  start() {
    this.hooks = { online: () => this.#now(), offline: () => this.#offline() };
    window.addEventListener("online", this.hooks.online);
    window.addEventListener("offline", this.hooks.offline);
    this.#connect();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    window.removeEventListener("online", this.hooks.online);
    window.removeEventListener("offline", this.hooks.offline);
    this.polling.stop();
    this.socket?.close();
  }

  /** Go on in a stream from a position, again if need be; a known one without a position as it is. */
  want(wish) {
    const known = this.streams.get(wish.stream);
    if (wish.seq === null && known && known.seq !== null && !known.refused) {
      // Another tab may have gone back in the stream; "from now on" is its head.
      if (known.told) this.onFrame(headOf(known));
      else known.headWanted = true;
      return;
    }
    this.streams.set(wish.stream, joined(known, wish));
    this.socket?.subscribe(this.streams.get(wish.stream));
    this.polling.again(wish.stream);
  }

  /** Nobody wants this stream any more. */
  leave(stream) {
    this.streams.delete(stream);
    this.socket?.unsubscribe(stream);
    this.polling.leave(stream);
    this.#tell(stream);
  }

  /** Somebody looks at the page, or has loaded it anew, logged in again perhaps. */
  look() {
    if (this.socket) {
      this.#looked = !this.socket.opened;
      this.socket.probe();
      for (const known of this.streams.values()) if (known.refused) this.socket.subscribe(known);
    } else if (this.polling.running) this.polling.look();
    else this.#now();
  }

  #received(frame) {
    if (frame.type === "error") {
      if (!frame.stream) return;
      // To have no right, or no longer, or one stream too many is the same for a page.
      frame = { type: "unsubscribed", stream: frame.stream, code: frame.code };
    }
    // On a socket events go on in the log of the last answer.
    if (frame.type === "events") frame.epoch ??= this.#epochs.get(frame.stream);
    else if (frame.epoch) this.#epochs.set(frame.stream, frame.epoch);
    const known = this.streams.get(frame.stream);
    if (known) note(known, frame);
    this.onFrame(frame);
    if (known?.headWanted && known.told) {
      known.headWanted = false;
      this.onFrame(headOf(known));
    }
    this.#tell(frame.stream);
  }

  #connect() {
    if (this.#stopped || this.socket) return;
    clearTimeout(this.#timer);
    this.#say("connecting");
    this.#looked = false;
    this.socket = new Socket(this.url, this.timing, {
      onOpen: () => this.#live(),
      onFrame: (frame) => this.#received(frame),
      onClose: (code, lived) => this.#closed(code, lived),
    });
  }

  #live() {
    this.polling.stop();
    this.#lost = false;
    for (const stream of this.streams.values()) this.socket.subscribe(stream);
    this.#untold = new Set(this.streams.keys());
    if (this.#untold.size) this.onState("connecting");
    else this.onState("live");
  }

  /** Live is what has told of every stream. */
  #tell(stream) {
    if (this.#untold.delete(stream) && !this.#untold.size && this.socket) this.onState("live");
  }

  #closed(code, lived) {
    this.socket = null;
    this.#untold.clear();
    for (const known of this.streams.values()) known.told = false;
    if (this.#stopped) return;
    // Who was let in and is out now may have logged in again meanwhile: the next handshake tells.
    if (lived === 0 && (code === UNAUTHENTICATED || code === FORBIDDEN)) {
      if (this.#looked) this.#now();
      else this.#refused();
      return;
    }
    this.#failures = lived > this.timing.stable ? 0 : this.#failures + 1;
    this.#again(code, lived);
  }

  /** Trying again would change nothing, until somebody has logged in: see `look`. */
  #refused() {
    clearTimeout(this.#timer);
    this.polling.stop();
    this.onState("offline");
  }

  #again(code, lived) {
    const isOff = code === SWITCHED_OFF;
    const hopeless = isOff || this.#failures >= FAILURES_BEFORE_POLLING;
    if (lived === 0 && hopeless && this.polling.start()) {
      this.#later(this.timing.retrySocket * (isOff ? 10 : 1) * (1 + Math.random()));
    } else if (code === RESTART || code === GOING_AWAY) {
      this.onState("connecting");
      this.#later(this.timing.restart * Math.random());
    } else {
      this.#say("connecting");
      this.#later(code === TOO_SLOW ? 0 : backoff(this.timing, this.#failures));
    }
  }

  #polled(failedBefore) {
    // What lets polls through again may let a socket through.
    if (this.#lost || failedBefore) this.#later(this.timing.restart * Math.random());
    this.#lost = false;
    this.#failures = FAILURES_BEFORE_POLLING;
    this.#showPolling();
  }

  #showPolling() {
    this.onState(this.polling.current ? "polling" : "connecting");
  }

  /** The socket is tried first each time: when the network is back, nothing else need be asked. */
  #lose() {
    this.#lost = true;
    this.onState("offline");
    if (!this.socket) this.#later(backoff(this.timing, this.#failures));
  }

  /** What shows while nothing else works. */
  #say(state) {
    if (!this.polling.running) this.onState(this.#lost || !navigator.onLine ? "offline" : state);
  }

  #later(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), delay);
  }

  #now() {
    this.#failures = 0;
    this.#lost = false;
    this.#connect();
  }

  #offline() {
    this.polling.stop();
    this.socket?.close();
    this.onState("offline");
  }
}
