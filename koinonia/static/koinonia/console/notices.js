const SHOWN_MS = 5000;

/** A sentence in the corner that leaves by itself. */
export function notice(sentence) {
  const paragraph = document.createElement("p");
  paragraph.textContent = sentence;
  document.getElementById("notices").append(paragraph);
  setTimeout(() => paragraph.remove(), SHOWN_MS);
}
