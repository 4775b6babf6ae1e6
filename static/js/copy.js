// Copies what data-copy holds and says so in the button. Without clipboard access the button stays hidden.

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  const label = button.querySelector("[data-label]");
  const text = label.textContent;
  label.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    label.textContent = button.dataset.textCopied;
    setTimeout(() => (label.textContent = text), 2000);
  });
}
