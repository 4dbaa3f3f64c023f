"use strict";
// Tables sort by a click on their heads; a page's filters hide rows of its tables of class "filtered". The choice
// is kept in the address, so that a link shows what its sender saw. Without this script all rows stand as built.
function value(row, column) {
  const text = (row.cells[column].dataset.sort ?? row.cells[column].textContent).trim();
  const number = parseFloat(text.replace(/,/g, "").replace(/−/g, "-"));
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
for (const frame of document.querySelectorAll(".wide")) {
  const tell = () => {
    const left = frame.scrollWidth - frame.clientWidth - frame.scrollLeft;
    frame.classList.toggle("wider", frame.scrollWidth > frame.clientWidth + 1);
    frame.classList.toggle("more", left > 1);
  };
  frame.addEventListener("scroll", tell, {passive: true});
  new ResizeObserver(tell).observe(frame);
}
const tools = document.querySelector(".tools");
if (tools) {
  const find = tools.elements.find;
  const choices = [...tools.querySelectorAll("select")];
  const rows = [...document.querySelectorAll("table.filtered > tbody > tr")];
  const show = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !(words.every((word) => text.includes(word)) && choices.every((choice) =>
        !choice.value || (row.dataset[choice.name] || "").split("|").includes(choice.value)));
    }
    const chosen = words.length > 0 || choices.some((choice) => choice.value);
    for (const fold of document.querySelectorAll("details:has(table.filtered), section.group")) {
      const empty = !fold.querySelector("table.filtered > tbody > tr:not([hidden])");
      fold.hidden = chosen && empty;
      // what is folded away is shown where a filter finds something in it
      if (fold.tagName === "DETAILS" && chosen && !empty) fold.open = true;
    }
    const shown = rows.filter((row) => !row.hidden).length;
    tools.querySelector("output").textContent = shown === rows.length ? "" : `${shown} of ${rows.length} rows`;
    remember("find", find.value);
    for (const choice of choices) remember(choice.name, choice.value);
  };
  find.value = address.get("find") || "";
  for (const choice of choices) {
    const kept = address.get(choice.name);
    if ([...choice.options].some((option) => option.value === kept)) choice.value = kept;
    choice.addEventListener("change", show);
  }
  find.addEventListener("input", show);
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.hidden = false;
  show();
}
