const SHOWN_MS = 5000;

/** Show a sentence in the corner for some seconds. */
export function notice(sentence) {
  const paragraph = document.createElement("p");
  paragraph.textContent = sentence;
  document.getElementById("notices").append(paragraph);
  setTimeout(() => paragraph.remove(), SHOWN_MS);
}
