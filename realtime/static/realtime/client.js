/**
 * The browser's end of the event log: an ES module without dependencies.
 *
 *     import { connect } from "/static/realtime/client.js";
 *     const connection = connect({
 *       url: "/ws/v1/",
 *       streams: { "church:grace": { epoch, since, poll: "/api/v1/churches/grace/events/" } },
 *       onEvents(stream, events) {},   // in order, each exactly once
 *       onState(state) {},             // "live", "connecting", "polling" or "offline"
 *       onReset(stream) {},            // refetch; may answer {epoch, since}, or a promise of it
 *     });
 *     connection.close();
 *
 * `streams` may also be a list of names: then each starts at its head. A stream without `poll` is
 * silent while the socket cannot be had.
 *
 * `seq` has no gap, and each frame says from where to where it accounts: a frame that does not
 * follow on what was applied means that something was missed, and the socket is opened anew from
 * the last `seq` applied. Nothing is ever guessed.
 *
 * @typedef {{seq: number, type: string, at: string, data: object}} StreamEvent
 * @typedef {{epoch?: string|null, since?: number|null, poll?: string}} StreamOptions
 */
import { Backoff } from "./client/backoff.js";
import { Cursor } from "./client/cursor.js";
import { Poller } from "./client/poller.js";
import { Wire } from "./client/wire.js";

const TRIES_BEFORE_POLLING = 2;

export function connect(options) {
  return new Connection(options);
}

class Connection {
  #options;
  #cursors = new Map();
  #wire = null;
  #poller = null;
  #timer = null;
  #tries = 0;
  #backoff = new Backoff();
  #state = "";
  #closed = false;
  #listeners = new AbortController();

  constructor(options) {
    this.#options = options;
    const named = Array.isArray(options.streams)
      ? Object.fromEntries(options.streams.map((name) => [name, {}]))
      : options.streams;
    for (const [name, stream] of Object.entries(named)) this.#cursors.set(name, new Cursor(name, stream));
    this.#watchThePage();
    this.#open();
  }

  get state() {
    return this.#state;
  }

  close() {
    this.#closed = true;
    this.#listeners.abort();
    clearTimeout(this.#timer);
    this.#stopPolling();
    this.#drop();
  }

  #open() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#closed || this.#wire) return;
    if (!this.#poller) this.#show(navigator.onLine === false ? "offline" : "connecting");
    this.#wire = new Wire(this.#options.url, this.#cursors, {
      live: () => this.#live(),
      frame: (frame) => this.#frame(frame),
      closed: (code) => this.#lost(code),
    });
  }

  #live() {
    this.#tries = 0;
    this.#stopPolling();
    this.#show("live");
  }

  #lost(code) {
    this.#wire = null;
    if (this.#closed) return;
    this.#tries += 1;
    this.#backoff.lost();
    if (code === 4401 || code === 4403) return this.#end();
    if (code === 4503 || this.#tries >= TRIES_BEFORE_POLLING) this.#startPolling();
    else this.#show("connecting");
    this.#timer = setTimeout(() => this.#open(), this.#backoff.delay(code));
  }

  /** The right is gone: coming back by itself would be refused again. */
  #end() {
    this.#stopPolling();
    this.#show("offline");
  }

  /** An `events` or `reset` frame, from the socket or from polling. */
  async #frame(frame) {
    const cursor = this.#cursors.get(frame.stream);
    if (!cursor) return;
    if (frame.type === "reset" || frame.reset) return this.#reset(cursor, frame);
    const events = cursor.take(frame);
    if (events === null) return this.#restart();
    if (events.length) this.#options.onEvents(frame.stream, events);
  }

  async #reset(cursor, { epoch, seq, to }) {
    cursor.jump(epoch, seq ?? to);
    const position = await this.#options.onReset?.(cursor.name);
    if (position?.epoch) {
      cursor.jump(position.epoch, position.since);
      this.#restart();
    }
  }

  /** Something is missing: ask again from what was applied. */
  #restart() {
    this.#drop();
    this.#open();
  }

  #drop() {
    const wire = this.#wire;
    this.#wire = null;
    wire?.close();
  }

  #startPolling() {
    if (this.#poller) return;
    this.#poller = new Poller(this.#cursors, {
      frame: (frame) => this.#frame(frame),
      reached: (ok) => this.#poller && this.#show(ok ? "polling" : "offline"),
    });
  }

  #stopPolling() {
    this.#poller?.close();
    this.#poller = null;
  }

  #show(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }

  /** A page that wakes, comes back or gets its network back should not wait for a timer. */
  #watchThePage() {
    const { signal } = this.#listeners;
    const now = () => {
      this.#backoff.reset();
      if (this.#wire) this.#wire.probe();
      else this.#open();
    };
    addEventListener("online", now, { signal });
    addEventListener("offline", () => this.#show("offline"), { signal });
    addEventListener("pageshow", (event) => event.persisted && now(), { signal });
    addEventListener("pagehide", () => this.#drop(), { signal });
    document.addEventListener("resume", now, { signal });
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && now(), { signal });
  }
}
