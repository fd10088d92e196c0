"use strict";
// Draws the charts that stand in the page as data, and enlarges a picture that is clicked.
const charts = JSON.parse(document.getElementById("charts").textContent);
const quiet = { displayModeBar: false, responsive: true };

// A4 without its margins, in CSS pixels: paper is narrower than the window that the charts were drawn in.
const PAPER_PX = 680;

const drawn = Object.entries(charts).map(([name, figure]) =>
  Plotly.newPlot(document.getElementById(name), figure.data, figure.layout, quiet));

function width(px) {
  for (const name of Object.keys(charts)) {
    Plotly.relayout(document.getElementById(name), px === null ? { autosize: true, width: null } : { width: px });
  }
}
addEventListener("beforeprint", () => width(PAPER_PX));
addEventListener("afterprint", () => width(null));

for (const frame of document.querySelectorAll(".card .frame")) {
  frame.addEventListener("click", () => frame.closest(".card").classList.toggle("large"));
}
Promise.all(drawn).then(() => { document.documentElement.dataset.drawn = "yes"; });
