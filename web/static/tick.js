// Chips tick by the server's clock. Words and icon change for eyes; the sentence for ears stays as it was sent.
const ICONS = { ok: "clock", warn: "alert", bad: "late" };

function span(seconds, words) {
  const minutes = Math.floor(Math.abs(seconds) / 60);
  const d = Math.floor(minutes / 1440), h = Math.floor((minutes % 1440) / 60), m = minutes % 60;
  const form = d ? words.d : h ? words.h : words.m;
  return form.replace("{d}", d).replace("{h}", h).replace("{m}", m);
}

export function startTicking() {
  const words = document.body.dataset;
  const ahead = Number(words.now) - Date.now() / 1000;
  const tick = () => {
    const now = Date.now() / 1000 + ahead;
    for (const chip of document.querySelectorAll("[data-due]")) {
      const left = Number(chip.dataset.due) - now;
      const state = left < 0 ? "bad" : chip.dataset.warn && now >= Number(chip.dataset.warn) ? "warn" : "ok";
      const text = (left < 0 ? words.overdue : words.left).replace("{span}", span(left, words));
      const shown = chip.querySelector(".chip-words");
      if (shown.textContent === text) continue;
      shown.textContent = text;
      chip.classList.remove("chip-ok", "chip-warn", "chip-bad");
      chip.classList.add(`chip-${state}`);
      chip.querySelector("use").setAttribute("href", `#i-${ICONS[state]}`);
    }
  };
  setInterval(tick, 15000);
}
