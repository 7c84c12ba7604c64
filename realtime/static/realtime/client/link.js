/**
 * The connection: a WebSocket where there is one, else long polling, and back. Knows how far each
 * stream was received, and goes on from there.
 */
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
  /** Not even polls are answered. */
  #lost = false;
  #stopped = false;

  constructor({ url, timing, onFrame, onState }) {
    this.url = url;
    this.timing = timing;
    this.onFrame = onFrame;
    this.onState = onState;
    /** `seq` is what was received, `head` the last that is known to exist. */
    this.streams = new Map();
    this.socket = null;
    this.polling = new Polling(this.streams, timing, {
      onFrame: (frame) => this.#received(frame),
      onAnswer: (failedBefore) => this.#polled(failedBefore),
      onLost: () => this.#lose(),
    });
  }

  start() {
    this.hooks = {
      online: () => this.#now(),
      offline: () => this.#offline(),
      visibilitychange: () => document.visibilityState === "visible" && this.#look(),
    };
    window.addEventListener("online", this.hooks.online);
    window.addEventListener("offline", this.hooks.offline);
    document.addEventListener("visibilitychange", this.hooks.visibilitychange);
    this.#connect();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    window.removeEventListener("online", this.hooks.online);
    window.removeEventListener("offline", this.hooks.offline);
    document.removeEventListener("visibilitychange", this.hooks.visibilitychange);
    this.polling.stop();
    this.socket?.close();
  }

  /** Go on in a stream from a position, again if need be; a known one without a position as it is. */
  want(wish) {
    const known = this.streams.get(wish.stream);
    if (known && known.seq !== null && wish.seq === null) {
      // Another tab may have gone back in the stream; "from now on" is its head.
      const { stream, epoch, head } = known;
      this.onFrame({ type: "subscribed", stream, epoch, seq: head });
      return;
    }
    this.streams.set(wish.stream, {
      ...wish,
      poll: wish.poll ?? known?.poll ?? null,
      head: Math.max(known?.head ?? 0, wish.seq ?? 0),
    });
    this.socket?.subscribe(this.streams.get(wish.stream));
    this.polling.again(wish.stream);
  }

  #received(frame) {
    const known = this.streams.get(frame.stream);
    if (known && ["subscribed", "reset", "events"].includes(frame.type)) {
      // Replay may still be on its way after `subscribed`: only a start at the head sets the place.
      if (frame.type === "events") known.seq = frame.to;
      else if (frame.type === "reset" || known.seq === null) known.seq = frame.seq;
      if (frame.type === "reset") known.head = frame.seq;
      else known.head = Math.max(known.head, frame.seq ?? frame.to);
      known.epoch = frame.epoch ?? known.epoch;
    }
    this.onFrame(frame);
  }

  #connect() {
    if (this.#stopped || this.socket) return;
    clearTimeout(this.#timer);
    this.#say("connecting");
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
    this.onState("live");
  }

  #closed(code, lived) {
    this.socket = null;
    if (this.#stopped) return;
    if (code === UNAUTHENTICATED || code === FORBIDDEN) {
      // Trying again would change nothing; the page must be loaded anew, or logged in to.
      this.polling.stop();
      this.onState("offline");
      return;
    }
    this.#failures = lived > this.timing.stable ? 0 : this.#failures + 1;
    this.#again(code, lived);
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
    this.onState("polling");
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

  #look() {
    if (this.socket) this.socket.probe();
    else if (!this.polling.running) this.#now();
  }
}
