"use strict";
/* The page: which sheet is open, what is said of its tiles, what a key does. */

(() => {
  const {byId, element, many, nameElement, now, saving, sheets, store, tiles} = megafish;
  const {progress, save, say, warn} = saving;
  const {title} = sheets;
  const index = megafish.index;
  const PICTURE_KEYS = {ArrowLeft: -1, ArrowRight: 1};
  let view = null;  // {sheet, place, data, record, isGroup, chosen, shown, current}

  const keyOf = place => tiles.keyOf(view.data, place);
  const faces = () => byId("tiles").children;
  const faceOf = place => faces()[place]?.querySelector(".face");

  /* ---- sheets ---- */

  async function open(place) {
    const sheet = index.sheets[place];
    if (!sheet) return;
    let data;
    try {
      data = await sheets.fetch(sheet.name);
    } catch (wrong) {
      warn(wrong.message === "made anew" ? "These sheets were made anew meanwhile: reload the page."
        : `The sheet data/${sheet.name}.js is missing: the folder was copied in part, or made anew. Reload the page.`);
      return;
    }
    const record = brought(store.record(sheet, index), data);
    view = {sheet, place, data, record, isGroup: sheet.cluster !== null && sheet.cluster >= 0, chosen: new Set(),
      shown: 0, current: 0};
    store.set("open", sheet.name);
    byId("tiles").replaceChildren();
    more(Math.max(index.tiles_at_first, Object.keys(record.rows).length));
    say(sheets.HINTS[sheet.name] ?? (sheet.n_tiles > index.typical_first
      ? `The ${index.typical_first} most typical stand first, then the least typical.` : ""));
    head();
    list();
    scrollTo(0, 0);
    move(0);
    const next = index.sheets[place + 1];
    if (next) sheets.fetch(next.name).then(() => { new Image().src = `data/${next.name}_00.jpg`; }, () => {});
  }

  /** The record, which knows what people had named when these sheets were made. */
  function brought(record, data) {
    if (record.build === index.build) return record;
    const named = new Map(data.name_source.map((source, place) => [tiles.keyOf(data, place), source === "person"]));
    // A tile that has left the sheet of the least sure was named since.
    for (const [key, row] of Object.entries(record.rows)) row[9] = named.get(key) ?? true ? 1 : 0;
    record.build = index.build;
    return record;
  }

  /** Shows so many more tiles; on a named sheet they bear the name too, for they were looked at. */
  function more(n = index.tiles_at_first) {
    const from = view.shown, all = view.data.detection_id.length;
    view.shown = Math.min(all, from + n);
    const made = [];
    for (let place = from; place < view.shown; place++) {
      made.push(tiles.made(view.data, place));
      tiles.show(made[place - from], view.data, place, view);
    }
    byId("tiles").append(...made);
    byId("more").hidden = view.shown === all;
    byId("more").textContent = `Show ${Math.min(index.tiles_at_first, all - view.shown)} more of ${all - view.shown}`;
    if (from > 0 && view.record.name !== null) { speakOfShown(now()); store.put(view.record); refresh(); }
  }

  function head() {
    const {sheet, record, isGroup} = view;
    byId("swatch").style.background = sheet.colour;
    byId("title").replaceChildren(`${title(sheet)}${record.name ? ": " : ""}`, record.name ? nameElement(record.name[0]) : "");
    byId("facts").textContent = sheets.facts(sheet);
    const buttons = [];
    if (isGroup && record.name === null && sheet.proposal !== null)
      buttons.push(button(["Yes, ", nameElement(sheet.proposal)], "Enter", confirm, "main"));
    if (!isGroup || ticked().length || record.name !== null)
      buttons.push(button([isGroup ? (record.name ? "Rename" : "Name the ticked") : "Name the chosen"], "n", nameSheet,
        buttons.length || (isGroup && isDone()) ? "" : "main"));
    if (isGroup && record.name === null && ticked().length) buttons.push(button(["None is a fish"], "X", noFish));
    if (isGroup && unticked().length) buttons.push(button(["Name the unticked"], "m", nameUnticked));
    if (isGroup && isDone()) buttons.push(button(["Next sheet"], "Enter", confirm, "main"));
    byId("actions").replaceChildren(...buttons);
  }

  function button(words, key, act, kind = "") {
    const made = element("button", {type: "button", class: kind}, ...words, " ", element("kbd", {}, key));
    made.addEventListener("click", () => { act(); if (!document.querySelector("dialog[open]")) focus(); });
    return made;
  }

  const entry = place => sheets.entry(place, place === view?.place, () => open(place));

  function list() {
    byId("sheets").replaceChildren(...index.sheets.map((_, place) => entry(place)));
    byId("sheets").querySelector("[aria-current]")?.scrollIntoView({block: "nearest"});
  }

  /* ---- what is said ---- */

  /** Whether a cluster's sheet has its name, or something was said of each tile. */
  const isDone = () => view.record.name !== null || ticked().length === 0;

  const unticked = () => places().filter(place => view.record.marks[keyOf(place)]?.s === "rejected");
  const ticked = () => places().filter(place => !view.record.marks[keyOf(place)]);
  const places = () => [...Array(view.shown).keys()];

  /** Sets what is said of some tiles by themselves; null takes it back. */
  function mark(chosen, said) {
    for (const place of chosen) {
      const key = keyOf(place);
      if (said === null) {
        if (view.record.marks[key] && view.record.name !== null) view.record.rows[key][10] = now();  // later than what it was
        delete view.record.marks[key];
      } else {
        view.record.marks[key] = {...said, at: now(), by: saving.person() || null};
        view.record.rows[key] ??= tiles.rowOf(view.data, place);
      }
      if (said === null && view.record.name === null) delete view.record.rows[key];
    }
    const changed = [...chosen, ...view.chosen];
    view.chosen.clear();
    store.put(view.record);
    refresh(changed);
  }

  /** Has a named sheet speak of every tile that is shown, but those that a person has called otherwise; `at` is when, if
      later than the name. */
  function speakOfShown(at = null) {
    const {record, data} = view;
    for (const place of places()) {
      const key = keyOf(place);
      const isOtherwise = data.name_source[place] === "person" && data.name[place] !== record.name[0];
      if (record.marks[key] || record.rows[key]) continue;
      if (isOtherwise || store.saidElsewhere(key, record.sheet)) continue;
      record.rows[key] = tiles.rowOf(data, place);
      if (at !== null) record.rows[key][10] = at;
    }
  }

  function nameAll(name) {
    const {record} = view;
    for (const key of Object.keys(record.rows)) if (!record.marks[key]) delete record.rows[key];
    Object.assign(record, {name, at: name && now(), by: name && (saving.person() || null)});
    if (name !== null) speakOfShown();
    store.put(record);
    refresh();
    if (name === null) return say("The sheet has no name.");
    const n = ticked().length, n_not = unticked().length, rest = view.sheet.n_tiles - view.shown;
    say(`${many(n, "tile")} ${n === 1 ? "is" : "are"} `, nameElement(name[0]), n_not ? `, ${n_not} not` : "",
      rest ? `. ${rest} more are not shown, and get no label.` : ".", " Enter: next sheet.");
  }

  /** All that is ticked, or chosen, is no fish. */
  function noFish() {
    const chosen = view.isGroup ? ticked() : chosenOr();
    if (chosen.length) mark(chosen, {s: "not_fish"});
    say(`${counted(chosen)}: not a fish.`);
  }

  const counted = places => (places.length === 1 ? "this tile" : `${places.length} tiles`);

  function nameTiles(chosen) {
    const before = view.record.marks[keyOf(chosen[0])]?.n?.[0] ?? null;
    megafish.naming.ask(`Name for ${counted(chosen)}`, before,
      name => mark(chosen, name && {s: "approved", n: name}));
  }

  const chosenOr = () => (view.chosen.size ? [...view.chosen] : [view.current]);

  function nameSheet() {
    if (!view.isGroup) return nameTiles(chosenOr());
    const rest = view.sheet.n_tiles - view.shown;
    const words = `Name for the ${ticked().length} ticked tiles of ${title(view.sheet)}${rest ? ` (${rest} more are not shown)` : ""}`;
    megafish.naming.ask(words, view.record.name?.[0] ?? view.sheet.proposal, nameAll);
  }

  function nameUnticked() {
    if (unticked().length) nameTiles(unticked());
  }

  function toggle() {
    const place = view.current, key = keyOf(place);
    if (view.isGroup) return mark([place], view.record.marks[key] ? null : {s: "rejected"});
    if (view.chosen.has(place)) view.chosen.delete(place);
    else view.chosen.add(place);
    refresh([place]);
  }

  function status(s) {
    const chosen = view.isGroup ? [view.current] : chosenOr();
    const isSaid = chosen.every(place => view.record.marks[keyOf(place)]?.s === s);
    mark(chosen, isSaid ? null : {s});
  }

  function confirm() {
    const {record, sheet, data, current} = view;
    if (view.isGroup) {
      if (isDone()) return open(view.place + 1);
      return sheet.proposal === null ? nameSheet() : nameAll(megafish.naming.asLabel(sheet.proposal));
    }
    const offered = data.name[current];
    if (offered === null || view.chosen.size) return nameSheet();
    mark([current], {s: "approved", n: megafish.naming.asLabel(offered)});
    move(current + 1);
  }

  /* ---- moving ---- */

  function move(place) {
    if (!view.data.detection_id.length) return;
    faceOf(view.current)?.setAttribute("tabindex", "-1");
    view.current = Math.max(0, Math.min(view.shown - 1, place));
    faceOf(view.current).setAttribute("tabindex", "0");
    focus();
  }

  function focus() { faceOf(view.current)?.focus(); }

  function columns() {
    const first = faces()[0]?.offsetTop;
    let n = 0;
    while (n < view.shown && faces()[n].offsetTop === first) n++;
    return Math.max(1, n);
  }

  /* ---- how far it has come ---- */

  /** Shows anew what was said of these tiles, and what follows from it. */
  function refresh(changed = places()) {
    for (const place of changed) tiles.show(faces()[place], view.data, place, view);
    head();
    byId("sheets").children[view.place].replaceWith(entry(view.place));
    progress();
  }

  /* ---- keys and clicks ---- */

  const KEYS = {
    " ": toggle, Enter: confirm, n: nameSheet, t: () => nameTiles([view.current]), m: nameUnticked,
    u: () => status("unsure"), x: () => status("not_fish"), X: noFish, v: () => megafish.video.open(view.data, view.current),
    Backspace: () => mark(chosenOr(), null), Delete: () => mark(chosenOr(), null),
    j: () => open(view.place + 1), k: () => open(view.place - 1),
    Home: () => move(0), End: () => move(view.shown - 1),
    ArrowUp: () => move(view.current - columns()), ArrowDown: () => move(view.current + columns()),
  };

  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const on = document.activeElement;
    if (event.key === "s") save();
    else if (event.key === "?") byId("keys").showModal();
    else if (view === null || /^(input|textarea|select)$/i.test(on.tagName)) return;
    else if ((event.key === " " || event.key === "Enter") && on !== document.body && !on.matches(".face")) return;
    else if (event.key in PICTURE_KEYS) move(view.current + PICTURE_KEYS[event.key]);
    else if (Object.hasOwn(KEYS, event.key)) KEYS[event.key]();
    else return;
    event.preventDefault();
  });

  byId("tiles").addEventListener("click", event => {
    const link = event.target.closest("a");
    if (link && (event.ctrlKey || event.metaKey || event.shiftKey)) return;
    const face = event.target.closest(".tile")?.querySelector(".face");
    if (!face) return;
    move(Number(face.dataset.place));
    if (link) { event.preventDefault(); megafish.video.open(view.data, view.current); }
    else if (event.target.closest(".face")) toggle();
  });

  byId("tools").addEventListener("click", event => {
    const key = event.target.closest("button")?.dataset.key;
    if (!key || view === null) return;
    KEYS[key]();
    if (!document.querySelector("dialog[open]")) focus();
  });

  byId("more").addEventListener("click", () => { const next = view.shown; more(); move(next); });
  byId("save").addEventListener("click", save);
  byId("person").addEventListener("click", () => saving.askPerson());
  byId("help").addEventListener("click", () => byId("keys").showModal());
  byId("keys-close").addEventListener("click", () => byId("keys").close());
  for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", () => view && focus());
  addEventListener("beforeunload", event => {
    if (!store.isKept() && progress() > 0) event.preventDefault();
  });
  store.listen(() => view && list());  // what another window of this page has said

  store.letGo(index.fit_version, store.get("saved") ?? "");
  saving.showPerson();
  progress();
  list();
  const last = index.sheets.findIndex(sheet => sheet.name === store.get("open"));
  open(Math.max(0, last)).then(() => { if (!saving.person()) saving.askPerson(); });
  if (index.sheets.length === 0) say("There is no tracklet to look at yet.");
})();
