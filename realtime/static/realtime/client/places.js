/**
 * A place: how far a stream was received over a connection, whichever tab it is for. `seq` is what was
 * received, `head` the last that is known to exist; `told`: by this connection; `headWanted`: a tab
 * begins there as soon as it is; `refused`: there is no right to it.
 */

/** Of two tabs in one log the one that has less decides: the other drops what it has. */
export function joined(known, wish) {
  const of = known && mayBeOne(known.epoch, wish.epoch) ? known : null;
  const seq = least(of?.seq ?? null, wish.seq);
  // On a socket `subscribed` tells the head; polls that go on from a position do not.
  const beginsAtHead = wish.seq === null || (known && known.seq === null);
  return {
    stream: wish.stream,
    seq,
    epoch: wish.epoch ?? of?.epoch ?? null,
    poll: wish.poll ?? known?.poll ?? null,
    head: Math.max(of?.head ?? 0, wish.seq ?? 0),
    told: false,
    headWanted: Boolean(known?.headWanted || (seq !== null && beginsAtHead)),
    refused: false,
  };
}

/** As a frame: where who wants no more than what comes begins. */
export function headOf({ stream, epoch, head }) {
  return { type: "subscribed", stream, epoch, seq: head };
}

function mayBeOne(epoch, other) {
  return epoch === null || other === null || epoch === other;
}

function least(one, other) {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

/** What a frame says of the place; `frame.epoch` is set. */
export function note(known, frame) {
  if (frame.type === "unsubscribed") known.refused = true;
  if (!["subscribed", "reset", "events"].includes(frame.type)) return;
  known.refused = false;
  known.told = true;
  if (frame.type === "events") noteEvents(known, frame);
  else {
    // Replay may still be on its way after `subscribed`: only a start at the head sets the place.
    if (frame.type === "reset" || known.seq === null) known.seq = frame.seq;
    known.head = frame.type === "reset" ? frame.seq : Math.max(known.head, frame.seq);
    known.epoch = frame.epoch;
  }
}

/** What was on its way when somebody went back in the stream, or to another log, says nothing of it. */
function noteEvents(known, { epoch, from, to }) {
  if (known.seq === null || from > known.seq + 1 || !mayBeOne(epoch ?? null, known.epoch)) return;
  known.epoch ??= epoch ?? null;
  known.seq = Math.max(known.seq, to);
  known.head = Math.max(known.head, to);
}
