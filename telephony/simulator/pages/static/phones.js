// Keeps what carries data-refresh up to date, once a second while the page is looked at, and lets Enter send.
// Every page works without it.

const EVERY_MS = 1000;

function atFoot() {
  const page = document.documentElement;
  return page.scrollHeight - page.scrollTop - page.clientHeight < 80;
}

function toFoot() {
  window.scrollTo({ top: document.documentElement.scrollHeight });
}

async function refresh(part) {
  const answer = await fetch(part.dataset.refresh);
  if (!answer.ok) return;
  const html = await answer.text();
  if (html === part.shownHtml) return;
  const follow = "follow" in part.dataset && atFoot();
  part.shownHtml = html;
  part.innerHTML = html; // escaped on the server
  if (!follow) return;
  for (const picture of part.querySelectorAll("img")) picture.addEventListener("load", toFoot, { once: true });
  toFoot();
}

for (const part of document.querySelectorAll("[data-refresh]")) {
  part.setAttribute("aria-live", "polite");
  if ("follow" in part.dataset) window.addEventListener("load", toFoot); // when the pictures have their height
  setInterval(() => {
    if (!document.hidden) refresh(part).catch(() => {}); // the phones were stopped: ask again next second
  }, EVERY_MS);
}

for (const box of document.querySelectorAll("[data-enter-sends]")) {
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    box.form.requestSubmit();
  });
  box.focus({ preventScroll: true });
}
