/**
 * The connection of a browser: a WebSocket if possible, else long polling, and back. It keeps the
 * position of each stream and resumes from there.
 */
import { Polling } from "./polling.js";
import { applyFrame, headFrame, mergePositions } from "./position.js";
import { Socket } from "./socket.js";
import { FAILURES_BEFORE_POLLING, backoff } from "./timing.js";

const UNAUTHENTICATED = 4401;
const FORBIDDEN = 4403;
const TOO_SLOW = 4408;
const SWITCHED_OFF = 4503;
const RESTART = 1012;
const GOING_AWAY = 1001;

/**
 * @typedef {import("./position.js").Position & StreamExtras} StreamState
 *
 * @typedef {object} StreamExtras
 * @property {Set<string>} tabs  the tabs that want the stream
 * @property {string | null} frameEpoch  the epoch of the last frame; events on a socket name none
 * @property {boolean} awaited  the new socket has not answered for the stream yet
 * @property {object | null} poller
 */

export class Link {
  #timer = null;
  #failures = 0;
  /** The page was shown during the handshake, so its cookie may be newer than the handshake's. */
  #checkedWhileOpening = false;
  /** Neither a socket nor a poll gets an answer. */
  #unreachable = false;
  #stopped = false;

  constructor({ url, timing, onFrame, onState }) {
    this.url = url;
    this.timing = timing;
    this.onFrame = onFrame;
    this.onState = onState;
    /** @type {Map<string, StreamState>} */
    this.streams = new Map();
    this.socket = null;
    this.polling = new Polling(this.streams, timing, {
      onFrame: (frame) => this.#receive(frame),
      onAnswer: (failedBefore) => this.#onPollAnswer(failedBefore),
      onFailure: () => this.#showPolling(),
      onUnreachable: () => this.#onUnreachable(),
      onUnauthenticated: () => this.#stopTrying(),
      onForbidden: (stream) => {
        this.#receive({ type: "unsubscribed", stream, code: "forbidden" });
        if (this.polling.running) this.#showPolling();
      },
    });
  }

  start() {
    this.hooks = { online: () => this.#connectNow(), offline: () => this.#onOffline() };
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

  /**
   * Continue a stream from the position that a tab requests.
   *
   * @param {import("./position.js").Request} request
   */
  subscribe(request, tab = "") {
    const known = this.streams.get(request.stream);
    known?.tabs.add(tab);
    if (request.seq === null && known && known.seq !== null && !known.refused) {
      // Another tab may have gone back in the stream; this tab starts at the head.
      if (known.answered) this.onFrame(headFrame(known));
      else known.headWanted = true;
      return;
    }
    const extras = { tabs: new Set([tab]), frameEpoch: null, awaited: false, poller: null };
    const state = Object.assign(known ?? extras, mergePositions(known, request));
    this.streams.set(request.stream, state);
    this.socket?.subscribe(state);
    this.polling.restartStream(state);
  }

  /** Leave the streams that only this tab wanted. */
  removeTab(tab) {
    for (const state of [...this.streams.values()]) {
      if (!state.tabs.delete(tab) || state.tabs.size) continue;
      this.streams.delete(state.stream);
      this.socket?.unsubscribe(state.stream);
      this.polling.leave(state);
      this.#answered(state);
    }
  }

  /** Check the connection now: the user shows or loads a page, perhaps after a new login. */
  check() {
    if (this.socket) {
      this.#checkedWhileOpening = !this.socket.opened;
      this.socket.probe();
      for (const state of this.streams.values()) if (state.refused) this.socket.subscribe(state);
    } else if (this.polling.running) this.polling.restart();
    else this.#connectNow();
  }

  #receive(frame) {
    if (frame.type === "error") {
      if (!frame.stream) return;
      // For a page, a refused subscribe is the same as a lost right.
      frame = { type: "unsubscribed", stream: frame.stream, code: frame.code };
    }
    const state = this.streams.get(frame.stream);
    if (state) {
      if (frame.type === "events") {
        frame.epoch ??= state.frameEpoch;
        // Sent for an earlier subscription: the events of this one follow its `subscribed`.
        if (!frame.epoch) return;
      } else if (frame.epoch) state.frameEpoch = frame.epoch;
      applyFrame(state, frame);
    }
    this.onFrame(frame);
    if (!state) return;
    if (state.headWanted && state.answered) {
      state.headWanted = false;
      this.onFrame(headFrame(state));
    }
    this.#answered(state);
  }

  #connect() {
    if (this.#stopped || this.socket) return;
    clearTimeout(this.#timer);
    this.#showUnlessPolling("connecting");
    this.#checkedWhileOpening = false;
    this.socket = new Socket(this.url, this.timing, {
      onOpen: () => this.#onOpen(),
      onFrame: (frame) => this.#receive(frame),
      onClose: (code, lived) => this.#onClose(code, lived),
    });
  }

  #onOpen() {
    this.polling.stop();
    this.#unreachable = false;
    for (const state of this.streams.values()) {
      this.socket.subscribe(state);
      state.awaited = true;
    }
    this.onState(this.streams.size ? "connecting" : "live");
  }

  /** The socket is live when it has answered for every stream. */
  #answered(state) {
    if (!state.awaited) return;
    state.awaited = false;
    const isComplete = [...this.streams.values()].every(({ awaited }) => !awaited);
    if (isComplete && this.socket) this.onState("live");
  }

