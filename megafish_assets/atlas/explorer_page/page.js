"use strict";
// The page round the map. What a collection calls its files and fish reaches the page as text alone (`text`), its
// addresses were encoded when they were written, and no string is ever read as markup or code.

megafish.NONE = 0xffffffff;
megafish.NO_NEIGHBOR = 0xffffff;
megafish.PAGE_OF_TILES = 200;
megafish.CLICK_PX = 4; // a press that moves less is a click
megafish.shards = new Map(); // number -> {places, distances}, once loaded
megafish.awaited = new Map(); // number -> what to do then

const find = id => document.getElementById(id);
const text = (name, words, kind) => {
  const made = document.createElement(name);
  if (words !== undefined && words !== null) made.textContent = words;
  if (kind) made.className = kind;
  return made;
};
const button = (words, then, kind) => {
  const made = text("button", words, kind);
  made.type = "button";
  made.addEventListener("click", then);
  return made;
};
const bytes = base64 => Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
const column = told => {
  const raw = bytes(told.base64);
  return new { Uint8Array, Uint16Array, Uint32Array, Float32Array }[told.type](raw.buffer);
};
const many = (n, thing) => `${n.toLocaleString("en")} ${thing}${n === 1 ? "" : "s"}`;
const padded = (number, digits) => String(number).padStart(digits, "0");

function megafishNeighbors(number, places, distances) { // called by a script of the folder
  const raw = bytes(places), found = new Uint32Array(raw.length / 3);
  for (let k = 0; k < found.length; k++) found[k] = raw[3 * k] | raw[3 * k + 1] << 8 | raw[3 * k + 2] << 16;
  megafish.shards.set(number, { places: found, distances: bytes(distances) });
}

function megafishData(data) { // called by data.js
  megafish.data = data;
  const of = {};
  for (const [name, told] of Object.entries(data.columns)) of[name] = column(told);
  of.recorded = column(data.recorded);
  for (const one of data.colourings) one.codes = column(one.codes);
  megafish.of = of;
  megafish.start();
}

megafish.id = i => `${megafish.data.keys[megafish.of.key[i]]}/${padded(megafish.of.frame[i], 6)}/${padded(megafish.of.rank[i], 3)}`;
megafish.tracklet = i => megafish.of.tracklet[i] === megafish.NONE ? "" : `${megafish.data.keys[megafish.of.key[i]]}/t${padded(megafish.of.tracklet[i], 5)}`;
megafish.unit = i => megafish.tracklet(i) || megafish.id(i);
megafish.nameOf = i => megafish.data.names[megafish.of.name[i]];
megafish.groupOf = i => megafish.data.colourings[0].labels[megafish.data.colourings[0].codes[i]];
megafish.second = i => megafish.of.seconds[i] < 0 ? null : megafish.of.seconds[i];
megafish.videoOf = i => megafish.data.videos[megafish.of.file[i]];
megafish.isRepeat = i => megafish.of.duplicate[i] !== megafish.NONE;
megafish.isHidden = i => !find("repeats").checked && megafish.isRepeat(i);
megafish.screen = i => megafish.map.screen(i);
megafish.recorded = i => {
  const minutes = megafish.of.recorded[i];
  if (minutes === megafish.NONE) return null;
  return new Date(Date.UTC(1900, 0, 1) + minutes * 60000).toISOString().slice(0, 16).replace("T", " ");
};

megafish.thumb = (i, side) => {
  const { thumb_px, thumbs_a_side, mark } = megafish.data, each = thumbs_a_side * thumbs_a_side;
  const sheet = Math.floor(i / each), place = i % each, made = text("span", "", "thumb");
  made.style.width = made.style.height = `${side}px`;
  made.style.backgroundImage = `url("thumbs_${mark}_${padded(sheet, 4)}.webp")`;
  made.style.backgroundSize = `${side * thumbs_a_side}px`;
  made.style.backgroundPosition = `${-side * (place % thumbs_a_side)}px ${-side * Math.floor(place / thumbs_a_side)}px`;
  if (side > thumb_px) made.style.imageRendering = "auto";
  return made;
};

// Colours and the legend

megafish.isolated = new Set(); // labels of the colouring that alone are meant; empty: all
megafish.selection = null; // a Uint8Array of what is meant, or null for all

megafish.colour = () => {
  const { map, selection, isolated } = megafish, one = megafish.data.colourings[find("colouring").value];
  const bright = one.colours.map(hex => megafish.asPixel(hex, 1)), dim = one.colours.map(hex => megafish.asPixel(hex, 0.16));
  for (let i = 0; i < map.n; i++) {
    const code = one.codes[i];
    const meant = (!selection || selection[i]) && (!isolated.size || isolated.has(code));
    map.quiet[i] = meant ? 0 : 1;
    map.colours[i] = megafish.isHidden(i) ? 0 : meant ? bright[code] : dim[code];
  }
  map.draw();
};

