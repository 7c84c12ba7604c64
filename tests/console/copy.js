/**
 * A copy of all messages and broadcasts of one church: a snapshot, updated by events.
 * The test evaluates this script in a page of the site; `keep(church, clientAddress)` starts the copy
 * as `window.copy`.
 */
(() => {
  async function get(path) {
    // The network can fail during the snapshot: retry until it succeeds.
    for (;;) {
      try {
        const response = await fetch(path, { headers: { Accept: "application/json" } });
        if (response.ok) return { body: await response.json(), headers: response.headers };
      } catch {
        // Retry below.
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function all(path) {
    const found = [];
    let position = null;
    for (let next = path; next; ) {
      const { body, headers } = await get(next);
      position ??= headers.get("Stream-Position");
      found.push(...body.results);
      next = body.next && new URL(body.next, location.href).href;
    }
    const [, epoch, seq] = position.split(";");
    return { found, position: { epoch, since: Number(seq) } };
  }

  class Copy {
    messages = new Map();
    broadcasts = new Map();

    constructor(church) {
      this.base = `/api/v1/churches/${church}/`;
    }

    /** Load a snapshot; return the position of its first answer. Events repeat later changes. */
    async load() {
      const { found, position } = await all(`${this.base}messages/?page_size=200`);
      const broadcasts = await all(`${this.base}broadcasts/`);
      this.messages = new Map(found.map((message) => [message.id, message]));
      this.broadcasts = new Map(broadcasts.found.map((broadcast) => [broadcast.id, broadcast]));
      return position;
    }

    async apply({ type, data }) {
      if (type === "message.created" || type === "message.received") this.messages.set(data.id, data);
      else if (type === "message.status") this.#updateStatus(data);
      else if (type === "conversation.read") this.#read(data);
      else if (type === "broadcast.created") await this.#broadcast(data);
      else if (type === "broadcast.progress") this.broadcasts.get(data.broadcast).counts = data.counts;
    }

    #updateStatus({ message, status, error }) {
      Object.assign(this.messages.get(message), { status, error });
    }

    #read({ conversation, read_at }) {
      for (const message of this.messages.values()) {
        const unread = message.direction === "inbound" && message.read_at === null;
        if (unread && message.conversation === conversation) message.read_at = read_at;
      }
    }

    /** Fetch the messages of a new broadcast, which has one event for all of them. */
    async #broadcast(broadcast) {
      this.broadcasts.set(broadcast.id, broadcast);
      const { found } = await all(`${this.base}messages/?broadcast=${broadcast.id}&page_size=200`);
      for (const message of found) this.messages.set(message.id, message);
    }

    /** Return the visible data. Events carry no times except that one exists, so compare only that. */
    get rows() {
      const messages = [...this.messages.values()].map((message) => [
        message.id, message.direction, message.to, message.text, message.status,
        message.error?.code ?? null, message.member?.id ?? null, message.conversation,
        message.broadcast, message.author?.id ?? null, message.created_at, message.read_at !== null,
      ]);
      const broadcasts = [...this.broadcasts.values()].map(({ id, text, total, counts }) => [
        id, text, total, Object.entries(counts).filter(([, count]) => count).sort().join(),
      ]);
      return [...messages, ...broadcasts];
    }
  }

  window.keep = async (church, client, timing) => {
    const { connect } = await import(client);
    window.copy = new Copy(church);
    window.copyStates = [];
    const stream = `church:${church}`;
    const position = await copy.load();
    window.copyLink = connect({
      url: "/ws/v1/?copy",
      streams: { [stream]: { ...position, poll: `${copy.base}events/`, onReset: () => copy.load() } },
      onEvents: async (_, events) => {
        for (const event of events) await copy.apply(event);
      },
      onState: (state) => copyStates.push(state),
      timing,
    });
    window.copiedUpTo = () => copyLink.position(stream).since;
  };

  /**
   * Return the rows of the copy that a new snapshot does not have, and the reverse; null if an event
   * came meanwhile, because then the two show different positions.
   */
  window.differences = async (church) => {
    const fresh = new Copy(church);
    const { since } = await fresh.load();
    const { to } = (await get(`${fresh.base}events/`)).body;
    if (since !== to || since !== copiedUpTo()) return null;
    const [ours, theirs] = [copy, fresh].map(({ rows }) => rows.map((row) => JSON.stringify(row)));
    return {
      copy: ours.filter((row) => !theirs.includes(row)),
      fresh: theirs.filter((row) => !ours.includes(row)),
    };
  };
})();
