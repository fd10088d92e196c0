"use strict";
/* The panel in which a name is given: known ones are offered, any other is free. */

megafish.naming = (() => {
  const {byId, cleaned, element, nameElement} = megafish;
  const index = megafish.index;
  const MOST_OFFERED = 60;
  const panel = byId("naming"), input = byId("name"), list = byId("known"), meant = byId("meant");
  let given = null, offered = [], chosen = -1;

  /** A text in which capitals and accents make no difference. */
  const folded = text => (text ?? "").normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  /** Every name that may be offered: listed ones, those of earlier rounds, and those given on these sheets. */
  function known() {
    const names = new Map(index.names.map(([name, scientific, aphia, n, isListed]) =>
      [name, {name, scientific, aphia, n, isListed}]));
    for (const record of megafish.store.records()) {
      const said = [record.name, ...Object.values(record.marks).map(mark => mark.n)].filter(Boolean);
      for (const [name, scientific, aphia, isListed] of said) {
        const entry = names.get(name) ?? {name, scientific, aphia, n: 0, isListed};
        names.set(name, {...entry, n: entry.n + 1});
      }
    }
    return [...names.values()].sort((a, b) => b.n - a.n);
  }

  const entryOf = text => known().find(entry =>
    folded(entry.name) === folded(text) || folded(entry.scientific) === folded(text));

  /** A name as a label keeps it: [name, scientific name, AphiaID, whether it is listed or was given before]. */
  function asLabel(text) {
    const entry = entryOf(text);
    return entry ? [entry.name, entry.scientific, entry.aphia, entry.isListed] : [cleaned(text), null, null, false];
  }

  function offer() {
    const wanted = folded(cleaned(input.value));
    offered = known().filter(({name, scientific}) => folded(name).includes(wanted) || folded(scientific).includes(wanted));
    const isSame = entry => folded(entry.name) === wanted || folded(entry.scientific) === wanted;
    const begins = entry => folded(entry.name).startsWith(wanted) || folded(entry.scientific).startsWith(wanted);
    const rank = entry => (isSame(entry) ? 0 : begins(entry) ? 1 : 2);
    offered = offered.sort((a, b) => rank(a) - rank(b)).slice(0, MOST_OFFERED);
    if (wanted !== "" && entryOf(input.value) === undefined) offered.push({name: cleaned(input.value), isTyped: true});
    chosen = -1;
    list.replaceChildren(...offered.map((entry, place) => {
      const row = element("li", {role: "option", id: `known-${place}`, "aria-selected": "false"}, nameElement(entry.name),
        entry.scientific ? element("i", {}, nameElement(entry.scientific)) : null,
        entry.isListed ? null : element("span", {class: "free"}, entry.isTyped ? "as typed: a free name" : "free name"));
      row.addEventListener("click", () => { choose(place); confirm(); });
      return row;
    }));
    if (wanted !== "" && offered.length) choose(0);  // what Enter takes, as the line above the list says
    else tell();
  }

  function choose(place) {
    list.children[chosen]?.setAttribute("aria-selected", "false");
    chosen = offered.length === 0 ? -1 : (place + offered.length + 1) % (offered.length + 1);
    if (chosen === offered.length) chosen = -1;
    const row = list.children[chosen];
    row?.setAttribute("aria-selected", "true");
    row?.scrollIntoView({block: "nearest"});
    if (row) input.setAttribute("aria-activedescendant", row.id);
    else input.removeAttribute("aria-activedescendant");
    tell();
  }

  const text = () => (chosen >= 0 ? offered[chosen].name : cleaned(input.value));

  function tell() {
    if (text() === "") return meant.replaceChildren("Type, or choose with ↓ and Enter.");
    const [name, scientific, , isListed] = asLabel(text());
    const isKnown = entryOf(text()) !== undefined;
    meant.replaceChildren("Enter: ", nameElement(name), scientific ? ", " : "",
      scientific ? element("i", {}, nameElement(scientific)) : "",
      isListed ? "" : isKnown ? " (a free name)" : " (on no list: a free name)");
  }

  function confirm() {
    const name = text(), tell = given;
    if (name === "") return;
    panel.close();
    tell(asLabel(name));
  }

  input.addEventListener("input", offer);
  input.addEventListener("keydown", event => {
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else return;
    event.preventDefault();
  });
  panel.querySelector("form").addEventListener("submit", event => { event.preventDefault(); confirm(); });
  byId("name-cancel").addEventListener("click", () => panel.close());
  byId("name-clear").addEventListener("click", () => { const tell = given; panel.close(); tell(null); });

  /** Asks for a name for what the title says; `tell` gets it as a label keeps it, or null to take the name away. */
  function ask(title, before, tell) {
    given = tell;
    byId("naming-title").replaceChildren(title);
    byId("name-clear").hidden = before === null;
    input.value = before ?? "";
    offer();
    panel.showModal();
    input.focus();
    input.select();
  }

  return {ask, asLabel};
})();
