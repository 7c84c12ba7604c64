/**
 * The position of one stream on a connection that all tabs share.
 *
 * @typedef {object} Position
 * @property {string} stream
 * @property {number | null} seq  the last event received; null until the head is known
 * @property {string | null} epoch
 * @property {string | null} poll  address of the log over HTTP
 * @property {number} head  the last event that is known to exist
 * @property {boolean} answered  this connection has delivered a frame of the stream
 * @property {boolean} headWanted  a tab waits for the head, to start there
 * @property {boolean} refused  the user may not listen to the stream
 *
 * @typedef {{stream: string, seq: number | null, epoch: string | null, poll?: string | null}} Request
 *   a tab's request to continue a stream after `seq`, or from its head if `seq` is null
 */

/**
 * Return the position from which the connection serves a new request as well.
 *
 * With two tabs on one stream, resume from the lower position; the tab that is ahead drops duplicates.
 *
 * @param {Position | undefined} known
 * @param {Request} request
 * @returns {Position}
 */
export function mergePositions(known, request) {
  const same = known && mayBeSameEpoch(known.epoch, request.epoch) ? known : null;
  const seq = lower(same?.seq ?? null, request.seq);
  // On a socket `subscribed` names the head; polls that continue from a position do not.
  const startsAtHead = request.seq === null || (known && known.seq === null);
  return {
    stream: request.stream,
    seq,
    epoch: request.epoch ?? same?.epoch ?? null,
    poll: request.poll ?? known?.poll ?? null,
    head: Math.max(same?.head ?? 0, request.seq ?? 0),
    answered: false,
    headWanted: Boolean(known?.headWanted || (seq !== null && startsAtHead)),
    refused: false,
  };
}

/** Return the frame that starts a tab at the head of the stream. */
export function headFrame({ stream, epoch, head }) {
  return { type: "subscribed", stream, epoch, seq: head };
}

/** Update a position by a frame. `frame.epoch` is set. */
export function applyFrame(position, frame) {
  if (frame.type === "unsubscribed") position.refused = true;
  if (!["subscribed", "reset", "events"].includes(frame.type)) return;
  position.refused = false;
  position.answered = true;
  if (frame.type === "events") applyEvents(position, frame);
  else {
    // A replay may follow `subscribed`, so `subscribed` sets the position only at a start at the head.
    if (frame.type === "reset" || position.seq === null) position.seq = frame.seq;
    position.head = frame.type === "reset" ? frame.seq : Math.max(position.head, frame.seq);
    position.epoch = frame.epoch;
  }
}

/** Ignore events that were sent before a tab went back in the stream, or before another epoch. */
function applyEvents(position, { epoch, from, to }) {
  if (position.seq === null || from > position.seq + 1) return;
  if (!mayBeSameEpoch(epoch ?? null, position.epoch)) return;
  position.epoch ??= epoch ?? null;
  position.seq = Math.max(position.seq, to);
  position.head = Math.max(position.head, to);
}

function mayBeSameEpoch(one, other) {
  return one === null || other === null || one === other;
}

function lower(one, other) {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}
