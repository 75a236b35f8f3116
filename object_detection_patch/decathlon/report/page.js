"use strict";
// A click on a heading sorts its table. Without scripts the tables are whole.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];

  const sort = (column, direction) => {
    const order = new Intl.Collator("en", { numeric: true });
    const number = (cell) => Number(cell.dataset.value);
    const isNumber = (cell) => "value" in cell.dataset;
    const isGap = (cell) => "gap" in cell.dataset;
    const rows = [...body.rows].sort((one, other) => {
      const [a, b] = [one.cells[column], other.cells[column]];
      // Gaps stay last and words behind numbers, whatever the direction.
      if (isGap(a) !== isGap(b)) return isGap(a) ? 1 : -1;
      if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1;
      const found = isNumber(a)
        ? number(a) - number(b)
        : order.compare(a.textContent, b.textContent);
      return direction * found;
    });
    body.append(...rows);
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      sort(column, falling ? -1 : 1);
    });
  });
}

// What is folded on the screen is printed.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) {
    details.open = true;
  }
});