megafish.asPixel = (hex, share) => {
  const mixed = [0, 1, 2].map(k => {
    const ground = megafish.GROUND >>> 8 * k & 255, given = parseInt(hex.slice(1 + 2 * k, 3 + 2 * k), 16);
    return Math.round(ground + (given - ground) * share);
  });
  return (0xff000000 | mixed[2] << 16 | mixed[1] << 8 | mixed[0]) >>> 0;
};

megafish.MOST_ENTRIES = 300;

megafish.legend = () => {
  const one = megafish.data.colourings[find("colouring").value], counts = new Uint32Array(one.labels.length);
  for (let i = 0; i < one.codes.length; i++) counts[one.codes[i]]++;
  find("legend-title").textContent = one.name;
  find("everything").hidden = !megafish.isolated.size;
  const entries = [];
  for (let code = 0; code < Math.min(one.labels.length, megafish.MOST_ENTRIES); code++) {
    const swatch = text("i"), entry = button(null, () => megafish.isolate(code));
    swatch.style.background = one.colours[code];
    entry.append(swatch, text("span", one.labels[code]), text("b", counts[code].toLocaleString("en")));
    entry.title = one.labels[code];
    entry.setAttribute("aria-pressed", megafish.isolated.has(code));
    entries.push(entry);
  }
  if (one.labels.length > megafish.MOST_ENTRIES) entries.push(text("p", `and ${one.labels.length - megafish.MOST_ENTRIES} more: use Find`));
  const scrolled = find("entries").scrollTop;
  find("entries").replaceChildren(...entries);
  find("entries").scrollTop = scrolled;
};

megafish.isolate = code => { // one more or one fewer of what alone is meant
  if (!megafish.isolated.delete(code)) megafish.isolated.add(code);
  megafish.legend();
  megafish.colour();
};

// Tiles

megafish.tiles = (title, places, note = "", words = null) => {
  megafish.shown = { places, words, n: 0 };
  find("tiles-title").textContent = title;
  find("tiles-note").textContent = note;
  find("tiles").replaceChildren();
  find("clear").hidden = false;
  megafish.moreTiles();
};

megafish.moreTiles = () => {
  const { shown } = megafish, until = Math.min(shown.places.length, shown.n + megafish.PAGE_OF_TILES), made = [];
  for (; shown.n < until; shown.n++) made.push(megafish.tile(shown.places[shown.n], shown.words && shown.words[shown.n]));
  find("tiles").append(...made);
  find("more").hidden = until === shown.places.length;
  find("more").textContent = `${Math.min(megafish.PAGE_OF_TILES, shown.places.length - until)} more of ${shown.places.length.toLocaleString("en")}`;
};

megafish.tile = (i, words) => {
  const made = button(null, () => megafish.open(i), "tile");
  made.dataset.id = megafish.id(i);
  made.title = megafish.id(i);
  made.setAttribute("aria-label", `crop ${megafish.id(i)}`);
  made.append(megafish.thumb(i, 94), text("small", words || megafish.nameOf(i) || megafish.groupOf(i)));
  if (megafish.isRepeat(i)) { const badge = text("span", "≈", "badge"); badge.title = "near-duplicate of an earlier crop"; made.append(badge); }
  made.addEventListener("pointerenter", () => { megafish.map.hovered = i; megafish.map.draw(); });
  made.addEventListener("pointerleave", () => { megafish.map.hovered = -1; megafish.map.draw(); });
  return made;
};

megafish.select = (places, title, note) => {
  megafish.selection = new Uint8Array(megafish.map.n);
  for (const place of places) megafish.selection[place] = 1;
  megafish.map.ringed = [];
  megafish.map.around = -1;
  megafish.colour();
  const units = new Set(places.map(megafish.unit)).size;
  megafish.tiles(title, places, note || (places.length ? `of ${many(units, "tracklet")}` : "Nothing lies there."));
};

megafish.clear = () => {
  megafish.selection = null;
  megafish.isolated.clear();
  megafish.map.ringed = [];
  megafish.map.around = -1;
  find("search").value = "";
  find("card").hidden = true;
  find("card").replaceChildren();
  megafish.shown = { places: [], words: null, n: 0 };
  find("tiles").replaceChildren();
  find("more").hidden = find("clear").hidden = true;
  find("tiles-title").textContent = "Look around";
  find("tiles-note").textContent = "Every point is a crop; what looks alike lies together. Hover to see it, click to open it at its second, drag a box (b, or Shift) or a lasso (l) to see many. The wheel zooms.";
  megafish.legend();
  megafish.colour();
};

