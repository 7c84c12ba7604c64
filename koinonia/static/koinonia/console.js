/** The console: loads a snapshot from the API, then applies the church's events to it. */
import { Api } from "./console/api.js";
import { BroadcastList } from "./console/broadcasts.js";
import { Compose } from "./console/compose.js";
import { MessageList } from "./console/messages.js";
import { notice } from "./console/notices.js";

const root = document.getElementById("console");
const api = new Api(root.dataset.church, root.dataset.csrf);
const messages = new MessageList(api);
const broadcasts = new BroadcastList(api);
const stream = `church:${root.dataset.church}`;

const reducers = {
  "message.created": (data, seq) => messages.insert(data, seq),
  "message.received": (data, seq) => messages.insert(data, seq),
  "message.status": (data, seq) => messages.updateStatus(data, seq),
  "broadcast.created": (data) => {
    broadcasts.insert(data);
    messages.refreshSoon();
  },
  "broadcast.progress": (data) => broadcasts.progress(data),
};

function apply(events) {
  for (const event of events) {
    reducers[event.type]?.(event.data, event.seq);
  }
}

/** Tell the user the final status of each single message; broadcasts have a progress bar instead. */
function confirm(events) {
  for (const { type, data } of events) {
    if (type === "message.confirmed" && !data.broadcast) {
      const name = messages.nameOf(data.message);
      if (data.status === "delivered") notice(`Delivered to ${name}.`);
      else notice(`The text to ${name} did not arrive: ${data.error?.title ?? data.status}.`);
    }
  }
}

const STATES = {
  live: "Live",
  connecting: "Connecting…",
  polling: "Live (polling)",
  offline: "Offline: this page can be out of date",
};

function showLink(state) {
  const pill = document.getElementById("link");
  pill.dataset.state = state;
  pill.textContent = STATES[state] ?? state;
}

async function load() {
  // The server reads the position before the data: changes in between arrive as events too.
  const position = await messages.load();
  await broadcasts.load();
  return position;
}

/** A position that does not exist: the server answers with a reset, which reloads until it succeeds. */
const NO_POSITION = { epoch: "none", since: 0 };

async function start() {
  const position = await load().catch(() => NO_POSITION);
  const { connect } = await import(root.dataset.realtime);
  connect({
    url: "/ws/v1/",
    user: root.dataset.user,
    streams: {
      [stream]: { ...position, poll: api.url("events/"), onReset: load },
      "user:me": { poll: "/api/v1/me/events/" },
    },
    onEvents: (name, events) => (name === stream ? apply(events) : confirm(events)),
    onState: showLink,
  });
}

document.getElementById("church-switch")?.addEventListener("change", (event) => {
  event.currentTarget.submit();
});
const form = document.getElementById("compose");
if (form) new Compose(form, api);
start();
