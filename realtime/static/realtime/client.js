/**
 * The browser's end of the event log. An ES module without dependencies.
 *
 *     const { connect } = await import(addressOfThisModule);
 *
 *     const link = connect({
 *       url: "/ws/v1/",
 *       streams: {
 *         "church:grace": { epoch, since, poll: "/api/v1/churches/grace/events/", onReset: reload },
 *         "user:me": { poll: "/api/v1/me/events/" },
 *       },
 *       onEvents: (stream, events) => events.forEach(apply),
 *       onState: (state) => show(state),
 *     });
 *     link.close();
 *
 * Every event after `since` arrives once and in order, whatever happens to the network, the server or
 * the other tabs. Take `epoch` and `since` from the answer that the page's data came with: what you
 * show is then that data plus the events. The tabs of a browser share one connection.
 *
 * @module
 */
import { Cursor } from "./client/cursor.js";
import { share } from "./client/tabs.js";
import { timingWith } from "./client/timing.js";

/**
 * @typedef {object} Event
 * @property {number} seq  its number in the stream, without gaps
 * @property {string} type
 * @property {string} at   RFC 3339, UTC, milliseconds
 * @property {object} data
 *
 * @typedef {"live" | "connecting" | "polling" | "offline"} State
 *   Offline is also who has no right to one of the streams, and connecting whose data is being
 *   fetched anew: what the page shows may be old.
 *
 * @typedef {object} StreamOptions
 * @property {number} [since]  the last event that the page's data contains; without it: from now on
 * @property {string} [epoch]  the epoch of that event
 * @property {string} [poll]   address of the same log over HTTP; without it there is no fallback
 * @property {OnReset} [onReset]  instead of the one for all streams
 *
 * @callback OnReset
 *   The log cannot tell what was missed: fetch the data again, and return the position it has.
 * @param {string} stream
 * @returns {Promise<{epoch: string, since: number} | void> | {epoch: string, since: number} | void}
 *
 * @typedef {object} Options
 * @property {string} url  of the WebSocket; a path is enough
 * @property {Record<string, StreamOptions> | string[]} streams  names alone: from now on
 * @property {(stream: string, events: Event[]) => (Promise<void> | void)} onEvents
 *   Must be able to see an event again that it failed on: an error leads to `onReset`.
 * @property {(state: State) => void} [onState]
 * @property {OnReset} [onReset]
 * @property {string} [user]  whose page it is, in any words: only tabs of one user share a connection,
 *   where several take turns at one browser
 * @property {object} [timing]  milliseconds, see client/timing.js
 */

/**
 * @param {Options} options
 * @returns {{close: () => void, position: (stream: string) => {epoch: string, since: number}}}
 */
export function connect({
  url,
  streams,
  onEvents,
  onState = () => {},
  onReset = () => {},
  user = "",
  timing = {},
}) {
  const all = timingWith(timing);
  const cursors = new Map();
  const refused = new Set();
  let connection = "connecting";
  let shown = null;
  const show = () => {
    const current = [...cursors.values()].every((cursor) => cursor.current);
    const state = refused.size ? "offline" : current ? connection : lesser(connection);
    if (state === shown) return;
    shown = state;
    try {
      onState(state);
    } catch (error) {
      console.error("The state could not be shown.", error);
    }
  };
  const shared = share({
    url: socketAddress(url),
    user,
    timing: all,
    onFrame: (frame) => {
      if (frame.type === "heartbeat") {
        for (const [stream, seq] of Object.entries(frame.streams)) cursors.get(stream)?.compare(seq);
      } else if (cursors.has(frame.stream)) {
        if (frame.type === "unsubscribed") refused.add(frame.stream);
        else refused.delete(frame.stream);
        show();
        cursors.get(frame.stream).take(frame);
      }
    },
    onState: (state) => {
      connection = state;
      show();
    },
    wanted: () => [...cursors.values()].map((cursor) => cursor.wish()),
  });
  for (const [stream, given] of Object.entries(withOptions(streams))) {
    cursors.set(
      stream,
      new Cursor(stream, given, all, {
        apply: (events) => onEvents(stream, events),
        refetch: () => (given.onReset ?? onReset)(stream),
        want: (wish) => shared.want(wish),
        show,
      }),
    );
  }
  shared.start();
  const close = () => {
    for (const cursor of cursors.values()) cursor.close();
    shared.close();
  };
  return { close, position: (stream) => cursors.get(stream).position() };
}

/** The page's own data is on its way. */
function lesser(connection) {
  return connection === "offline" ? "offline" : "connecting";
}

function withOptions(streams) {
  return Array.isArray(streams) ? Object.fromEntries(streams.map((name) => [name, {}])) : streams;
}

function socketAddress(url) {
  const address = new URL(url, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  return address.href;
}
