/** Copies the value of a field: `<button data-copy="id of the field" data-done="Copied" hidden>`. */
for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // Without TLS or the permission, the person copies the marked text by keyboard.
      return;
    }
    button.textContent = button.dataset.done;
  });
}