// More like this

megafish.neighbors = (i, then) => {
  const { shard, n_neighbors, mark } = megafish.data, number = Math.floor(i / shard), row = i % shard;
  const tell = () => {
    const { places, distances } = megafish.shards.get(number), start = row * n_neighbors, found = [], apart = [];
    for (let k = start; k < start + n_neighbors && places[k] !== megafish.NO_NEIGHBOR; k++) { found.push(places[k]); apart.push(distances[k] / 100); }
    then(found, apart);
  };
  if (megafish.shards.has(number)) { tell(); return; }
  const script = document.createElement("script");
  script.src = `neighbors_${mark}_${padded(number, 4)}.js`;
  script.addEventListener("load", tell);
  script.addEventListener("error", () => { find("tiles-note").textContent = "The folder was written anew since this page was opened: reload it."; });
  document.body.append(script);
};

megafish.like = i => megafish.neighbors(i, (places, distances) => {
  megafish.selection = null;
  megafish.map.ringed = places;
  megafish.map.around = i;
  megafish.colour();
  const n = places.filter(megafish.isRepeat).length + (megafish.isRepeat(i) ? 1 : 0);
  const repeats = n ? ` Marked ≈: crops that repeat an earlier one almost pixel for pixel; they are no second finding.` : "";
  megafish.tiles(`More like this: ${many(places.length, "tracklet")}`, places,
    `The nearest other tracklets of ${megafish.id(i)}, each by its nearest crop, with their cosine distance.${repeats}`,
    places.map((place, k) => `${distances[k].toFixed(2)} ${megafish.nameOf(place) || megafish.groupOf(place)}`));
  find("tiles-title").scrollIntoView();
});

// One crop, and its video

megafish.open = i => {
  const card = find("card"), facts = document.createElement("dl"), second = megafish.second(i), video = megafish.videoOf(i);
  const fact = (name, words) => { if (words !== null && words !== "") facts.append(text("dt", name), text("dd", words)); };
  const sure = megafish.of.probability[i] ? ` (${megafish.data.name_sources[megafish.of.name_source[i]]}, ${megafish.of.probability[i] - 1} %)` : "";
  fact("name", megafish.nameOf(i) && megafish.nameOf(i) + sure);
  for (const one of megafish.data.colourings) if (["Cluster", "Kind", "Not fish"].includes(one.name)) fact(one.name.toLowerCase(), one.labels[one.codes[i]]);
  fact("tracklet", megafish.tracklet(i));
  fact("video", video.file);
  fact("frame", `${megafish.of.frame[i]}${second === null ? "" : `, at ${second.toFixed(2)} s`}`);
  fact("recorded", megafish.recorded(i));
  const top = text("div", null, "top"), actions = text("div", null, "actions");
  top.append(megafish.thumb(i, 120), facts);
  actions.append(button("More like this", () => megafish.like(i), "first"));
  actions.append(button("Same tracklet", () => megafish.select(megafish.where(k => megafish.unit(k) === megafish.unit(i)), "Same tracklet")));
  actions.append(button(`All of ${megafish.groupOf(i)}`, () => megafish.select(megafish.where(k => megafish.groupOf(k) === megafish.groupOf(i)), megafish.groupOf(i))));
  card.replaceChildren(text("h2", megafish.id(i)), top, actions);
  if (megafish.isRepeat(i)) {
    const first = megafish.of.duplicate[i], notice = text("p", "≈ Near-duplicate: it repeats, almost pixel for pixel, ", "notice");
    notice.append(button(megafish.id(first), () => megafish.open(first)));
    card.append(notice);
  }
  card.append(megafish.footage(i, video, second));
  card.hidden = false;
  card.dataset.id = megafish.id(i);
  for (const tile of find("tiles").children) tile.setAttribute("aria-current", tile.dataset.id === megafish.id(i));
  find("panel").scrollTop = 0;
  megafish.map.hovered = i;
  megafish.map.show(i);
  megafish.map.draw();
};

