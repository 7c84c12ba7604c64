/** Shows the password while the button is pressed down, for people who type it on a phone. */
const button = document.getElementById("show-password");
const field = document.getElementById(button.getAttribute("aria-controls"));

button.hidden = false;
button.addEventListener("click", () => {
  const shown = field.type === "password";
  field.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
  field.focus();
});
// Browsers remember what is typed into a text field.
field.form.addEventListener("submit", () => {
  field.type = "password";
});
