/**
 * The browser client of the event log: an ES module without dependencies.
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
 * Every event after `since` arrives once and in order, through failures of the network, restarts of
 * the server and other tabs. Take `epoch` and `since` from the answer that contains the page's data:
 * the page then shows that data plus the events. The tabs of a browser share one connection.
 *
 * @module
 */
import { Cursor } from "./client/cursor.js";
import { openConnection } from "./client/tabs.js";
import { timingWith } from "./client/timing.js";

/**
 * @typedef {object} Event
 * @property {number} seq  the number in the stream, without gaps
 * @property {string} type
 * @property {string} at   RFC 3339, UTC, milliseconds
 * @property {object} data
 *
 * @typedef {"live" | "connecting" | "polling" | "offline"} State
 *   "offline" also means that the user may not listen to one of the streams; "connecting" also means
 *   that a fetch of the page's data is under way. In both states the page may show old data.
 *
 * @typedef {object} StreamOptions
 * @property {number} [since]  the last event that the page's data contains; without it: start at the head
 * @property {string} [epoch]  the epoch of that event
 * @property {string} [poll]   address of the same log over HTTP; without it there is no fallback
 * @property {OnReset} [onReset]  replaces the `onReset` of all streams
 *
 * @callback OnReset
 *   The log cannot deliver the missed events: fetch the data again, and return its position.
 * @param {string} stream
 * @returns {Promise<{epoch: string, since: number} | void> | {epoch: string, since: number} | void}
 *
 * @typedef {object} Options
 * @property {string} url  of the WebSocket; a path is enough
 * @property {Record<string, StreamOptions> | string[]} streams  with names alone: start at the head
 * @property {(stream: string, events: Event[]) => (Promise<void> | void)} onEvents
 *   An error leads to `onReset`, so `onEvents` may get the events of a failed call again.
 * @property {(state: State) => void} [onState]
 * @property {OnReset} [onReset]
 * @property {string} [user]  any name of the page's user: only tabs of the same user share a connection
 * @property {object} [timing]  milliseconds, see client/timing.js
 */

/**
 * Listen to streams until `close`.
 *
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
  const times = timingWith(timing);
  const cursors = new Map();
  const refused = new Set();
  let connectionState = "connecting";
  let shownState = null;
  const show = () => {
    const isCurrent = [...cursors.values()].every((cursor) => cursor.current);
    const state = refused.size ? "offline" : isCurrent ? connectionState : whileFetching(connectionState);
    if (state === shownState) return;
    shownState = state;
    try {
      onState(state);
    } catch (error) {
      console.error("onState failed.", error);
    }
  };
  const connection = openConnection({
    url: socketAddress(url),
    user,
    timing: times,
    onFrame: (frame) => {
      if (frame.type === "heartbeat") {
        for (const [stream, seq] of Object.entries(frame.streams)) {
          cursors.get(stream)?.checkHeartbeat(seq);
        }
      } else if (cursors.has(frame.stream)) {
        if (frame.type === "unsubscribed") refused.add(frame.stream);
        else refused.delete(frame.stream);
        show();
        cursors.get(frame.stream).receive(frame);
      }
    },
    onState: (state) => {
      connectionState = state;
      show();
    },
    requests: () => [...cursors.values()].map((cursor) => cursor.request()),
  });
  for (const [stream, given] of Object.entries(withOptions(streams))) {
    cursors.set(
      stream,
      new Cursor(stream, given, times, {
        apply: (events) => onEvents(stream, events),
        refetch: () => (given.onReset ?? onReset)(stream),
        subscribe: (request) => connection.subscribe(request),
        show,
      }),
    );
  }
  connection.start();
  const close = () => {
    for (const cursor of cursors.values()) cursor.close();
    connection.close();
  };
  return { close, position: (stream) => cursors.get(stream).position() };
}

function whileFetching(connectionState) {
  return connectionState === "offline" ? "offline" : "connecting";
}

function withOptions(streams) {
  return Array.isArray(streams) ? Object.fromEntries(streams.map((name) => [name, {}])) : streams;
}

function socketAddress(url) {
  const address = new URL(url, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  return address.href;
}
