/**
 * One connection for all tabs of a browser. The tab that holds a Web Lock leads: it has the connection
 * and posts every frame to the other tabs (docs/decisions/0036).
 *
 * Each tab keeps its own cursors, so a lost or repeated message does no harm. Without Web Locks or
 * BroadcastChannel each tab has its own connection.
 */
import { Link } from "./link.js";

/** How often a follower checks whether the leader is alive. */
const CHECK_EVERY = 1000;

export function openConnection(options) {
  const canShare = Boolean(navigator.locks && globalThis.BroadcastChannel);
  const connection = canShare ? new SharedConnection(options) : new OwnConnection(options);
  // An open connection keeps a page out of the back-forward cache, so a page that leaves pauses.
  const hooks = {
    pagehide: () => connection.pause(),
    freeze: () => connection.pause(),
    pageshow: ({ persisted }) => persisted && connection.start(),
    resume: () => connection.start(),
    visibilitychange: () => document.visibilityState === "visible" && connection.check(),
  };
  const targetOf = (name) => (name.startsWith("page") ? window : document);
  for (const [name, hook] of Object.entries(hooks)) targetOf(name).addEventListener(name, hook);
  return {
    start: () => connection.start(),
    subscribe: (request) => connection.subscribe(request),
    close: () => {
      for (const [name, hook] of Object.entries(hooks)) {
        targetOf(name).removeEventListener(name, hook);
      }
      connection.pause();
    },
  };
}

/** The connection of a tab that shares with no other. */
class OwnConnection {
  constructor(options) {
    this.options = options;
    this.link = null;
  }

  start() {
    if (this.link) return;
    this.link = new Link(this.options);
    for (const request of this.options.requests()) this.link.subscribe(request);
    this.link.start();
  }

  pause() {
    this.link?.stop();
    this.link = null;
  }

  subscribe(request) {
    this.link?.subscribe(request);
  }

  check() {
    this.link?.check();
  }
}

/** A tab's part in a shared connection: `link` is set while this tab leads. */
class SharedConnection {
  constructor(options) {
    this.options = options;
    // The number changes with the messages, so that tabs with older code do not share with newer ones.
    this.name = `realtime 2 ${options.url} ${options.user}`;
    this.tab = crypto.randomUUID();
    this.running = false;
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.state = "connecting";
    this.options.onState(this.state);
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }) => this.#receive(data);
    this.heardAt = Date.now();
    this.pingedAt = null;
    this.watch = setInterval(() => this.#checkLeader(), CHECK_EVERY);
    this.#postRequests(this.options.requests());
    this.check();
    this.#requestLeadership();
  }

  pause() {
    if (!this.running) return;
    this.#post({ kind: "leave", tab: this.tab });
    this.running = false;
    clearInterval(this.watch);
    this.abandon.abort();
    this.#stepDown();
    this.channel.close();
  }

  subscribe(request) {
    if (this.link) this.link.subscribe(request, this.tab);
    else this.#postRequests([request]);
  }

  check() {
    if (this.link) this.link.check();
    else this.#post({ kind: "check" });
  }

  #requestLeadership({ steal } = { steal: false }) {
    this.abandon?.abort();
    const abandon = (this.abandon = new AbortController());
    const lead = () => (abandon.signal.aborted ? undefined : this.#lead());
    const options = steal ? { steal } : { signal: abandon.signal };
    navigator.locks.request(this.name, options, lead).catch((error) => {
      if (abandon.signal.aborted) return;
      if (error.name === "AbortError") {
        // Another tab took this one for dead, stole the lock and opened its own connection.
        this.#stepDown();
        this.#postRequests(this.options.requests());
        this.#requestLeadership();
      } else {
        console.error("The tabs cannot share a connection; this tab opens its own.", error);
        this.#lead();
      }
    });
  }

  #stepDown() {
    this.link?.stop();
    this.link = null;
    this.releaseLock?.();
  }

  /** A frozen leader keeps the lock but sends nothing. Detect it by silence, then steal the lock. */
  #checkLeader() {
    if (this.link) return;
    const { wait, slack } = this.options.timing;
    const now = Date.now();
    if (now - this.heardAt <= wait) this.pingedAt = null;
    else if (this.pingedAt === null) {
      this.pingedAt = now;
      this.#post({ kind: "ping" });
    } else if (now - this.pingedAt > slack) {
      this.pingedAt = null;
      this.heardAt = now;
      this.options.onState("connecting");
      this.#requestLeadership({ steal: true });
    }
  }

  #lead() {
    this.link = new Link({
      ...this.options,
      onFrame: (frame) => {
        this.#post({ kind: "frame", frame });
        this.options.onFrame(frame);
      },
      onState: (state) => this.#showState(state),
    });
    for (const request of this.options.requests()) this.link.subscribe(request, this.tab);
    this.link.start();
    this.#post({ kind: "new leader" });
    // The browser holds the lock until this promise settles or the tab dies.
    return new Promise((resolve) => {
      this.releaseLock = resolve;
    });
  }

  #showState(state) {
    this.state = state;
    this.#post({ kind: "state", state });
    this.options.onState(state);
  }

  #receive(message) {
    if (message.kind === "frame") this.options.onFrame(message.frame);
    else if (message.kind === "state") this.link || this.options.onState(message.state);
    else if (message.kind === "new leader") this.#postRequests(this.options.requests());
    else if (this.link) return this.#serve(message);
    else return;
    this.heardAt = Date.now();
    this.pingedAt = null;
  }

  /** Serve a message of a follower: "leave", "check", "subscribe" or "ping". */
  #serve({ kind, tab, requests }) {
    if (kind === "leave") return this.link.removeTab(tab);
    if (kind === "check") this.link.check();
    else if (kind === "subscribe") {
      for (const request of requests) this.link.subscribe(request, tab);
    }
    this.#post({ kind: "state", state: this.state });
  }

  #postRequests(requests) {
    this.#post({ kind: "subscribe", tab: this.tab, requests });
  }

  #post(message) {
    if (this.running) this.channel.postMessage(message);
  }
}
