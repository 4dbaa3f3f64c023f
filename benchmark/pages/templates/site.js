"use strict";
// Tables sort by a click on their heads; the board filters by words, role and labels. The choice is kept in
// the address, so that a link shows what its sender saw. Without this script all rows stand as built.
function value(row, column) {
  const text = row.cells[column].textContent.trim();
  const number = parseFloat(text.replace(/,/g, ""));
  return text === "" ? null : Number.isNaN(number) ? text.toLowerCase() : number;
}
function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b));
}
function sort(table, column, descending) {
  const rows = [...table.tBodies[0].rows].map((row, i) => [value(row, column), i, row]);
  rows.sort((x, y) => {
    if (x[0] === null || y[0] === null) return (x[0] === null) - (y[0] === null) || x[1] - y[1];
    return (descending ? compare(y[0], x[0]) : compare(x[0], y[0])) || x[1] - y[1];
  });
  table.tBodies[0].append(...rows.map((entry) => entry[2]));
  [...table.tHead.rows[0].cells].forEach((cell, i) => {
    if (i === column) cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  });
}
const address = new URLSearchParams(location.search);
function remember(key, chosen) {
  if (chosen) address.set(key, chosen); else address.delete(key);
  const words = address.toString();
  history.replaceState(null, "", location.pathname + (words ? "?" + words : "") + location.hash);
}
document.querySelectorAll("table.sortable").forEach((table, number) => {
  [...table.tHead.rows[0].cells].forEach((cell, column) => {
    if (!cell.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...cell.childNodes);
    cell.append(button);
    button.addEventListener("click", () => {
      const descending = cell.getAttribute("aria-sort") === "ascending";
      sort(table, column, descending);
      remember("sort" + number, column + (descending ? "-" : ""));
    });
  });
  const kept = address.get("sort" + number);
  if (kept && /^\d+-?$/.test(kept) && parseInt(kept) < table.tHead.rows[0].cells.length)
    sort(table, parseInt(kept), kept.endsWith("-"));
});
const board = document.getElementById("board");
if (board) {
  const find = document.getElementById("find");
  const choices = ["role", "supervision"].map((id) => document.getElementById(id));
  const show = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of board.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      const fits = words.every((word) => text.includes(word)) &&
        choices.every((choice) => !choice.value || row.dataset[choice.id] === choice.value);
      row.hidden = !fits;
    }
    remember("find", find.value);
    for (const choice of choices) remember(choice.id, choice.value);
  };
  find.value = address.get("find") || "";
  for (const choice of choices) {
    const kept = address.get(choice.id);
    if ([...choice.options].some((option) => option.value === kept)) choice.value = kept;
    choice.addEventListener("change", show);
  }
  find.addEventListener("input", show);
  document.querySelector(".tools").hidden = false;
  show();
}
