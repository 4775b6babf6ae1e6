// What the list shows is said by its address alone. The choices above it follow it (a heading or a chip changes it,
// too), and the tab remembers it: for the list beside a conversation, and for the way back from there.

const KEPT = "caseload";
const list = document.querySelector("[data-caseload]");
const form = document.querySelector("[data-caseload-form]");

function asked() {
  const now = document.querySelector("[data-caseload]").dataset.refreshFrom;
  return new URL(now, location.href).searchParams;
}

function remember() {
  // Former clients have no place beside a conversation.
  const query = asked();
  sessionStorage.setItem(KEPT, query.size && query.get("show") !== "former" ? `?${query}` : "");
}

function follow() {
  const query = asked();
  for (const field of form?.elements ?? []) {
    if (field.name && field !== document.activeElement) field.value = query.get(field.name) ?? "";
  }
}

if (list && "open" in list.dataset) {
  const kept = sessionStorage.getItem(KEPT) ?? "";
  list.dataset.refreshFrom += kept;
  for (const link of document.querySelectorAll("[data-caseload-back]")) link.href += kept;
} else if (list) {
  remember();
  document.addEventListener("htmx:afterSettle", () => {
    remember();
    follow();
  });
}
