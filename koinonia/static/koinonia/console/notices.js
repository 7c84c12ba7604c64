const SHOWN_MS = 8000;

/** Show a sentence in the corner for some seconds, as a link if it leads somewhere. */
export function notice(sentence, path = "") {
  const paragraph = document.createElement("p");
  paragraph.className = "notice";
  const place = path ? document.createElement("a") : paragraph;
  if (path) {
    place.href = path;
    paragraph.append(place);
  }
  place.textContent = sentence;
  document.getElementById("notices").append(paragraph);
  makeWay();
  removeLater(paragraph);
}

function removeLater(paragraph) {
  paragraph.dataset.passing = "yes";
  setTimeout(() => paragraph.remove(), SHOWN_MS);
}

/** The server's good news pass too, so that they cover nothing for long; a problem stays until the next page. */
function removeGoodNews() {
  for (const paragraph of document.querySelectorAll("#notices [data-tone=success]:not([data-passing])")) removeLater(paragraph);
}

/** Move the notices to the other end of the window if they cover what has the focus: at 400 % they fill half of it. */
function makeWay() {
  const notices = document.getElementById("notices");
  const focused = document.activeElement;
  if (!notices.childElementCount || focused === document.body || notices.contains(focused)) return;
  const over = notices.getBoundingClientRect();
  const under = focused.getBoundingClientRect();
  const isCovered = under.top < over.bottom && under.bottom > over.top && under.left < over.right && under.right > over.left;
  if (isCovered) notices.toggleAttribute("data-above");
}

document.addEventListener("focusin", () => requestAnimationFrame(makeWay));
removeGoodNews();
document.body.addEventListener("htmx:afterSettle", removeGoodNews);
