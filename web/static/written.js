// What somebody is writing, as opposed to what the page came with.
// Ticks that select rows are no writing: they stay whatever is shown around them.
export const WRITTEN = "textarea, select, input:not([type=hidden], [type=submit], [type=button], [name=task], [data-all], [data-every])";
const isChoice = (field) => field.type === "checkbox" || field.type === "radio";

// On a page that answers a form, what was typed came back with it.
const cameBack = () => Boolean(document.getElementById("live").dataset.from);

export function isEdited(region) {
  const active = document.activeElement;
  if (cameBack() && region.querySelector(WRITTEN)) return true;
  if (region.contains(active) && active.matches(WRITTEN) && !isChoice(active)) return true;
  return [...region.querySelectorAll(WRITTEN)].some((field) => !field.matches(":disabled") && isTouched(field));
}

function isTouched(field) {
  if (isChoice(field)) return field.checked !== field.defaultChecked;
  if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
  const first = [...field.options].findIndex((option) => option.defaultSelected);
  return !field.multiple && field.selectedIndex !== Math.max(0, first);
}
