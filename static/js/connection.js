// Says when the server can't be reached, or no longer knows who is asking. Whoever fetches tells it so by an event:
// document.dispatchEvent(new CustomEvent("connection", { detail: "ok" | "offline" | "signed-out" })).

const notice = document.querySelector("[data-connection-notice]");

function show(state) {
  const text = { offline: notice.dataset.textOffline, "signed-out": notice.dataset.textSignedOut }[state] ?? "";
  if (notice.textContent === text) return;
  // Shown first and filled after: a live region that appears with its words in it is not read out.
  notice.hidden = !text;
  notice.textContent = text;
}

if (notice) {
  document.addEventListener("connection", (event) => show(event.detail));
  window.addEventListener("offline", () => show("offline"));
  window.addEventListener("online", () => show("ok"));
  if (!navigator.onLine) show("offline");
}
