/**
 * One connection for all tabs of a browser: who holds the lock has it, and tells the others.
 *
 * Each tab keeps its own cursors, so a frame that a tab has missed, or sees twice, does no harm.
 * Where Web Locks or BroadcastChannel are missing, each tab has a connection of its own.
 */
import { Link } from "./link.js";

export function share(options) {
  const canShare = Boolean(navigator.locks && globalThis.BroadcastChannel);
  const shared = canShare ? new SharedLink(options) : new OwnLink(options);
  // A page that leaves must not keep a connection: it would be kept out of the back-forward cache.
  const hooks = {
    pagehide: () => shared.pause(),
    freeze: () => shared.pause(),
    pageshow: ({ persisted }) => persisted && shared.start(),
    resume: () => shared.start(),
    visibilitychange: () => document.visibilityState === "visible" && shared.look(),
  };
  const targetOf = (name) => (name.startsWith("page") ? window : document);
  for (const [name, hook] of Object.entries(hooks)) targetOf(name).addEventListener(name, hook);
  return {
    start: () => shared.start(),
    want: (wish) => shared.want(wish),
    close: () => {
      for (const [name, hook] of Object.entries(hooks)) targetOf(name).removeEventListener(name, hook);
      shared.pause();
    },
  };
}

class OwnLink {
  constructor(options) {
    this.options = options;
    this.link = null;
  }

  start() {
    if (this.link) return;
    this.link = new Link(this.options);
    for (const wish of this.options.wanted()) this.link.want(wish);
    this.link.start();
  }

  pause() {
    this.link?.stop();
    this.link = null;
  }

  want(wish) {
    this.link?.want(wish);
  }

  look() {
    this.link?.look();
  }
}

/** How often a tab looks whether the one that has the connection says anything. */
const LISTEN_EVERY = 1000;

class SharedLink {
  constructor(options) {
    this.options = options;
    this.name = `realtime ${options.url} ${options.user}`;
    this.tab = crypto.randomUUID();
    this.running = false;
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.state = "connecting";
    this.options.onState(this.state);
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }) => this.#hear(data);
    this.heard = Date.now();
    this.asked = null;
    this.watch = setInterval(() => this.#listen(), LISTEN_EVERY);
    this.#sayWants(this.options.wanted());
    this.look();
    this.#applyToLead();
  }

  pause() {
    if (!this.running) return;
    this.#say({ kind: "leaves", tab: this.tab });
    this.running = false;
    clearInterval(this.watch);
    this.giveUp.abort();
    this.#stepDown();
    this.channel.close();
  }

  want(wish) {
    if (this.link) this.#want(this.tab, [wish]);
    else this.#sayWants([wish]);
  }

  look() {
    if (this.link) this.link.look();
    else this.#say({ kind: "look" });
  }

  #applyToLead(how = "wait") {
    this.giveUp?.abort();
    const giveUp = (this.giveUp = new AbortController());
    const lead = () => (giveUp.signal.aborted ? undefined : this.#lead());
    const options = how === "steal" ? { steal: true } : { signal: giveUp.signal };
    navigator.locks.request(this.name, options, lead).catch((error) => {
      if (giveUp.signal.aborted) return;
      if (error.name === "AbortError") {
        // Others took this tab for dead, and have a connection of their own.
        this.#stepDown();
        this.#sayWants(this.options.wanted());
        this.#applyToLead();
      } else {
        console.error("Tabs cannot share a connection here; this one has its own.", error);
        this.#lead();
      }
    });
  }

  #stepDown() {
    this.link?.stop();
    this.link = null;
    this.resign?.();
  }

  /** A tab that hangs keeps the lock and is silent, and so is one that inherits it then. */
  #listen() {
    if (this.link) return;
    const { wait, slack } = this.options.timing;
    const now = Date.now();
    if (now - this.heard <= wait) this.asked = null;
    else if (this.asked === null) {
      this.asked = now;
      this.#say({ kind: "are you there" });
    } else if (now - this.asked > slack) {
      this.asked = null;
      this.heard = now;
      this.options.onState("connecting");
      this.#applyToLead("steal");
    }
  }

  #lead() {
    this.link = new Link({
      ...this.options,
      onFrame: (frame) => {
        this.#say({ kind: "frame", frame });
        this.options.onFrame(frame);
      },
      onState: (state) => this.#show(state),
    });
    this.wanting = new Map();
    this.#want(this.tab, this.options.wanted());
    this.link.start();
    this.#say({ kind: "new leader" });
    // The lock is held until this settles, or the tab dies.
    return new Promise((resolve) => {
      this.resign = resolve;
    });
  }

  #want(tab, wishes) {
    for (const wish of wishes) {
      const tabs = this.wanting.get(wish.stream) ?? new Set();
      this.wanting.set(wish.stream, tabs.add(tab));
      this.link.want(wish);
    }
  }

  #leave(tab) {
    for (const [stream, tabs] of this.wanting) {
      if (!tabs.delete(tab) || tabs.size) continue;
      this.wanting.delete(stream);
      this.link.leave(stream);
    }
  }

  #show(state) {
    this.state = state;
    this.#say({ kind: "state", state });
    this.options.onState(state);
  }

  #hear(message) {
    if (message.kind === "frame") this.options.onFrame(message.frame);
    else if (message.kind === "state") this.link || this.options.onState(message.state);
    else if (message.kind === "new leader") this.#sayWants(this.options.wanted());
    else if (this.link) return this.#obey(message);
    else return;
    this.heard = Date.now();
    this.asked = null;
  }

  #obey({ kind, tab, wishes }) {
    if (kind === "leaves") return this.#leave(tab);
    if (kind === "look") this.link.look();
    else if (kind === "wants") this.#want(tab, wishes);
    this.#say({ kind: "state", state: this.state });
  }

  #sayWants(wishes) {
    this.#say({ kind: "wants", tab: this.tab, wishes });
  }

  #say(message) {
    if (this.running) this.channel.postMessage(message);
  }
}
