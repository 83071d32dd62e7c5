// Ticked rows: how many, all of them at once, and that a list which is refreshed keeps its ticks.
const boxes = () => [...document.querySelectorAll('table.selects input[name="task"]')];
const chosen = new Set();
const head = () => document.querySelector("[data-all]");

export function startSelecting() {
  if (head()?.checked) for (const box of boxes()) box.checked = true;
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target.matches("[data-all]")) for (const box of boxes()) box.checked = target.checked;
    if (target.closest("table.selects, .bulk")) show();
  });
  document.querySelector("[data-unselect]")?.addEventListener("click", clear);
  document.addEventListener("lian:unselect", clear);
  // Rows that were replaced under somebody's hands are ticked again.
  document.addEventListener("lian:swapped", () => {
    for (const box of boxes()) box.checked = chosen.has(box.value);
    show();
  });
  show();
}

function clear() {
  for (const box of boxes()) box.checked = false;
  const every = document.querySelector("[data-every]");
  if (every) every.checked = false;
  show();
}

function show() {
  const all = boxes(), ticked = all.filter((box) => box.checked);
  chosen.clear();
  for (const box of ticked) chosen.add(box.value);
  const bar = document.getElementById("bulk");
  if (!bar) return;
  head().checked = ticked.length > 0 && ticked.length === all.length;
  head().indeterminate = ticked.length > 0 && ticked.length < all.length;
  const every = bar.querySelector("[data-every]").checked;
  bar.classList.toggle("on", ticked.length > 0 || every);
  bar.classList.toggle("every", every);
  bar.querySelector("[data-selected]").textContent = ticked.length;
  bar.querySelector("[data-unselect]").hidden = false;
}
