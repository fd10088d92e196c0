"use strict";
/* How far it has come, and how it is saved: the person, the progress, the file. */

megafish.saving = (() => {
  const {byId, cleaned, element, many, nameElement, now, store} = megafish;
  const index = megafish.index;
  let person = store.get("person") || "";

  function say(...words) { byId("said").replaceChildren(...words); }

  /** Warns of what may lose work, until it is over; the page's head shows it. */
  function warn(text) {
    byId("warning").textContent = text;
    byId("warning").hidden = text === "";
  }

  /** How many of a sheet's tracklets have a name, by earlier rounds and by these labels of it; the least sure stand on
      another sheet too. */
  function named(sheet, of) {
    const n_before = sheet.name === "unsure" ? 0 : sheet.n_before;
    if (of.length && of[0].record.build !== index.build)  // some of them may be among the earlier ones by now
      return sheet.name === "unsure" ? 0 : Math.max(n_before, of.length);
    return n_before + of.filter(label => !label.row[9]).length;
  }

  function progress() {
    const labels = store.labels();
    const of = status => labels.filter(label => label.status === status);
    const approved = of("approved").filter(label => label.row[8] === null);  // not of a place
    const bySheet = new Map(index.sheets.filter(({name}) => name !== "places").map(sheet => [sheet.name, []]));
    let n_named = 0;
    for (const label of approved) {
      if (label.record.fit !== index.fit_version) n_named++;
      else bySheet.get(label.record.sheet)?.push(label);
    }
    for (const sheet of index.sheets) if (bySheet.has(sheet.name)) n_named += named(sheet, bySheet.get(sheet.name));
    const parts = [`${n_named.toLocaleString("en")} of ${many(index.n_units, "tracklet")} named`];
    if (of("not_fish").length) parts.push(`${of("not_fish").length} not fish`);
    if (of("unsure").length) parts.push(`${of("unsure").length} unsure`);
    byId("bar").max = Math.max(1, index.n_units);
    byId("bar").value = n_named;
    byId("counted").textContent = parts.join(" · ");
    const saved = store.get("saved") ?? "";
    const n_new = labels.filter(label => label.at > saved).length;
    byId("save-text").textContent = n_new ? `Save ${many(n_new, "label")}` : "Save";
    byId("save").dataset.new = n_new ? "yes" : "no";
    if (!store.isKept()) warn("This browser keeps no work of this page: save before you close it.");
    return n_new;
  }

  function save() {
    if (!person) return askPerson(save);
    const labels = store.labels();
    const file = new Blob([megafish.csv.text(labels, person)], {type: "text/csv;charset=utf-8"});
    const link = element("a", {download: "labels.csv"});
    link.href = URL.createObjectURL(file);
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    store.set("saved", now());
    progress();
    say(`labels.csv: ${many(labels.length, "label")} of all sheets, among this browser's downloads.`);
  }

  function askPerson(then) {
    const panel = byId("asking"), input = byId("person-name");
    input.value = person;
    panel.querySelector("form").onsubmit = event => {
      event.preventDefault();
      person = cleaned(input.value);
      if (!person) return;
      store.set("person", person);
      panel.close();
      showPerson();
      then?.();
    };
    panel.showModal();
  }

  function showPerson() {
    byId("person").replaceChildren(person ? "as " : "Who is looking?", person ? nameElement(person) : "");
  }

  return {progress, save, askPerson, showPerson, say, warn, person: () => person};
})();
