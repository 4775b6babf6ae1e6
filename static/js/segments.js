// Counts characters and says how many texts the carrier makes of them (messaging/segments.py counts the same way):
// GSM-7 holds 160 in one text and 153 in each of several, other alphabets 70 and 67 UTF-16 units.

const BASIC =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿" +
  "abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED = "\f^{}\\[~]|€";
const LIMIT = 1600;

function segments(text) {
  const characters = [...text];
  const isGsm = characters.every((character) => BASIC.includes(character) || EXTENDED.includes(character));
  const sizes = characters.map((character) => (isGsm ? 1 + EXTENDED.includes(character) : character.length));
  const [whole, part] = isGsm ? [160, 153] : [70, 67];
  if (sizes.reduce((sum, size) => sum + size, 0) <= whole) return text ? 1 : 0;
  let count = 1;
  let used = 0;
  for (const size of sizes) {
    // A character of two units is never cut in half.
    if (used + size > part) {
      count += 1;
      used = 0;
    }
    used += size;
  }
  return count;
}

const plural = (output, key, n) =>
  (n === 1 ? output.dataset[`${key}-1`] : output.dataset[`${key}N`]).replace("{n}", n.toLocaleString(document.documentElement.lang));

function update(box) {
  const output = document.getElementById(box.dataset.segments);
  const length = [...box.value].length;
  // The carrier's limit is in UTF-16 units, of which an emoji takes two or more.
  const excess = box.value.length - LIMIT;
  const text =
    excess > 0
      ? output.dataset.tooLong.replace("{n}", excess.toLocaleString(document.documentElement.lang))
      : !length
        ? output.dataset.empty
        : `${plural(output, "characters", length)} · ${plural(output, "texts", segments(box.value))}`;
  if (output.textContent !== text) output.textContent = text;
  output.classList.toggle("too-long", excess > 0);
  // The form asks this before it sends, and names the reason by the browser's own means.
  box.setCustomValidity(excess > 0 ? text : "");
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-segments]")) update(event.target);
});
// Sent by whoever changes a box without typing.
document.addEventListener("box-changed", (event) => {
  if (event.target.matches("[data-segments]")) update(event.target);
});
document.querySelectorAll("[data-segments]").forEach(update);
