// What takes several requests goes on by itself; without a script its button does.

const form = document.querySelector("[data-go-on]");
const stop = form?.querySelector("a");
const timer = form && setTimeout(() => form.requestSubmit(), 400);
stop?.addEventListener("focus", () => clearTimeout(timer));
