/** One WebSocket from open to close: subscriptions, acknowledgements, heartbeats, its rate of frames. */

const PROTOCOL = "koinonia.v1";
/** Bytes of all streams together; the protocol wants an acknowledgement at least this often. */
const ACKNOWLEDGE_EVERY = 128 * 1024;
const CHECK_EVERY = 1000;
const utf8 = new TextEncoder();

export class Socket {
  #unacknowledged = 0;
  #openedAt = 0;
  #heardAt = Date.now();
  /** How long the server may be silent. */
  #maxSilence;
  #ended = false;
  #outbox = new Outbox((frame) => this.#send(frame));
  /** The positions of the subscribes without an answer, by stream, in the order of sending. */
  #unanswered = new Map();

  /** @param {{onOpen: Function, onFrame: Function, onClose: (code: number, lived: number) => void}} on */
  constructor(url, timing, on) {
    this.timing = timing;
    this.on = on;
    this.#maxSilence = timing.connect;
    this.socket = new WebSocket(url, [PROTOCOL]);
    this.socket.onmessage = ({ data }) => this.#receive(data);
    this.socket.onclose = ({ code }) => this.#end(code);
    this.watch = setInterval(() => this.#checkSilence(), Math.min(CHECK_EVERY, timing.connect / 2));
  }

  /** Whether the server has sent its welcome. */
  get opened() {
    return this.#openedAt > 0;
  }

  /** @param {import("./position.js").Request} request */
  subscribe({ stream, seq, epoch }) {
    const position = seq === null ? {} : { since: seq, ...(epoch === null ? {} : { epoch }) };
    if (this.opened) this.#outbox.post({ type: "subscribe", stream, ...position });
  }

  unsubscribe(stream) {
    if (this.opened) this.#outbox.post({ type: "unsubscribe", stream });
  }

  /** Ping the server: without a pong, the socket of a laptop that slept closes within seconds. */
  probe() {
    // Over the limit of frames, an earlier ping is still recent.
    if (this.opened && !this.#outbox.take()) return;
    this.#heardAt = Date.now();
    this.#maxSilence = Math.min(this.#maxSilence, this.timing.connect);
    this.#send({ type: "ping" });
  }

  close() {
    this.socket.close(1000);
    this.#end(1000);
  }

  #send(frame) {
    if (!this.opened) return;
    this.socket.send(JSON.stringify(frame));
    if (frame.type !== "subscribe") return;
    const { stream, since = null, epoch = null } = frame;
    const sent = this.#unanswered.get(stream) ?? [];
    this.#unanswered.set(stream, [...sent, { seq: since, epoch }]);
  }

  /** Add the refused position to a reset: the server answers the subscribes of a stream in order. */
  #matchAnswer(frame) {
    if (!["subscribed", "reset", "error"].includes(frame.type)) return;
    const position = this.#unanswered.get(frame.stream)?.shift();
    if (frame.type === "reset" && position) frame.refused = position;
  }

  #receive(text) {
    if (this.#ended) return;
    const frame = JSON.parse(text);
    this.#heardAt = Date.now();
    if (this.opened) this.#maxSilence = this.heartbeat + this.timing.slack;
    if (frame.type === "welcome") this.#welcome(frame);
    else {
      this.#matchAnswer(frame);
      this.on.onFrame(frame);
    }
    if (frame.type === "events") this.#acknowledge(frame, utf8.encode(text).length);
  }

  #welcome({ heartbeat }) {
    this.#openedAt = Date.now();
    this.heartbeat = heartbeat * 1000;
    this.#maxSilence = this.heartbeat + this.timing.slack;
    this.on.onOpen();
  }

  #acknowledge({ stream, to }, size) {
    this.#unacknowledged += size;
    if (this.#unacknowledged >= ACKNOWLEDGE_EVERY) {
      this.#unacknowledged = 0;
      // A socket keeps its order, so this settles all earlier frames of all streams. The server does
      // not count it against the limit of frames, so it bypasses the outbox.
      this.#send({ type: "ack", stream, seq: to });
    }
  }

  /** Compare clocks instead of counting ticks: browsers delay the timers of hidden tabs. */
  #checkSilence() {
    if (Date.now() - this.#heardAt > this.#maxSilence) {
      this.socket.close();
      // End at once: the closing handshake with a dead peer takes a minute.
      this.#end(1006);
    }
  }

  #end(code) {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.watch);
    this.#outbox.close();
    this.on.onClose(code, this.opened ? Date.now() - this.#openedAt : 0);
  }
}

const BURST = 40;
const PER_SECOND = 4;

/**
 * Limits the frames of one socket. The server closes a socket that sends more than 60 frames at once or
 * 5 per second, and thirty tabs that wake together would. The outbox sends fewer and queues the rest;
 * of the queued frames for one stream and epoch it sends only the last, with the lowest position.
 */
class Outbox {
  #tokens = BURST;
  #updatedAt = Date.now();
  /** Queued frames by stream and epoch, in order of arrival. */
  #queue = new Map();
  #timer = null;

  /** @param {(frame: object) => void} send */
  constructor(send) {
    this.send = send;
  }

  /** Send a frame about a stream as soon as the limit allows. */
  post(frame) {
    const key = `${frame.stream} ${frame.epoch ?? ""}`;
    const queued = this.#queue.get(key);
    this.#queue.delete(key);
    // A tab that is behind must not lose events because another tab is ahead.
    if (queued?.since < frame.since) frame = { ...frame, since: queued.since };
    this.#queue.set(key, frame);
    this.#flush();
  }

  /** Take a token; return whether one more frame may be sent now. */
  take() {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  close() {
    clearTimeout(this.#timer);
    this.#queue.clear();
  }

  #flush() {
    clearTimeout(this.#timer);
    for (const [key, frame] of this.#queue) {
      if (!this.take()) {
        this.#timer = setTimeout(() => this.#flush(), 1000 / PER_SECOND);
        return;
      }
      this.#queue.delete(key);
      this.send(frame);
    }
  }

  #refill() {
    // A clock that was set back must not take tokens away.
    const passed = Math.max(0, Date.now() - this.#updatedAt);
    this.#tokens = Math.min(BURST, this.#tokens + (passed * PER_SECOND) / 1000);
    this.#updatedAt = Date.now();
  }
}