  #onClose(code, lived) {
    this.socket = null;
    for (const state of this.streams.values()) state.awaited = state.answered = false;
    if (this.#stopped) return;
    // After an open socket, connect again: the user may have logged in again meanwhile.
    if (lived === 0 && (code === UNAUTHENTICATED || code === FORBIDDEN)) {
      if (this.#checkedWhileOpening) this.#connectNow();
      else this.#stopTrying();
      return;
    }
    this.#failures = lived > this.timing.stable ? 0 : this.#failures + 1;
    this.#reconnect(code, lived);
  }

  /** Stop until `check`: without a new login, another attempt would be refused again. */
  #stopTrying() {
    clearTimeout(this.#timer);
    this.polling.stop();
    this.onState("offline");
  }

  #reconnect(code, lived) {
    const isOff = code === SWITCHED_OFF;
    const mustPoll = isOff || this.#failures >= FAILURES_BEFORE_POLLING;
    if (lived === 0 && mustPoll && this.polling.start()) {
      this.#connectLater(this.timing.retrySocket * (isOff ? 10 : 1) * (1 + Math.random()));
    } else if (code === RESTART || code === GOING_AWAY) {
      this.onState("connecting");
      this.#connectLater(this.timing.restart * Math.random());
    } else {
      this.#showUnlessPolling("connecting");
      this.#connectLater(code === TOO_SLOW ? 0 : backoff(this.timing, this.#failures));
    }
  }

  #onPollAnswer(failedBefore) {
    // The network has changed: it may let a socket through now.
    if (this.#unreachable || failedBefore) this.#connectLater(this.timing.restart * Math.random());
    this.#unreachable = false;
    this.#failures = FAILURES_BEFORE_POLLING;
    this.#showPolling();
  }

  #showPolling() {
    this.onState(this.polling.current ? "polling" : "connecting");
  }

  /** Try only the socket: when the network is back, no poll is needed. */
  #onUnreachable() {
    this.#unreachable = true;
    this.onState("offline");
    if (!this.socket) this.#connectLater(backoff(this.timing, this.#failures));
  }

  #showUnlessPolling(state) {
    if (this.polling.running) return;
    this.onState(this.#unreachable || !navigator.onLine ? "offline" : state);
  }

  #connectLater(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), delay);
  }

  #connectNow() {
    this.#failures = 0;
    this.#unreachable = false;
    this.#connect();
  }

  #onOffline() {
    this.polling.stop();
    this.socket?.close();
    this.onState("offline");
  }
}
