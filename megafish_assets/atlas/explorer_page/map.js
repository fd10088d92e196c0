"use strict";
// The map: points written as pixels of one picture, at the display's own resolution. It needs no GPU and no library:
// 100,000 points cost one pass over three arrays, whatever their colours are.

const megafish = {};

megafish.GROUND = 0xff1c1610; // as the page's, but in the order of a canvas: alpha, blue, green, red
megafish.GRID = 192; // cells a side, for what lies under the pointer
megafish.REACH = 9; // px from the pointer to a point that it means
megafish.STEPS = 65535; // of a coordinate

megafish.Map = class {
  constructor(points, marks, x, y) {
    this.points = points;
    this.marks = marks;
    this.x = x;
    this.y = y;
    this.n = x.length;
    this.colours = new Uint32Array(this.n); // 0: not drawn
    this.quiet = new Uint8Array(this.n); // 1: drawn first, so that what is meant lies above
    this.ringed = []; // places
    this.around = -1; // the crop that the ringed ones are like
    this.hovered = -1;
    this.outline = null; // of a box or lasso being drawn, [x, y, x, y, ...]
    this.asked = false;
    this.afterDraw = [];
    this.context = points.getContext("2d", { alpha: false, willReadFrequently: true }); // kept where the pixels are made
    this.ink = marks.getContext("2d");
    this.cells = megafish.cells(x, y);
    this.resize();
    this.whole();
  }

  resize() {
    this.ratio = window.devicePixelRatio || 1;
    this.width = this.points.clientWidth;
    this.height = this.points.clientHeight;
    for (const canvas of [this.points, this.marks]) {
      canvas.width = Math.max(1, Math.round(this.width * this.ratio));
      canvas.height = Math.max(1, Math.round(this.height * this.ratio));
    }
    this.picture = this.context.createImageData(this.points.width, this.points.height);
    this.pixels = new Uint32Array(this.picture.data.buffer);
    this.draw();
  }

  whole() {
    const margin = 36, left = Math.min(240, this.width / 4);
    const scale = Math.min(this.width - left - margin, this.height - 2 * margin) / megafish.STEPS;
    this.scale = this.least = Math.max(scale, 1e-6);
    this.left = left + (this.width - left - margin - megafish.STEPS * scale) / 2;
    this.top = (this.height - megafish.STEPS * scale) / 2;
    this.draw();
  }

  screen(place) {
    return [this.left + this.x[place] * this.scale, this.top + this.y[place] * this.scale];
  }

  pan(dx, dy) {
    this.left += dx;
    this.top += dy;
    this.draw();
  }

  zoom(by, x, y) {
    const scale = Math.min(Math.max(this.scale * by, this.least / 2), this.least * 400);
    this.left = x - (x - this.left) * scale / this.scale;
    this.top = y - (y - this.top) * scale / this.scale;
    this.scale = scale;
    this.draw();
  }

  show(place) { // moves the map where a crop is out of sight
    const [x, y] = this.screen(place);
    if (x < 20 || y < 20 || x > this.width - 20 || y > this.height - 20) this.pan(this.width / 2 - x, this.height / 2 - y);
  }

  draw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.drawPoints();
      this.drawMarks();
      for (const told of this.afterDraw) told();
    });
  }

  radius() { // px of the display: large where points are few, or far apart
    const few = this.n < 5000 ? 3.2 : this.n < 30000 ? 2.2 : 1.4;
    return Math.min(6, few * Math.pow(this.scale / this.least, 0.25)) * this.ratio;
  }

  drawPoints() {
    const { pixels, colours, quiet, x, y, n } = this;
    const width = this.points.width, height = this.points.height;
    const radius = this.radius(), reach = Math.ceil(radius);
    const inner = [], edge = [];
    for (let dy = -reach; dy <= reach; dy++) for (let dx = -reach; dx <= reach; dx++) {
      const apart = Math.hypot(dx, dy);
      if (apart <= radius - 0.5) inner.push(dy * width + dx);
      else if (apart < radius + 0.5) edge.push(dy * width + dx);
    }
    pixels.fill(megafish.GROUND);
    const scale = this.scale * this.ratio, left = this.left * this.ratio, top = this.top * this.ratio;
    const right = width - reach - 1, bottom = height - reach - 1;
    for (let turn = 1; turn >= 0; turn--) for (let i = 0; i < n; i++) {
      if (quiet[i] !== turn || colours[i] === 0) continue;
      const px = (left + x[i] * scale) | 0, py = (top + y[i] * scale) | 0;
      if (px < reach || py < reach || px > right || py > bottom) continue;
      const at = py * width + px, colour = colours[i], half = (colour & 0xfefefe) >>> 1;
      for (let k = 0; k < edge.length; k++) pixels[at + edge[k]] = (0xff000000 | (((pixels[at + edge[k]] & 0xfefefe) >>> 1) + half)) >>> 0;
      for (let k = 0; k < inner.length; k++) pixels[at + inner[k]] = colour;
    }
    this.context.putImageData(this.picture, 0, 0);
  }

  drawMarks() {
    const ink = this.ink, radius = this.radius() / this.ratio;
    ink.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    ink.clearRect(0, 0, this.width, this.height);
    if (this.around >= 0) {
      const [ax, ay] = this.screen(this.around);
      ink.strokeStyle = "rgba(255,255,255,.28)";
      ink.lineWidth = 1;
      ink.beginPath();
      for (const place of this.ringed) { ink.moveTo(ax, ay); ink.lineTo(...this.screen(place)); }
      ink.stroke();
    }
    ink.lineWidth = 1.5;
    ink.strokeStyle = "#ffffff";
    for (const place of this.ringed) this.ring(place, radius + 2);
    if (this.around >= 0) { ink.lineWidth = 2.5; ink.strokeStyle = "#6cc4ff"; this.ring(this.around, radius + 5); }
    if (this.hovered >= 0) { ink.lineWidth = 2; ink.strokeStyle = "#ffffff"; this.ring(this.hovered, radius + 4); }
    if (this.outline) {
      ink.beginPath();
      for (let k = 0; k < this.outline.length; k += 2) ink.lineTo(this.outline[k], this.outline[k + 1]);
      ink.closePath();
      ink.fillStyle = "rgba(108,196,255,.14)";
      ink.fill();
      ink.lineWidth = 1.5;
      ink.strokeStyle = "#6cc4ff";
      ink.stroke();
    }
  }

  ring(place, radius) {
    const [x, y] = this.screen(place);
    this.ink.beginPath();
    this.ink.arc(x, y, radius, 0, 7);
    this.ink.stroke();
  }

  under(x, y) { // the nearest crop within reach of a place on the screen; -1 for none
    const dataX = (x - this.left) / this.scale, dataY = (y - this.top) / this.scale;
    const reach = megafish.REACH / this.scale;
    let best = -1, nearest = reach * reach;
    this.cells.within(dataX - reach, dataY - reach, dataX + reach, dataY + reach, i => {
      if (this.colours[i] === 0 || this.quiet[i]) return;
      const dx = this.x[i] - dataX, dy = this.y[i] - dataY, apart = dx * dx + dy * dy;
      if (apart < nearest) { nearest = apart; best = i; }
    });
    return best;
  }

  inside(outline) { // places of the crops within an outline on the screen
    const xs = outline.filter((_, k) => k % 2 === 0).map(x => (x - this.left) / this.scale);
    const ys = outline.filter((_, k) => k % 2).map(y => (y - this.top) / this.scale);
    const found = [], bound = (values, which) => values.reduce((a, b) => which(a, b));
    this.cells.within(bound(xs, Math.min), bound(ys, Math.min), bound(xs, Math.max), bound(ys, Math.max), i => {
      if (this.colours[i] === 0 || this.quiet[i]) return;
      let within = false; // an outline is crossed an odd number of times from a point inside
      for (let a = 0, b = xs.length - 1; a < xs.length; b = a++) {
        if (ys[a] > this.y[i] !== ys[b] > this.y[i] && this.x[i] < (xs[b] - xs[a]) * (this.y[i] - ys[a]) / (ys[b] - ys[a]) + xs[a]) within = !within;
      }
      if (within) found.push(i);
    });
    return found.sort((a, b) => a - b);
  }
};

megafish.cells = (x, y) => { // points by the cell of a grid that they lie in, so that few of them are asked
  const side = megafish.GRID, cell = i => ((y[i] * side) >> 16) * side + ((x[i] * side) >> 16);
  const starts = new Uint32Array(side * side + 1), places = new Uint32Array(x.length);
  for (let i = 0; i < x.length; i++) starts[cell(i) + 1]++;
  for (let c = 0; c < side * side; c++) starts[c + 1] += starts[c];
  const next = starts.slice();
  for (let i = 0; i < x.length; i++) places[next[cell(i)]++] = i;
  const clip = value => Math.min(side - 1, Math.max(0, Math.floor(value * side / 65536)));
  return {
    within(x0, y0, x1, y1, told) {
      for (let row = clip(y0); row <= clip(y1); row++)
        for (let k = starts[row * side + clip(x0)]; k < starts[row * side + clip(x1) + 1]; k++) told(places[k]);
    },
  };
};
