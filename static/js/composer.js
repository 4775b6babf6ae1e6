// The box one writes in: grows, sends by Ctrl+Enter, keeps a draft for this tab, and is emptied only when the server
// took the message. Each form carries its own submission_key, so sending the same form again never sends twice.

const region = document.querySelector("[data-composer-region]");
const draftKey = `draft:${location.pathname}`;
const box = () => region.querySelector("[data-composer-text]");
let sending = false;

function grow() {
  if (CSS.supports("field-sizing", "content") || !box()) return;
  box().style.height = "auto";
  box().style.height = `${box().scrollHeight + 2}px`;
}

function changed() {
  grow();
  box().dispatchEvent(new Event("box-changed", { bubbles: true }));
}

function keepDraft() {
  if (box().value) sessionStorage.setItem(draftKey, box().value);
  else sessionStorage.removeItem(draftKey);
}

function restoreDraft() {
  const draft = sessionStorage.getItem(draftKey);
  if (!box() || !draft || box().value) return;
  box().value = draft;
  changed();
}

function say(problem) {
  const line = region.querySelector("[data-composer-problem]");
  line.textContent = problem;
  line.hidden = !problem;
}

function setSending(on) {
  sending = on;
  if (!box()) return;
  box().readOnly = on;
  for (const button of region.querySelectorAll("[data-composer-send]")) button.setAttribute("aria-disabled", String(on));
}

function take(page) {
  const fresh = page.querySelector("[data-composer-region]");
  const hadFocus = region.contains(document.activeElement);
  region.replaceChildren(...fresh.childNodes);
  const isOpen = region.querySelector("[data-form-errors], [data-send-later], [data-composer-question]");
  const accepted = !isOpen && !box()?.value;
  if (accepted) sessionStorage.removeItem(draftKey);
  // A draft for the next message may have been begun in this tab while the last one was on its way.
  if (box()) changed();
  // Safari gives a pressed button no focus; the question must be heard all the same.
  const asks = region.querySelector("[data-composer-question]");
  if (hadFocus || asks) (asks ?? region.querySelector("[autofocus]") ?? box())?.focus();
  document.querySelector(".messages").replaceChildren(...page.querySelector(".messages").childNodes);
  document.dispatchEvent(new CustomEvent("talk-arrived", { detail: { page, own: accepted } }));
}

// The button says whether it goes now or later; who presses none (Ctrl+Enter) means the form's own.
async function send(form, button) {
  const data = new FormData(form);
  if (button?.name) data.append(button.name, button.value);
  setSending(true);
  say("");
  try {
    const response = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (page.querySelector("[data-composer-region]")) take(page);
    else if (page.querySelector("[data-sent-back]")) form.submit(); // nothing was sent: the page says why, and keeps it
    else if (response.redirected) document.dispatchEvent(new CustomEvent("connection", { detail: "signed-out" }));
    else say(region.querySelector("[data-composer-problem]").dataset.textNotSent);
  } catch {
    say(region.querySelector("[data-composer-problem]").dataset.textNotSent);
  } finally {
    setSending(false);
  }
}

if (region) {
  region.addEventListener("input", () => {
    grow();
    keepDraft();
  });
  region.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    event.target.form?.requestSubmit();
  });
  region.addEventListener("submit", (event) => {
    // A browser that can't tell the button sends the form itself: what was meant for later must not go now.
    // And a form that leads to another page, or draws this one anew, sends no text.
    if (!("submitter" in event) || "opensPage" in event.target.dataset) return;
    event.preventDefault();
    if (!sending) send(event.target, event.submitter);
  });
  restoreDraft();
  grow();
}
