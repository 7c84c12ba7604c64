const BASE_MS = 500;
const CAP_MS = 30_000;
const STEADY_MS = 10_000;
const RESTART_SPREAD_MS = 5_000;

/** Full jitter: anywhere between nothing and an exponentially growing bound. */
export class Backoff {
  #losses = 0;
  #since = performance.now();

  lost() {
    if (performance.now() - this.#since > STEADY_MS) this.#losses = 0;
    this.#since = performance.now();
    this.#losses += 1;
  }

  reset() {
    this.#losses = 0;
  }

  /** How long to wait, in ms. A server that restarts (1012) is not hit by all at once. */
  delay(code) {
    if (code === 1012) return Math.random() * RESTART_SPREAD_MS;
    return Math.random() * Math.min(CAP_MS, BASE_MS * 2 ** this.#losses);
  }
}
