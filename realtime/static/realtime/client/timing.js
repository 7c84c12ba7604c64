/** All times, in milliseconds. Tests shorten them. */
const DEFAULTS = {
  /** Full jitter: the delay is between 0 and `base * 2 ** failures`, at most `cap`. */
  base: 500,
  cap: 30_000,
  /** How long a connection may take until its welcome. */
  connect: 5_000,
  /** A connection that lived for longer than this clears the count of failures. */
  stable: 10_000,
  /** How long after a missing heartbeat the connection counts as dead. */
  slack: 10_000,
  /** Clients reconnect within this time, so that a restarted server meets no thundering herd. */
  restart: 5_000,
  /** Polling tries the socket again after this, up to twice; ten times as long if the server has said
   * that realtime is off. */
  retrySocket: 30_000,
  /** How long the server may hold a poll, and how long the tab with the connection may be silent. */
  wait: 25_000,
  /** The interval, up to twice as long, of a stream that is polled without a held request. */
  look: 5_000,
};

/** Failed attempts in a row to open a socket before polling begins. */
export const FAILURES_BEFORE_POLLING = 2;

export function timingWith(changes) {
  return { ...DEFAULTS, ...changes };
}

/** Return a delay with exponential backoff and full jitter, which spreads a thundering herd. */
export function backoff({ base, cap }, failures) {
  return Math.random() * Math.min(cap, base * 2 ** failures);
}
