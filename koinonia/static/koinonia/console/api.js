/** A client of one church's HTTP API with the session of this page. */

/** An answer outside 2xx: the fields of RFC 9457, and `errors` by field for invalid input. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? `The server answered ${status}.`);
    this.status = status;
    this.errors = body.errors ?? {};
  }
}

export class Api {
  constructor(church, csrf) {
    this.base = `/api/v1/churches/${church}/`;
    this.csrf = csrf;
  }

  url(path) {
    return this.base + path;
  }

  /** @returns {Promise<{body: object, headers: Headers}>} */
  async get(pathOrUrl) {
    const url = pathOrUrl.startsWith("http") || pathOrUrl.startsWith("/") ? pathOrUrl : this.url(pathOrUrl);
    return this.#answer(await fetch(url, { headers: { Accept: "application/json" } }));
  }

  /** POST a message. After a lost answer, repeat the request: the key prevents a double send. */
  async send(path, body, key) {
    const request = {
      method: "POST",
      headers: {
        Accept: "application/json",
        "Content-Type": "application/json",
        "X-CSRFToken": this.csrf,
        "Idempotency-Key": key,
      },
      body: JSON.stringify(body),
    };
    let response;
    try {
      response = await fetch(this.url(path), request);
    } catch {
      response = await fetch(this.url(path), request);
    }
    return this.#answer(response);
  }

  async #answer(response) {
    const isJson = /\bjson\b/.test(response.headers.get("Content-Type") ?? "");
    const body = isJson ? await response.json() : {};
    if (response.status === 401) location.assign("/login/");
    if (!response.ok) throw new Problem(response.status, body);
    return { body, headers: response.headers };
  }
}
