const PROTOCOL = "koinonia.v1";
const OPEN_MS = 5_000;
const ANSWER_MS = 5_000;
const SLACK_MS = 10_000;
const ACK_BYTES = 48 * 1024;
const ACK_MS = 5_000;

/** One socket: subscribes, acknowledges, and notices when the other end has gone quiet. */
export class Wire {
  #cursors;
  #on;
  #socket;
  #heartbeatMs = 25_000;
  #watchdog = null;
  #waiting;
  #unread = new Map();
  #bytes = 0;
  #ackTimer = null;

  constructor(url, cursors, on) {
    this.#cursors = cursors;
    this.#on = on;
    this.#waiting = new Set(cursors.keys());
    const absolute = new URL(url, location.href);
    absolute.protocol = absolute.protocol.replace("http", "ws");
    this.#socket = new WebSocket(absolute, PROTOCOL);
    this.#socket.onmessage = (event) => this.#receive(event.data);
    this.#socket.onclose = (event) => this.#closed(event.code);
    this.#expect(OPEN_MS);
  }

  /** Is anybody there? After a sleep the socket may look open and be dead. */
  probe() {
    this.#say({ type: "ping" });
    this.#expect(ANSWER_MS);
  }

  close() {
    this.#on = null;
    clearTimeout(this.#watchdog);
    clearTimeout(this.#ackTimer);
    this.#socket.close();
  }

  #receive(text) {
    if (!this.#on) return;
    const frame = JSON.parse(text);
    this.#expect(this.#heartbeatMs + SLACK_MS);
    this.#handlers[frame.type]?.(frame);
    if (frame.type === "events") this.#count(frame, text.length);
  }

  #handlers = {
    welcome: ({ heartbeat }) => {
      this.#heartbeatMs = heartbeat * 1000;
      for (const { name, applied, epoch } of this.#cursors.values()) {
        const since = applied === null ? {} : { since: applied, ...(epoch ? { epoch } : {}) };
        this.#say({ type: "subscribe", stream: name, ...since });
      }
    },
    subscribed: ({ stream, epoch, seq, resumed }) => {
      const cursor = this.#cursors.get(stream);
      if (!resumed) cursor.jump(epoch, seq);
      cursor.epoch = epoch;
      this.#settled(stream);
    },
    reset: (frame) => {
      this.#settled(frame.stream);
      this.#on.frame(frame);
    },
    events: (frame) => this.#on.frame(frame),
    heartbeat: ({ streams }) => {
      for (const [name, seq] of Object.entries(streams)) {
        const cursor = this.#cursors.get(name);
        // The server says that it sent more than arrived: nothing more to wait for.
        if (cursor && cursor.applied !== null && seq > cursor.applied) this.#fail();
      }
    },
    error: ({ code }) => {
      if (code === "forbidden") this.#waiting.clear();
    },
  };

  #settled(stream) {
    if (this.#waiting.delete(stream) && this.#waiting.size === 0) this.#on.live();
  }

  /** At least once per 64 KiB, and soon after the last of a burst. */
  #count(frame, bytes) {
    this.#unread.set(frame.stream, frame.to);
    this.#bytes += bytes;
    if (this.#bytes >= ACK_BYTES) this.#acknowledge();
    else this.#ackTimer ??= setTimeout(() => this.#acknowledge(), ACK_MS);
  }

  #acknowledge() {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = null;
    this.#bytes = 0;
    for (const [stream, seq] of this.#unread) this.#say({ type: "ack", stream, seq });
    this.#unread.clear();
  }

  #say(frame) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #expect(ms) {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#fail(), ms);
  }

  /** A socket that died silently may take minutes to say so: it is left behind. */
  #fail() {
    this.#socket.close();
    this.#closed(1006);
  }

  #closed(code) {
    const on = this.#on;
    this.close();
    on?.closed(code);
  }
}
