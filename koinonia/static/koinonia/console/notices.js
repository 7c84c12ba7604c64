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
  setTimeout(() => paragraph.remove(), SHOWN_MS);
}
