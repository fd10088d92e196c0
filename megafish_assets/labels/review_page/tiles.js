"use strict";
/* One tile: a picture, what was said of it, and where it comes from. */

megafish.tiles = (() => {
  const {element, nameElement} = megafish;
  const index = megafish.index;

  const WORDS = {
    rejected: ["✕", "not it"], unsure: ["?", "unsure"], not_fish: ["∅", "not a fish"],
    ticked: ["✓", "ticked"], chosen: ["●", "chosen"], open: ["", "not yet said"],
  };

  /** The key of a tile in a record, see store.js. */
  const keyOf = (data, place) => megafish.store.keyOf(data.place_id[place], data.detection_id[place]);

  /** What a record keeps of a tile, see store.js. */
  function rowOf(data, place) {
    const video = data.videos[data.video[place]][0], tracklet = data.tracklet_id[place];
    return [
      tracklet === null ? null : tracklet.replace(`${video}/`, ""), data.frame_id[place], data.x_1024[place],
      data.y_1024[place], data.width_1024[place], data.height_1024[place], data.cluster[place], data.kind_id[place],
      data.place_id[place], data.name_source[place] === "person" ? 1 : 0,
    ];
  }

  function seconds(data, place) {
    const value = data.seconds[place];
    return value === null ? null : `${value.toFixed(1)} s`;
  }

  /** Where a tile comes from, in words: its video, and the time of day or the second. */
  function source(data, place) {
    const [video, file] = data.videos[data.video[place]];
    const time = data.recorded_at[place]?.slice(11) ?? seconds(data, place);
    return {video: file ?? video ?? `place ${data.place_id[place]}`, time: time ?? ""};
  }

  /** Address of a tile's video at its second; null where it has none. */
  function address(data, place) {
    const base = data.videos[data.video[place]][2];
    const value = data.seconds[place];
    return base === null ? null : value === null ? base : `${base}#t=${value}`;
  }

  /** The picture of a tile, out of its sprite. */
  function picture(data, place, alt) {
    const number = String(Math.floor(place / index.sprite_tiles)).padStart(2, "0");
    const within = place % index.sprite_tiles;
    const image = element("img", {
      src: `data/${data.sheet}_${number}.jpg`, alt, width: index.tile_px, height: index.tile_px, loading: "lazy",
      decoding: "async", draggable: "false",
    });
    const left = (within % index.sprite_columns) * index.tile_px;
    const top = Math.floor(within / index.sprite_columns) * index.tile_px;
    image.style.objectPosition = `-${left}px -${top}px`;
    return image;
  }

  function made(data, place) {
    const from = source(data, place), at = [from.video, from.time].filter(Boolean).join(", ");
    const what = data.place_id[place] === null ? "crop" : `place ${data.place_id[place]}`;
    const face = element("button", {type: "button", class: "face", tabindex: "-1", title: at},
      picture(data, place, `${what} of ${at}`), element("span", {class: "badge", "aria-hidden": "true"}),
      element("span", {class: "word"}));
    face.dataset.place = place;
    const link = address(data, place);
    const caption = element("div", {class: "caption"}, element("span", {class: "from"}, nameElement(from.video)),
      link === null ? element("span", {class: "when"}, from.time) : element("a", {
        class: "when", href: link, target: "_blank", rel: "noopener noreferrer", tabindex: "-1",
        title: `video at ${seconds(data, place) ?? "its start"}`, "aria-label": `video of ${at}`,
      }, `▶ ${from.time || "video"}`));
    return element("li", {class: "tile"}, face, caption);
  }

  /** Shows on a tile what was said of it. `view` tells the sheet's state, see page.js. */
  function show(tile, data, place, view) {
    const key = keyOf(data, place), mark = view.record.marks[key];
    const face = tile.querySelector(".face"), word = tile.querySelector(".word");
    const elsewhere = mark ? null : megafish.store.saidElsewhere(key, view.sheet.name);
    const told = mark ?? elsewhere;
    let state = view.isGroup ? "ticked" : view.chosen.has(place) ? "chosen" : "open";
    if (told && !(state === "chosen")) state = told.s;
    const before = data.name[place], isPersons = data.name_source[place] === "person";
    const isKept = view.isGroup && !told && isPersons && before !== (view.record.name?.[0] ?? view.sheet.proposal);
    if (isKept) state = "approved";
    const name = told?.n?.[0] ?? (isKept ? before : null);
    tile.dataset.state = state;
    tile.querySelector(".badge").textContent = state === "approved" ? "✓" : WORDS[state][0];
    word.replaceChildren(...words(state, name, data, place, view));
    face.setAttribute("role", "checkbox");
    face.setAttribute("aria-checked", String(["ticked", "chosen", "approved"].includes(state)));
  }

  function words(state, name, data, place, view) {
    if (name !== null) return [nameElement(name)];
    if (state !== "open" && state !== "chosen") return state === "ticked" ? [hidden("ticked")] : [WORDS[state][1]];
    const offered = data.name[place];
    if (offered === null) return [hidden(WORDS[state][1])];
    const sure = data.probability[place];
    return [nameElement(offered), sure === null ? "?" : `? ${Math.round(100 * sure)} %`];
  }

  const hidden = text => element("span", {class: "heard"}, text);

  return {keyOf, rowOf, source, seconds, address, picture, made, show};
})();