megafish.footage = (i, video, second) => {
  const made = document.createElement("div");
  if (video.address === null) { made.append(text("p", "The video file is not in the recordings folder.", "notice")); return made; }
  const at = second === null ? "" : `#t=${second.toFixed(3)}`, link = text("a", second === null ? "Open the video" : `Open the video at ${second.toFixed(1)} s`);
  link.href = video.address + at;
  link.target = "_blank";
  link.rel = "noopener";
  link.id = "video-link";
  if (!video.plays) {
    made.append(text("p", "Browsers can't play this kind of video; a player on this machine may.", "notice"), megafish.stills(i, video, second), link);
    link.textContent = "The video file";
    return made;
  }
  const player = text("div", null, "player"), film = document.createElement("video"), box = megafish.box(i);
  film.controls = film.muted = film.playsInline = true;
  film.preload = "metadata";
  film.src = video.address + at;
  // The box holds at its own moment alone, half a frame of 25 a second before and after.
  const mark = () => { box.hidden = second === null || !film.paused || Math.abs(film.currentTime - second) > 0.02; };
  for (const name of ["loadeddata", "seeked", "play", "pause", "timeupdate"]) film.addEventListener(name, mark);
  film.addEventListener("error", () => player.replaceWith(text("p", "This browser can't play the video here; try the link.", "notice")));
  box.hidden = true;
  player.append(film, box);
  made.append(player, link);
  return made;
};

megafish.box = i => {
  const made = text("div", null, "box"), share = name => `${megafish.of[name][i] / 63 / 10.24}%`;
  Object.assign(made.style, { left: share("x_1024"), top: share("y_1024"), width: share("width_1024"), height: share("height_1024") });
  return made;
};

megafish.stills = (i, video, second) => { // the crop's frame, or the nearest there is, and its neighbors
  const frames = Object.keys(video.stills).map(Number).sort((a, b) => a - b), made = text("div", null, "stills");
  if (!frames.length) return text("p", "No frame of this video could be kept: it can't be decoded, or there are too many such videos.", "notice");
  const own = megafish.of.frame[i], nearest = frames.reduce((best, frame) => Math.abs(frame - own) < Math.abs(best - own) ? frame : best);
  const place = frames.indexOf(nearest);
  for (const frame of [nearest, frames[place - 1], frames[place + 1]]) {
    if (frame === undefined) continue;
    const figure = document.createElement("figure"), player = text("div", null, "player"), picture = document.createElement("img"), apart = frame - own;
    picture.src = video.stills[frame];
    picture.alt = `frame ${frame}`;
    player.append(picture);
    if (apart === 0) player.append(megafish.box(i));
    const where = apart === 0 ? "this crop's frame" : `${many(Math.abs(apart), "frame")} ${apart < 0 ? "before" : "after"}`;
    figure.append(player, text("figcaption", `frame ${frame}: ${where}`));
    made.append(figure);
  }
  return made;
};

// Finding

megafish.where = holds => {
  const found = [];
  for (let i = 0; i < megafish.map.n; i++) if (holds(i) && !megafish.isHidden(i)) found.push(i);
  return found;
};

megafish.search = words => {
  const wanted = words.trim().toLowerCase();
  if (!wanted) { megafish.clear(); return; }
  const has = word => word.toLowerCase().includes(wanted), is = list => list.map(has);
  const names = is(megafish.data.names), files = is(megafish.data.videos.map(video => video.file)), groups = megafish.data.colourings[0].labels.map(label => label.toLowerCase() === wanted);
  const found = megafish.where(i => names[megafish.of.name[i]] || files[megafish.of.file[i]] || groups[megafish.data.colourings[0].codes[i]] || has(megafish.id(i)) || has(megafish.tracklet(i)));
  megafish.select(found, `Found: ${many(found.length, "crop")}`, found.length ? "" : "No id, name, kind or video holds these letters.");
  if (found.length === 1) megafish.open(found[0]);
};

// The pointer and the keys

megafish.hover = (event, i) => {
  const hint = find("hover"), { map } = megafish;
  if (map.hovered !== i) { map.hovered = i; map.draw(); }
  map.points.classList.toggle("on-crop", i >= 0);
  hint.hidden = i < 0;
  if (i < 0) return;
  if (hint.dataset.id !== megafish.id(i)) {
    const words = text("div", megafish.nameOf(i) || megafish.groupOf(i)), second = megafish.second(i);
    words.append(text("small", megafish.id(i)), text("small", `${megafish.videoOf(i).file}${second === null ? "" : `, ${second.toFixed(1)} s`}`));
    if (megafish.isRepeat(i)) words.append(text("small", "≈ near-duplicate"));
    hint.replaceChildren(megafish.thumb(i, 112), words);
    hint.dataset.id = megafish.id(i);
  }
  hint.style.left = `${Math.max(4, event.offsetX + 18 + 350 > map.width ? event.offsetX - 18 - hint.offsetWidth : event.offsetX + 18)}px`;
  hint.style.top = `${Math.max(4, Math.min(event.offsetY + 18, map.height - hint.offsetHeight - 4))}px`;
};

