/** All times, in milliseconds. Tests make them short. */
const DEFAULTS = {
  /** Full jitter: between 0 and `base * 2 ** failures`, at most `cap`. */
  base: 500,
  cap: 30_000,
  /** How long a connection may take until its welcome. */
  connect: 5_000,
  /** How long a connection must have lived for its failures to be forgotten. */
  stable: 10_000,
  /** How long after a missing heartbeat the connection counts as dead. */
  slack: 10_000,
  /** A restarted server must not meet all its clients at once. */
  restart: 5_000,
  /** How long polling goes on until the socket is tried again: this, up to twice; ten times as long
   * where the server has said that it is switched off. */
  retrySocket: 30_000,
  /** How long the server may hold a poll; how long a tab that has the connection may be silent. */
  wait: 25_000,
  /** How often, up to twice as long, a stream is polled where too many are held already. */
  look: 5_000,
};

/** Socket attempts that fail in a row before polling begins. */
export const FAILURES_BEFORE_POLLING = 2;

export function timingWith(changes) {
  return { ...DEFAULTS, ...changes };
}

/** Exponential backoff with full jitter: what spreads clients that failed together. */
export function backoff({ base, cap }, failures) {
  return Math.random() * Math.min(cap, base * 2 ** failures);
}
