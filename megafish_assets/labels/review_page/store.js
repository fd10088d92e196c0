"use strict";
/* What a person has said so far: a record a sheet, kept by the browser under this page's own address.

   A record is whole by itself, with the frame and the box of every tile that it speaks of, so that it can be saved when
   the sheets have been made anew meanwhile, and without fetching a sheet again.

   record = {sheet, fit, build, cluster, kind, backbone, recipe, at, by,
             name: [name, scientific name, AphiaID, listed] or null,
             marks: {key: {s: status, n: name, at, by}},
             rows: {key: [tracklet, frame, x, y, width, height, cluster, kind, place, before, at]}}

   `before` says that a person had named the tile when the sheets of `build` were made.
   A key is a detection_id, or, of a place, its place_id and behind a blank the detection_id of the crop that shows it,
   if one does: what a place is and what its crop is are two words. */

megafish.store = (() => {
  const PREFIX = `megafish review ${location.pathname} `;
  const OWN = {approved: 2, unsure: 2, not_fish: 2, rejected: 1};
  const records = new Map();
  const heard = [];
  let isKept = true;
  let memory = {};  // what the browser refused to keep

  const recordKey = (fit, sheet) => `record ${fit ?? ""} ${sheet}`;

  const keyOf = (place, detection) => (place === null ? detection : `${place} ${detection ?? ""}`.trimEnd());

  function get(name) {
    try {
      return localStorage.getItem(PREFIX + name);
    } catch {
      isKept = false;
      return memory[name] ?? null;
    }
  }

  function set(name, text) {
    memory[name] = text;
    try {
      if (text === null) localStorage.removeItem(PREFIX + name);
      else localStorage.setItem(PREFIX + name, text);
    } catch {  // refused for files, or full
      isKept = false;
    }
  }

  function read(name, text) {
    try {
      const record = JSON.parse(text);
      if (record && record.rows && record.marks) records.set(name, record);
    } catch {  // of another program under the same address
      records.delete(name);
    }
  }

  function load() {
    try {
      for (let place = 0; place < localStorage.length; place++) {
        const name = localStorage.key(place);
        if (name.startsWith(`${PREFIX}record `)) read(name.slice(PREFIX.length), localStorage.getItem(name));
      }
      localStorage.setItem(`${PREFIX}asked`, "1");  // some browsers read and do not write
    } catch {
      isKept = false;
    }
  }

  /** The record of a sheet; a new one where nothing was said of it. */
  function record(sheet, index) {
    const known = records.get(recordKey(index.fit_version, sheet.name));
    return known ?? {
      sheet: sheet.name, fit: index.fit_version, build: index.build, cluster: sheet.cluster, kind: sheet.kind_id,
      backbone: index.backbone, recipe: index.recipe, name: null, at: null, by: null, marks: {}, rows: {},
    };
  }

  const peek = (sheet, index) => records.get(recordKey(index.fit_version, sheet.name)) ?? null;

  function put(changed) {
    const key = recordKey(changed.fit, changed.sheet);
    const isEmpty = changed.name === null && Object.keys(changed.marks).length === 0;
    if (isEmpty) records.delete(key);
    else records.set(key, changed);
    set(key, isEmpty ? null : JSON.stringify(changed));
  }

  /** What a record says of one of its tiles; null for nothing. */
  function said(record, key) {
    const mark = record.marks[key], row = record.rows[key];
    if (mark === undefined && record.name === null) return null;
    if (mark === undefined) {
      const at = row[10] ?? record.at;
      return {status: "approved", name: record.name, at, by: record.by, rank: 1};
    }
    if (mark.s === "rejected") {
      if (record.name === null) return null;
      const at = mark.at > record.at ? mark.at : record.at;
      return {status: "rejected", name: record.name, at, by: mark.by, rank: OWN.rejected};
    }
    return {status: mark.s, name: mark.n ?? null, at: mark.at, by: mark.by, rank: OWN[mark.s]};
  }

  /** Every label so far, one a tile: what was said of the tile itself before what was said of its sheet, and the later
      before the earlier. */
  function labels() {
    const found = new Map();
    for (const record of records.values()) {
      for (const key of Object.keys(record.rows)) {
        const label = said(record, key);
        if (label === null) continue;
        const other = found.get(key);
        if (other && (other.rank > label.rank || (other.rank === label.rank && other.at >= label.at))) continue;
        found.set(key, {...label, key, record, row: record.rows[key]});
      }
    }
    return [...found.values()];
  }

  /** Lets go of what was said of another fit's sheets, once all of it is in a file. */
  function letGo(fit, saved) {
    for (const record of [...records.values()]) {
      const spoken = Object.keys(record.rows).map(key => said(record, key)).filter(Boolean);
      if (record.fit !== fit && spoken.every(label => label.at <= saved)) put({...record, name: null, marks: {}});
    }
  }

  /** What was said of a tile by itself on another sheet than this. */
  function saidElsewhere(key, sheet) {
    for (const record of records.values()) {
      const mark = record.sheet === sheet ? undefined : record.marks[key];
      if (mark && mark.s !== "rejected") return mark;
    }
    return null;
  }

  addEventListener("storage", event => {  // the same page in another window
    if (event.key === null || !event.key.startsWith(`${PREFIX}record `)) return;
    const name = event.key.slice(PREFIX.length);
    if (event.newValue === null) records.delete(name);
    else read(name, event.newValue);
    heard.forEach(hear => hear());
  });

  load();
  return {
    keyOf, get, set, record, peek, put, said, letGo, labels, saidElsewhere,
    records: () => [...records.values()],
    isKept: () => isKept,
    listen: hear => heard.push(hear),
  };
})();
