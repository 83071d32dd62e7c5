// A form is sent once; what is wrong is brought into view.
export function startForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    const button = event.submitter ?? form.querySelector("button");
    button?.setAttribute("aria-disabled", "true");
  });
  // Back from another page: the form may be sent again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.querySelector("[aria-disabled]")?.removeAttribute("aria-disabled");
    }
  });
  document.querySelector("[data-focus]")?.focus();
}

// A text may be read from a file; it is sent with the form like any other.
export function startFiles() {
  for (const input of document.querySelectorAll("[data-into]")) {
    input.addEventListener("change", async () => {
      const file = input.files[0];
      if (file) document.getElementById(input.dataset.into).value = await file.text();
      input.value = "";
    });
  }
}

// In a decision, denying sets the amount to nothing and accepting brings the proposal back.
export function startAnswers() {
  for (const row of document.querySelectorAll("[data-answer]")) {
    const amount = row.querySelector('[data-part="payable_amount"]');
    if (!amount) continue;
    for (const choice of row.querySelectorAll('[data-part="result"]')) {
      choice.addEventListener("change", () => {
        if (choice.value === "deny") amount.value = "0";
        else if (Number(amount.value) === 0) amount.value = amount.dataset.proposal;
      });
    }
  }
}
