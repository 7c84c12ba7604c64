/** The browsable API: sends its forms, and shows the headers that a program would get. */

/** Headers that tell a program something; the others belong to the page or the connection. */
const TOLD = /^(allow|cache-control|content-type|etag|expires|idempotent-replayed|location|ratelimit|ratelimit-policy|retry-after|stream-position|vary|www-authenticate|x-ratelimit-.*|cancelled-.*)$/;

function showHeaders(place, headers) {
  const list = place.querySelector("dl");
  const rows = [...headers].filter(([name]) => TOLD.test(name));
  list.replaceChildren(
    ...rows.flatMap(([name, value]) => {
      const term = document.createElement("dt");
      const text = document.createElement("dd");
      term.textContent = name;
      text.textContent = value;
      return [term, text];
    }),
  );
}

async function send(form) {
  const method = form.dataset.method;
  const file = form.querySelector("[type=file]");
  const area = form.querySelector("textarea");
  const headers = { Accept: "text/html", "X-CSRFToken": document.body.dataset.csrf };
  let body;
  if (file) body = new FormData(form);
  else if (area) {
    body = area.value;
    headers["Content-Type"] = "application/json";
  }
  const answer = await fetch(form.action, { method, headers, body });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const shown = page.querySelector("#answer");
  if (!shown) return;
  showHeaders(shown, answer.headers);
  document.querySelector("#answer").replaceWith(shown);
  shown.focus();
  shown.scrollIntoView();
}

for (const form of document.querySelectorAll("form[data-method]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector(".send");
    button.disabled = true;
    try {
      await send(form);
    } finally {
      button.disabled = false;
    }
  });
}

// The page has other headers than the JSON: read it once as a program does.
const place = document.querySelector("[data-headers]");
if (place) {
  const answer = await fetch(place.dataset.headers, { headers: { Accept: "application/json" } });
  showHeaders(place, answer.headers);
}
