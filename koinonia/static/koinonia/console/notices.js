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

removeGoodNews();
document.body.addEventListener("htmx:afterSettle", removeGoodNews);