megafish.use = tool => {
  megafish.tool = tool;
  find("points").dataset.tool = tool;
  for (const one of document.querySelectorAll("[data-tool]")) if (one.tagName === "BUTTON") one.setAttribute("aria-pressed", one.dataset.tool === tool);
};

megafish.listen = () => {
  const { map } = megafish, canvas = map.points;
  let press = null; // {x, y, tool, moved}
  canvas.addEventListener("pointerdown", event => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    press = { x: event.offsetX, y: event.offsetY, fromX: event.offsetX, fromY: event.offsetY, tool: event.shiftKey ? "box" : megafish.tool, moved: false };
    if (press.tool === "lasso") map.outline = [press.x, press.y];
  });
  canvas.addEventListener("pointermove", event => {
    if (!press) { megafish.hover(event, map.under(event.offsetX, event.offsetY)); return; }
    const { offsetX: x, offsetY: y } = event;
    if (Math.hypot(x - press.fromX, y - press.fromY) > megafish.CLICK_PX) press.moved = true;
    if (!press.moved) return;
    megafish.hover(event, -1);
    if (press.tool === "move") map.pan(x - press.x, y - press.y);
    else if (press.tool === "box") map.outline = [press.fromX, press.fromY, x, press.fromY, x, y, press.fromX, y];
    else map.outline.push(x, y);
    press.x = x;
    press.y = y;
    if (press.tool !== "move") map.draw();
  });
  canvas.addEventListener("pointerup", event => {
    if (!press) return;
    const { outline } = map, { moved } = press;
    press = map.outline = null;
    if (moved && outline) {
      const found = map.inside(outline);
      megafish.select(found, many(found.length, "crop"));
    } else if (!moved) {
      const place = map.under(event.offsetX, event.offsetY);
      if (place >= 0) megafish.open(place);
      map.draw();
    }
  });
  canvas.addEventListener("pointercancel", () => { press = map.outline = null; map.draw(); });
  canvas.addEventListener("pointerleave", event => { if (!press) megafish.hover(event, -1); });
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    map.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.offsetX, event.offsetY);
  }, { passive: false });
  new ResizeObserver(() => map.resize()).observe(canvas);
  document.addEventListener("keydown", megafish.key);
  for (const one of document.querySelectorAll("button[data-tool]")) one.addEventListener("click", () => megafish.use(one.dataset.tool));
  find("whole").addEventListener("click", () => map.whole());
  find("clear").addEventListener("click", megafish.clear);
  find("more").addEventListener("click", megafish.moreTiles);
  find("repeats").addEventListener("change", megafish.colour);
  find("everything").addEventListener("click", () => { megafish.isolated.clear(); megafish.legend(); megafish.colour(); });
  find("colouring").addEventListener("change", () => { megafish.isolated.clear(); megafish.legend(); megafish.colour(); });
  let waiting = 0;
  find("search").addEventListener("input", event => { clearTimeout(waiting); waiting = setTimeout(() => megafish.search(event.target.value), 120); });
};

megafish.key = event => {
  const { map } = megafish, isWriting = event.target.matches("input[type=search], select");
  if (event.key === "Escape") { megafish.clear(); find("points").focus(); return; }
  if (isWriting || event.ctrlKey || event.metaKey || event.altKey) return;
  const middle = [map.width / 2, map.height / 2], step = 60, onMap = document.activeElement === map.points || document.activeElement === document.body;
  const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
  if (event.key in moves && onMap) map.pan(...moves[event.key]);
  else if (event.key === "+" || event.key === "=") map.zoom(1.3, ...middle);
  else if (event.key === "-") map.zoom(1 / 1.3, ...middle);
  else if (event.key === "0") map.whole();
  else if (event.key === "/") find("search").focus();
  else if ({ m: 1, b: 1, l: 1 }[event.key]) megafish.use({ m: "move", b: "box", l: "lasso" }[event.key]);
  else return;
  event.preventDefault();
};

megafish.start = () => {
  const { data, of } = megafish;
  document.title = `megafish explorer: ${data.title}`;
  find("title").textContent = data.title;
  data.colourings.forEach((one, place) => { const option = text("option", one.name); option.value = place; find("colouring").append(option); });
  const x = Float32Array.from(of.x), y = Float32Array.from(of.y);
  megafish.map = new megafish.Map(find("points"), find("marks"), x, y);
  megafish.use("move");
  megafish.listen();
  megafish.clear();
  megafish.map.afterDraw.push(() => { document.documentElement.dataset.drawn = "true"; });
};
