"use strict";
// Lists what of this page's index has all the words typed, as they are typed: titles that begin with them first. The
// words are kept in the address. Without this script the index stands whole.
const MOST = 60;
const form = document.querySelector("form.search");
const field = form.elements.q;
const all = document.querySelector("#all");
const hits = document.querySelector("#hits");
const said = document.querySelector("output");
const whole = said.textContent;
const entries = [...all.querySelectorAll("li")].map((item) => {
  const title = item.querySelector("a").textContent.toLowerCase();
  return {item, title, parts: title.split(/[^\p{L}\p{N}]+/u), text: item.textContent.toLowerCase()};
});
function distance(entry, word) {
  if (entry.title === word) return 0;
  if (entry.parts.includes(word)) return 1;
  if (entry.parts.some((part) => part.startsWith(word))) return 2;
  return entry.title.includes(word) ? 3 : 6;
}
function show() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries
    .filter((entry) => words.every((word) => entry.text.includes(word)))
    .map((entry) => [words.reduce((sum, word) => sum + distance(entry, word), 0), entry])
    .sort((a, b) => a[0] - b[0] || a[1].title.length - b[1].title.length);
  all.hidden = words.length > 0;
  hits.hidden = !all.hidden || found.length === 0;
  hits.replaceChildren(...(all.hidden ? found.slice(0, MOST).map((one) => one[1].item.cloneNode(true)) : []));
  said.textContent = !all.hidden ? whole : found.length === 0 ? "Nothing has all of these words; fewer or shorter ones find more."
    : found.length > MOST ? `The first ${MOST} of ${found.length} found.` : `${found.length} found.`;
  history.replaceState(null, "", location.pathname + (words.length ? "?q=" + encodeURIComponent(field.value) : "") + location.hash);
}
field.value = new URLSearchParams(location.search).get("q") || "";
field.addEventListener("input", show);
form.addEventListener("submit", (event) => { event.preventDefault(); show(); });
if (!location.hash) field.focus();
show();
