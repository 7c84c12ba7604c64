/**
 * Leads a person to the first field that was refused, and takes the error from each field that changes:
 * the next send judges it again. A page has this module only if its form was refused.
 */
function clearError({ target }) {
  const field = target.closest?.(".field.wrong");
  if (!field) return;
  field.classList.remove("wrong");
  for (const input of field.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  for (const problem of field.querySelectorAll(".problem")) problem.remove();
  const form = field.closest("form");
  if (!form?.querySelector(".field.wrong")) form?.querySelector(".problem.above")?.remove();
}

document.body.addEventListener("input", clearError);
document.body.addEventListener("change", clearError);
if (document.activeElement === document.body) document.querySelector("[aria-invalid=true]")?.focus();
