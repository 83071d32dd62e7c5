// The chosen file is named, one that is too large is refused before it is sent, and progress is shown.
export function startUploads() {
  for (const form of document.querySelectorAll("form.upload[data-limit]")) {
    const input = form.querySelector("input[type=file]");
    const words = form.querySelector(".file-words");
    const wrong = form.querySelector(".wrong");
    input.addEventListener("change", () => {
      const file = input.files[0];
      const tooLarge = Boolean(file) && file.size > Number(form.dataset.limit);
      wrong.hidden = !tooLarge;
      wrong.textContent = tooLarge ? form.dataset.tooLarge : "";
      if (tooLarge) input.value = "";
      else if (file) words.textContent = file.name;
      input.closest("label").classList.toggle("chosen", Boolean(file) && !tooLarge);
    });
    form.addEventListener("submit", (event) => send(event, form));
  }
}

function send(event, form) {
  event.preventDefault();
  if (form.dataset.sent) return;
  form.dataset.sent = "1";
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", document.body.dataset.sending);
  form.append(bar);
  form.querySelector("button").setAttribute("aria-disabled", "true");
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", (step) => {
    if (step.lengthComputable) bar.value = step.loaded / step.total;
  });
  // The answer is a page: shown as it is, under the address it belongs to.
  request.addEventListener("load", () => {
    if (request.status === 200) {
      location.assign(request.responseURL);
      return;
    }
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    startUploads();
    document.querySelector("[data-focus]")?.focus();
  });
  request.addEventListener("error", () => {
    delete form.dataset.sent;
    bar.remove();
    form.querySelector("button").removeAttribute("aria-disabled");
    HTMLFormElement.prototype.submit.call(form);
  });
  request.open("POST", form.action);
  request.send(new FormData(form));
}
