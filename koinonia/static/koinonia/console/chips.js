/** Label and tone of each status. The label alone is enough, without the colour. */
const CHIPS = {
  scheduled: ["Scheduled", "rest"],
  queued: ["Queued", "rest"],
  sending: ["Sending", "calm"],
  retrying: ["Trying again", "warn"],
  accepted: ["On its way", "calm"],
  sent: ["Sent", "calm"],
  delivered: ["Delivered ✓", "good"],
  unconfirmed: ["Not confirmed", "rest"],
  failed: ["Failed", "bad"],
  dead: ["Could not be sent", "bad"],
  unknown: ["Unclear", "warn"],
  suppressed: ["Opted out", "rest"],
  cancelled: ["Cancelled", "rest"],
  expired: ["Expired", "rest"],
  received: ["Received", "good"],
};

export function setChip(element, status) {
  const [label, tone] = CHIPS[status] ?? [status, "rest"];
  element.className = "chip";
  element.textContent = label;
  element.dataset.tone = tone;
}
