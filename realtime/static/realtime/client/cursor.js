/** How far one stream was applied. The only memory that resuming needs. */
export class Cursor {
  constructor(name, { epoch = null, since = null, poll = null } = {}) {
    this.name = name;
    this.epoch = epoch;
    this.applied = since;
    this.poll = poll;
  }

  jump(epoch, seq) {
    this.epoch = epoch;
    this.applied = seq;
  }

  /** The events of a frame that are new; null where the frame does not follow on what was applied. */
  take(frame) {
    if (frame.epoch && this.epoch && frame.epoch !== this.epoch) return null;
    if (frame.epoch) this.epoch = frame.epoch;
    if (this.applied === null) this.applied = frame.from - 1;
    if (frame.from > this.applied + 1) return null;
    const applied = this.applied;
    this.applied = Math.max(applied, frame.to);
    return frame.events.filter((event) => event.seq > applied);
  }
}
