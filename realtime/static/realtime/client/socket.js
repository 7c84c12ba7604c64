/** One WebSocket, from its opening to its end: subscriptions, acknowledgements, heartbeats. */
import { Outbox } from "./outbox.js";

const PROTOCOL = "koinonia.v1";
/** Bytes, of all streams together: what the server wants a word for. */
const ACKNOWLEDGE_EVERY = 128 * 1024;
const LOOK_EVERY = 1000;
const utf8 = new TextEncoder();

export class Socket {
  #unacknowledged = 0;
  #opened = 0;
  #heard = Date.now();
  #allowed;
  #ended = false;
  #outbox = new Outbox((frame) => this.#send(frame));

  /** @param {{onOpen: Function, onFrame: Function, onClose: (code: number, lived: number) => void}} on */
  constructor(url, timing, on) {
    this.timing = timing;
    this.on = on;
    this.#allowed = timing.connect;
    this.socket = new WebSocket(url, [PROTOCOL]);
    this.socket.onmessage = ({ data }) => this.#hear(data);
    this.socket.onclose = ({ code }) => this.#end(code);
    this.watch = setInterval(() => this.#look(), Math.min(LOOK_EVERY, timing.connect / 2));
  }

  /** Whether the server has let it in. */
  get opened() {
    return this.#opened > 0;
  }

  /** @param {{stream: string, seq: number|null, epoch: string|null}} wish */
  subscribe({ stream, seq, epoch }) {
    const position = seq === null ? {} : { since: seq, ...(epoch === null ? {} : { epoch }) };
    if (this.#opened) this.#outbox.say({ type: "subscribe", stream, ...position });
  }

  unsubscribe(stream) {
    if (this.#opened) this.#outbox.say({ type: "unsubscribe", stream });
  }

  /** Is it still there? A laptop that slept would learn it much later. */
  probe() {
    // Who looks again and again has been told.
    if (this.#opened && !this.#outbox.take()) return;
    this.#heard = Date.now();
    this.#allowed = Math.min(this.#allowed, this.timing.connect);
    this.#send({ type: "ping" });
  }

  close() {
    this.socket.close(1000);
    this.#end(1000);
  }

  #send(frame) {
    if (this.#opened) this.socket.send(JSON.stringify(frame));
  }

  #hear(text) {
    if (this.#ended) return;
    const frame = JSON.parse(text);
    this.#heard = Date.now();
    if (this.#opened) this.#allowed = this.heartbeat + this.timing.slack;
    if (frame.type === "welcome") this.#welcome(frame);
    else this.on.onFrame(frame);
    if (frame.type === "events") this.#count(frame, utf8.encode(text).length);
  }

  #welcome({ heartbeat }) {
    this.#opened = Date.now();
    this.heartbeat = heartbeat * 1000;
    this.#allowed = this.heartbeat + this.timing.slack;
    this.on.onOpen();
  }

  #count({ stream, to }, size) {
    this.#unacknowledged += size;
    if (this.#unacknowledged >= ACKNOWLEDGE_EVERY) {
      this.#unacknowledged = 0;
      // Whatever came before it, of any stream, has arrived too: a socket keeps its order.
      // The server counts none that acknowledges something.
      this.#send({ type: "ack", stream, seq: to });
    }
  }

  /** Compares clocks: a timer that comes late says nothing, least of all in a hidden tab. */
  #look() {
    if (Date.now() - this.#heard > this.#allowed) {
      this.socket.close();
      // The closing handshake with a peer that is gone takes a minute.
      this.#end(1006);
    }
  }

  #end(code) {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.watch);
    this.#outbox.close();
    this.on.onClose(code, this.#opened ? Date.now() - this.#opened : 0);
  }
}
