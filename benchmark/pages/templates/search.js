"use strict";
// Lists what of this page's index has all the words typed, as they are typed: titles that begin with them first, boards
// before other things, details last; where nothing has all words, what has some. The words are kept in the address.
// Without this script the index stands whole; with it, it is out of sight from the first while words are asked for.
const MOST = 60;
const DETAIL = 3;
const root = document.documentElement;
const asked = new URLSearchParams(location.search).get("q") || "";
root.classList.toggle("asked", asked.trim() !== "");
// one spelling of "inter-ocular" and "interocular", of "data set" and "dataset"
function folded(text) {
  return text.toLowerCase().replace(/(?<=[\p{L}\p{N}])[-\u2010\u2011](?=[\p{L}\p{N}])/gu, "")
    .replace(/\s+/g, " ").replace(/\bdata set/g, "dataset").trim();
}
function parted(text) { return text.split(/[^\p{L}\p{N}]+/u); }
function read(item) {
  const name = item.querySelector("a").textContent;
  const title = folded(name);
  return {item, title, parts: [...parted(title), ...parted(name.toLowerCase())], text: folded(item.textContent),
    rank: Number(item.dataset.rank)};
}
function distance(entry, word) {
  if (entry.title === word) return 0;
  if (entry.parts.includes(word)) return 1;
  if (entry.parts.some((part) => part.startsWith(word))) return 2;
  return entry.title.includes(word) ? 3 : 6;
}
// what hits are ordered by, the first that differs
function order(entry, query, words) {
  const begins = entry.title.startsWith(query) && !/^[\p{L}\p{N}_]/u.test(entry.title.slice(query.length));
  const lacking = words.filter((word) => !entry.text.includes(word)).length;
  return [lacking, entry.rank === DETAIL ? 1 : 0, begins ? 0 : 1,
    begins ? 0 : words.reduce((sum, word) => sum + distance(entry, word), 0), entry.rank, entry.title.length];
}
function compare(a, b) {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at] - b[at];
}
function told(count, some) {
  if (count === 0) return "Nothing has any of these words; fewer letters find more.";
  const number = count > MOST ? `The first ${MOST} of ${count}` : `${count}`;
  return some ? `Nothing has all of these words. ${number} with some of them:` : `${number} found.`;
}
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form.search");
  const field = form.elements.q;
  const hits = document.querySelector("#hits");
  const said = document.querySelector("output");
  const whole = said.textContent;
  const entries = [...document.querySelectorAll("#all li")].map(read);
  function show() {
    const query = folded(field.value);
    const words = query.split(" ").filter(Boolean);
    const ordered = words.length === 0 ? [] : entries
      .filter((entry) => words.some((word) => entry.text.includes(word)))
      .map((entry) => [order(entry, query, words), entry])
      .sort((a, b) => compare(a[0], b[0]));
    const every = ordered.filter((one) => one[0][0] === 0);
    const found = every.length ? every : ordered;
    root.classList.toggle("asked", words.length > 0);
    hits.hidden = found.length === 0;
    hits.replaceChildren(...found.slice(0, MOST).map((one) => one[1].item.cloneNode(true)));
    said.textContent = words.length === 0 ? whole : told(found.length, every.length === 0);
    history.replaceState(null, "", location.pathname + (words.length ? "?q=" + encodeURIComponent(field.value) : "") + location.hash);
  }
  field.value = asked;
  field.addEventListener("input", show);
  form.addEventListener("submit", (event) => { event.preventDefault(); show(); });
  if (!location.hash) field.focus();
  show();
});
