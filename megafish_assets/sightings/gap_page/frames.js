"use strict";
/* The page: which frame is shown, what is said of its boxes, what a click and a key do.

   answer = {seen: time or null, boxes: the boxes that were shown, wrong: {box: status}, missed: [box]}, of one frame; a
   box is [x, y, width, height], px of the frame stretched to 1024 by 1024, as text where it is a key. Kept by the
   browser under this page's own address, by video and frame; where the boxes are others now, nobody has seen them. */

(() => {
  const {byId, element, many, now} = megafish;
  const {frames} = megafish.index;
  const SIDE = 1024, NEXT = {found: "not_fish", not_fish: "twice", twice: "found"};
  const WORDS = {found: "an animal", not_fish: "no animal", twice: "a second box of an animal"};
  const SMALLEST = 4;  // px of the stretched frame: a shorter drag was meant as a click
  const CLICKED = 40;  // side of a clicked mark, where the frame has no box to be like
  const SAME = 0.5;  // overlap from which on a drawn box is the detector's own: FOUND_IOU of gap.py
  const PREFIX = `megafish frames ${location.pathname} `;
  const memory = new Map();
  let place = 0, isKept = true;

  /* ---- what is kept ---- */

  const keyOf = frame => `${frame.video} ${frame.frame}`;

  function get(name) {
    if (memory.has(name)) return memory.get(name);
    try { return localStorage.getItem(PREFIX + name); } catch { isKept = false; return null; }
  }

  function set(name, text) {
    memory.set(name, text);
    try { localStorage.setItem(PREFIX + name, text); } catch { isKept = false; }  // refused for files, or full
  }

  const named = box => box.join(" ");
  const shownIn = frame => frame.boxes.map(([, , ...box]) => named(box)).join(";");
  const statusOf = (said, box) => said.wrong[named(box)] ?? "found";
  const nothing = frame => ({seen: null, boxes: shownIn(frame), wrong: {}, missed: []});

  function answer(frame) {
    try {
      const kept = JSON.parse(get(keyOf(frame)));
      if (kept && kept.wrong && kept.missed) return {...kept, seen: kept.boxes === shownIn(frame) ? kept.seen : null};
    } catch {}  // of another program under the same address
    return nothing(frame);
  }

  const isTouched = said => said.seen !== null || said.missed.length > 0 || Object.keys(said.wrong).length > 0;

  /* ---- what is shown ---- */

  function show() {
    const frame = frames[place], said = answer(frame);
    byId("title").textContent = `Frame ${place + 1} of ${frames.length}`;
    byId("facts").textContent = `${frame.video}, frame ${frame.frame}, ${frame.seconds.toFixed(1)} s; `
      + many(frame.boxes.length, "box").replace(/boxs$/, "boxes")
      + (said.seen ? "; you have seen it" : frame.seen ? "; seen before, and in the table" : "");
    if (byId("still").getAttribute("src") !== frame.picture) byId("still").src = frame.picture;
    byId("still").alt = `Frame ${frame.frame} of ${frame.video}`;
    const marks = [];
    frame.boxes.forEach(([, , ...box], number) => {
      const status = statusOf(said, box);
      marks.push(mark(box, status, `box ${number + 1}: ${WORDS[status]}`, () => {
        change(kept => {
          const next = NEXT[statusOf(kept, box)];
          if (next === "found") delete kept.wrong[named(box)]; else kept.wrong[named(box)] = next;
          say(`Box ${number + 1}: ${WORDS[next]}.`);
        });
      }));
    });
    said.missed.forEach((box, number) => marks.push(mark(box, "missed", `missed animal ${number + 1}`, () => change(kept => {
      kept.missed.splice(number, 1);
      say("The mark is gone.");
    }))));
    // The smaller above the larger, or a fish before another could not be clicked.
    const area = ({style}) => parseFloat(style.width) * parseFloat(style.height);
    byId("marks").replaceChildren(...marks.sort((one, other) => area(other) - area(one)));
    if (place + 1 < frames.length) new Image().src = frames[place + 1].picture;
    progress();
  }

  function mark([x, y, width, height], status, label, act) {
    const made = element("button", {type: "button", class: status, "aria-label": label, title: label});
    Object.assign(made.style, percent(x, y, width, height));
    made.addEventListener("click", act);
    return made;
  }

  const percent = (x, y, width, height) => ({
    left: `${x / SIDE * 100}%`, top: `${y / SIDE * 100}%`, width: `${width / SIDE * 100}%`, height: `${height / SIDE * 100}%`,
  });

  function say(text) { byId("said").textContent = text; }

  function counts() {
    let n_seen = 0, n_found = 0, n_missed = 0;
    for (const frame of frames) {
      const said = answer(frame);
      if (said.seen === null) continue;
      n_seen++;
      n_found += frame.boxes.filter(([, , ...box]) => statusOf(said, box) === "found").length;
      n_missed += said.missed.length;
    }
    return {n_seen, n_found, n_missed};
  }

  function progress() {
    const {n_seen, n_found, n_missed} = counts(), n = n_found + n_missed;
    byId("bar").max = Math.max(1, frames.length);
    byId("bar").value = n_seen;
    byId("counted").textContent = `${n_seen} of ${many(frames.length, "frame")} seen`
      + (n ? ` · found ${n_found} of ${many(n, "animal")}` : "");
    byId("warning").hidden = isKept;
    byId("warning").textContent = isKept ? "" : "This browser keeps no work of this page: save before you close it.";
  }

  /* ---- what is said ---- */

  function change(act) {
    const frame = frames[place], said = answer(frame);
    act(said);
    said.boxes = shownIn(frame);
    if (said.seen !== null) said.seen = now();
    set(keyOf(frame), JSON.stringify(said));
    show();
  }

  function seen() {
    change(said => { said.seen = now(); });
    const next = [...frames.keys()].map(step => (place + 1 + step) % frames.length)
      .find(other => answer(frames[other]).seen === null && !frames[other].seen);
    if (next === undefined) return say("All frames are seen: save, and hand the file to megafish.");
    say("");
    go(next);
  }

  function undo() {
    const frame = frames[place];
    set(keyOf(frame), JSON.stringify(nothing(frame)));
    say("Nothing is said of this frame.");
    show();
  }

  function go(other) {
    place = Math.max(0, Math.min(frames.length - 1, other));
    show();
  }

  /** A mark where a person clicked, as large as the boxes of this frame mostly are. */
  function clicked(x, y) {
    const middle = side => frames[place].boxes.map(box => box[side]).sort((a, b) => a - b);
    const usual = side => { const all = middle(side); return all.length ? all[all.length >> 1] : CLICKED; };
    const width = usual(4), height = usual(5);
    return [x - width / 2, y - height / 2, width, height];
  }

  function overlap([ax, ay, aw, ah], [bx, by, bw, bh]) {
    const shared = Math.max(0, Math.min(ax + aw, bx + bw) - Math.max(ax, bx)) * Math.max(0, Math.min(ay + ah, by + bh) - Math.max(ay, by));
    return shared / (aw * ah + bw * bh - shared);
  }

  function within([x, y, width, height]) {
    const left = Math.max(0, x), top = Math.max(0, y);
    return [left, top, Math.min(SIDE, x + width) - left, Math.min(SIDE, y + height) - top].map(side => Math.round(side * 10) / 10);
  }

  function add(drawn) {
    const box = within(drawn);
    if (frames[place].boxes.some(([, , ...other]) => overlap(box, other) >= SAME))
      return say("That is the detector's own box: nothing was missed there.");
    change(said => said.missed.push(box));
    say("Marked as missed.");
  }

  /* ---- drawing ---- */

  let from = null, drawn = null;

  function at(event) {
    const {left, top, width, height} = byId("marks").getBoundingClientRect();
    const limit = value => Math.max(0, Math.min(SIDE, value));
    return [limit((event.clientX - left) / width * SIDE), limit((event.clientY - top) / height * SIDE)];
  }

  const spanned = ([ax, ay], [bx, by]) => [Math.min(ax, bx), Math.min(ay, by), Math.abs(ax - bx), Math.abs(ay - by)];
  const isDrag = ([, , width, height]) => width >= SMALLEST && height >= SMALLEST;

  byId("picture").addEventListener("pointerdown", event => {
    if (event.button !== 0) return;
    from = at(event);
    document.activeElement.blur();  // the keys are the picture's again
    event.preventDefault();
  });
  addEventListener("pointermove", event => {
    if (from === null) return;
    const box = spanned(from, at(event));
    if (!isDrag(box)) return;
    drawn ??= byId("marks").appendChild(element("div", {class: "drawn"}));
    Object.assign(drawn.style, percent(...box));
  });
  addEventListener("pointerup", event => {
    if (from === null) return;
    const box = spanned(from, at(event)), isOnMark = event.target.closest?.("#marks button");
    const start = from;
    from = null;
    drawn?.remove();
    drawn = null;
    if (isDrag(box)) {
      // The click that follows a drag is none.
      addEventListener("click", after => { after.stopPropagation(); after.preventDefault(); }, {capture: true, once: true});
      setTimeout(() => add(box));
    } else if (!isOnMark) add(clicked(...start));
  });
  addEventListener("pointercancel", () => { from = null; drawn?.remove(); drawn = null; });

  /* ---- saving ---- */

  function labels() {
    const found = [];
    for (const frame of frames) {
      const said = answer(frame);
      if (said.seen === null) continue;
      const label = (key, tracklet, box, status) => ({
        key, video: frame.video, record: {backbone: null, recipe: null, fit: null}, name: null, status, by: null, at: said.seen,
        row: [tracklet, frame.frame, ...(box ?? [null, null, null, null]), null, null, null],
      });
      for (const [id, tracklet, ...box] of frame.boxes) {
        const own = tracklet === null ? null : tracklet.slice(tracklet.indexOf("/") + 1);
        found.push(label(id, own, box, statusOf(said, box)));
      }
      for (const box of said.missed) found.push(label("", null, box, "missed"));
      found.push(label("", null, null, "looked_at"));
    }
    return found;
  }

  function save() {
    const person = byId("person").value.replace(/\s+/g, " ").trim();
    if (!person) { say("Who is looking? Write your name at the top."); return byId("person").focus(); }
    const {n_seen} = counts();
    if (n_seen === 0) return say("No frame is seen yet: press Enter when you have seen all that is in one.");
    const file = new Blob([megafish.csv.text(labels(), person)], {type: "text/csv;charset=utf-8"});
    const link = element("a", {download: "frames.csv"});
    link.href = URL.createObjectURL(file);
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    set("saved", now());
    const touched = frames.filter(frame => isTouched(answer(frame)) && answer(frame).seen === null).length;
    say(`frames.csv: ${many(n_seen, "frame")}, among this browser's downloads.`
      + (touched ? ` ${many(touched, "frame")} with marks, but not yet seen, are left out.` : ""));
  }

  /* ---- keys ---- */

  const toggle = (name, button, words) => {
    const isOn = document.body.classList.toggle(name);
    byId(button).firstChild.textContent = `${words[isOn ? 1 : 0]} `;
  };
  const bare = () => toggle("bare", "boxes", ["Hide boxes", "Show boxes"]);
  const zoom = () => toggle("large", "zoom", ["Larger", "Smaller"]);
  const KEYS = {Enter: seen, ArrowLeft: () => go(place - 1), ArrowRight: () => go(place + 1), b: bare, z: zoom,
    Backspace: undo, s: save};

  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.activeElement.id === "person") return;
    if (event.key === "Enter" && document.activeElement.matches("#marks button")) return;
    if (!Object.hasOwn(KEYS, event.key) || frames.length === 0) return;
    KEYS[event.key]();
    event.preventDefault();
  });
  for (const [id, act] of Object.entries({seen, undo, save, boxes: bare, zoom, before: () => go(place - 1), after: () => go(place + 1)})) {
    byId(id).addEventListener("click", event => { if (frames.length) act(); event.currentTarget.blur(); });
  }
  byId("person").value = get("person") ?? "";
  byId("person").addEventListener("change", () => set("person", byId("person").value));
  byId("person").addEventListener("keydown", event => { if (event.key === "Enter") event.target.blur(); });

  if (frames.length === 0) say("There is no frame that can be shown: the videos can't be read, or nothing was searched.");
  else go(Math.max(0, frames.findIndex(frame => answer(frame).seen === null && !frame.seen)));
})();
