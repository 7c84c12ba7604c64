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
  };
  const targets = { pagehide: window, pageshow: window, freeze: document, resume: document };
  for (const [name, hook] of Object.entries(hooks)) targets[name].addEventListener(name, hook);
  return {
    start: () => shared.start(),
    want: (wish) => shared.want(wish),
    close: () => {
      for (const [name, hook] of Object.entries(hooks)) targets[name].removeEventListener(name, hook);
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
}

class SharedLink {
  constructor(options) {
    this.options = options;
    this.name = `realtime ${options.url}`;
    this.running = false;
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.state = "connecting";
    this.options.onState(this.state);
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }) => this.#hear(data);
    this.#say({ kind: "wants", wishes: this.options.wanted() });
    this.#applyToLead();
  }

  pause() {
    if (!this.running) return;
    this.running = false;
    this.link?.stop();
    this.link = null;
    this.giveUp.abort();
    this.resign?.();
    this.channel.close();
  }

  want(wish) {
    if (this.link) this.link.want(wish);
    else if (this.running) this.#say({ kind: "wants", wishes: [wish] });
  }

  #applyToLead() {
    const giveUp = (this.giveUp = new AbortController());
    const lead = () => (giveUp.signal.aborted ? undefined : this.#lead());
    navigator.locks.request(this.name, { signal: giveUp.signal }, lead).catch((error) => {
      if (error.name !== "AbortError") throw error;
    });
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
    for (const wish of this.options.wanted()) this.link.want(wish);
    this.link.start();
    this.#say({ kind: "new leader" });
    // The lock is held until this settles, or the tab dies.
    return new Promise((resolve) => {
      this.resign = resolve;
    });
  }

  #show(state) {
    this.state = state;
    this.#say({ kind: "state", state });
    this.options.onState(state);
  }

  #hear({ kind, frame, state, wishes }) {
    if (kind === "frame") this.options.onFrame(frame);
    else if (kind === "state") this.options.onState(state);
    else if (kind === "new leader") this.#say({ kind: "wants", wishes: this.options.wanted() });
    else if (kind === "wants" && this.link) {
      for (const wish of wishes) this.link.want(wish);
      this.#say({ kind: "state", state: this.state });
    }
  }

  #say(message) {
    if (this.running) this.channel.postMessage(message);
  }
}
