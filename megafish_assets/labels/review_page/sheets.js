"use strict";
/* The sheets of the review: how one is fetched, and what it is called. */

megafish.sheets = (() => {
  const {element, many, nameElement, store} = megafish;
  const index = megafish.index;
  const NONCE = document.currentScript.nonce;
  const TITLES = {places: "On the lens?", noise: "In no cluster", small: "Too small", unsure: "The least sure"};
  const HINTS = {
    places: "Boxes come back at these places in many videos. x: not a fish. n: a fish that stays there.",
    noise: "Space chooses, n names what is chosen; look-alikes stand side by side.",
    small: "Too small to be grouped, and a few too large. Space chooses, n names what is chosen; those of one name stand side by side.",
    unsure: "Enter confirms the name that is offered, n gives another.",
  };

  /* Sheets are fetched as scripts when they are opened; the policy takes no other address. */
  const policy = window.trustedTypes
    ? trustedTypes.createPolicy("megafish-sheets", {createScriptURL: address => {
      if (!/^data\/[a-z0-9]+\.js$/.test(address)) throw new TypeError(`no sheet at ${address}`);
      return address;
    }})
    : {createScriptURL: address => address};
  const fetched = new Map(), waiting = new Map();

  megafish.sheet = data => waiting.get(data.sheet)?.(data);

  function fetch(name) {
    if (!fetched.has(name)) {
      fetched.set(name, new Promise((found, failed) => {
        waiting.set(name, data => (data.build === index.build ? found(data) : failed(new Error("made anew"))));
        const script = element("script", {nonce: NONCE});
        script.nonce = NONCE;
        script.addEventListener("error", () => failed(new Error("missing")));
        script.src = policy.createScriptURL(`data/${name}.js`);
        document.head.append(script);
      }));
    }
    return fetched.get(name);
  }

  function title(sheet) {
    if (TITLES[sheet.name]) return TITLES[sheet.name];
    return sheet.kind_id === null ? `Cluster ${sheet.cluster}` : `Kind ${sheet.kind_id}`;
  }

  function facts(sheet) {
    if (sheet.name === "places") return many(sheet.n_tiles, "place");
    const said = [many(sheet.n_tiles, "tracklet"), many(sheet.n_videos, "video")];
    if (sheet.kind_id !== null) said.push(`cluster ${sheet.cluster}`);
    if (sheet.is_stable !== null) said.push(`${sheet.is_stable ? "" : "not "}found again in other videos`);
    if (sheet.coherence !== null) said.push(`${Math.round(100 * sheet.coherence)} % of neighbors alike`);
    return said.join(" · ");
  }

  /** A sheet in the list: its colour, its name so far, how many tiles it has, and how many of them were spoken of. */
  function entry(place, isOpen, open) {
    const sheet = index.sheets[place];
    const record = store.peek(sheet, index);
    const name = record?.name ? [nameElement(record.name[0])] : sheet.proposal && sheet.n_before
      ? [nameElement(sheet.proposal), "?"] : [title(sheet)];
    const marks = Object.values(record?.marks ?? {}), n_marks = marks.length;
    const isMade = record?.name || n_marks >= Math.min(sheet.n_tiles, index.tiles_at_first);
    const isFish = record?.name || marks.some(mark => mark.s !== "not_fish");
    const state = isMade ? element("b", {}, isFish ? "✓ " : "no fish ") : n_marks ? `${n_marks} of ` : null;
    const made = element("button", {type: "button", "aria-current": isOpen ? "true" : null,
      title: sheet.named_a_minute === null ? "" : `about ${Math.round(sheet.named_a_minute)} tracklets named a minute`},
    element("span", {class: "swatch", "aria-hidden": "true"}), element("span", {class: "what"}, ...name),
    element("span", {class: "n"}, state, String(sheet.n_tiles)));
    made.firstChild.style.background = sheet.colour;
    made.addEventListener("click", open);
    return element("li", {class: isMade ? "done" : null}, made);
  }

  return {TITLES, HINTS, fetch, title, facts, entry};
})();
