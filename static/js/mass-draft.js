// Choosing recipients: the count follows the ticks, and the list follows search, filter, sorting, paging and "Select
// all". Each of these sends the whole form, as its buttons do without a script; only the list is drawn anew.

const form = document.querySelector("[data-mass-form]");
const find = (selector) => form.querySelector(selector);
let serial = 0;
let timer;

function say(chosen) {
  const output = find("[data-chosen]");
  output.dataset.chosen = chosen;
  output.textContent = output.dataset.words.replace("{n}", chosen);
}

function ticked(box) {
  say(Number(find("[data-chosen]").dataset.chosen) + (box.checked ? 1 : -1));
  if (box.checked || !find("[data-select-all]").checked) return;
  // Not everyone any more: that is no wish to clear the others.
  find("[data-select-all]").checked = false;
  find("[data-all-was]").value = "0";
}

function take(page, address) {
  const fresh = page.querySelector("[data-mass-choice]");
  const focused = document.activeElement?.id;
  const typed = focused === "search" ? [document.activeElement.value, document.activeElement.selectionStart] : null;
  find("[data-mass-choice]").replaceWith(fresh);
  const again = focused && document.getElementById(focused);
  if (again && typed) {
    [again.value] = typed;
    again.setSelectionRange(typed[1], typed[1]);
  }
  again?.focus({ preventScroll: true });
  again?.scrollIntoView({ block: "nearest" });
  form.action = page.querySelector("[data-mass-form]").getAttribute("action");
  find("[name=submission_key]")?.remove();
  history.replaceState(null, "", address);
}

async function list(button) {
  const mine = ++serial;
  clearTimeout(timer);
  const fields = new URLSearchParams(new FormData(form, button));
  const rows = find("[data-mass-list]");
  if (rows) rows.inert = true;
  try {
    const response = await fetch(form.action, { method: "POST", body: fields });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (mine !== serial) return;
    if (page.querySelector("[data-mass-choice]")) take(page, response.url.split("#")[0]);
    else button.form.requestSubmit(button);
  } catch {
    document.dispatchEvent(new CustomEvent("connection", { detail: "offline" }));
  } finally {
    if (rows) rows.inert = false;
  }
}

form.addEventListener("change", (event) => {
  if (event.target.matches("[data-tick]")) ticked(event.target);
  else if (event.target.matches("[data-select-all], select[data-filter]")) list(find("[data-list]"));
});
form.addEventListener("input", (event) => {
  if (event.target.id !== "search") return;
  clearTimeout(timer);
  timer = setTimeout(() => list(find("[data-list]")), 250);
});
form.addEventListener("submit", (event) => {
  if (!event.submitter?.matches("[data-list], [data-list-page], [data-keep]")) return;
  event.preventDefault();
  const isPage = event.submitter.matches("[data-list-page]");
  list(event.submitter).then(() => isPage && document.getElementById("recipients").scrollIntoView());
});
