"use strict";
/* Labels as the file that megafish reads: comma-separated values after RFC 4180, in UTF-8, times in UTC. */

megafish.csv = (() => {
  const HEADER = [
    "detection_id", "tracklet_id", "video", "frame_id", "x_1024", "y_1024", "width_1024", "height_1024", "cluster",
    "kind_id", "place_id", "backbone", "recipe", "fit_version", "label", "scientific_name", "aphia_id", "status",
    "labelled_by", "labelled_at", "note",
  ];

  /** A text that no spreadsheet takes for a formula: one that begins like one gets an apostrophe before it, and so does
      one that begins with an apostrophe. Whoever reads it takes one leading apostrophe away. */
  const guarded = text => (/^[=+\-@'\t\r]/.test(text) ? `'${text}` : text);

  function cell(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = guarded(String(value));
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  /** The detection_id in a key, see `keyOf` in store.js; null where it is of a place that no crop shows, or of a box that
      is none of the detector's. */
  function detectionOf(key, place) {
    const detection = key.startsWith(`${place} `) ? key.slice(place.length + 1) : key;
    return detection.includes("/") ? detection : null;
  }

  function line(label, person) {
    const {key, record, row} = label;
    const [tracklet, frame, x, y, width, height, cluster, kind, place] = row;
    const detection = detectionOf(key, place);
    const video = detection === null ? label.video ?? null : detection.slice(0, detection.indexOf("/"));
    const [name, scientific, aphia, isListed] = label.name ?? [null, null, null, true];
    return [
      detection, tracklet === null ? null : `${video}/${tracklet}`, video, frame, x, y, width, height,
      cluster, kind, place, record.backbone, record.recipe, record.fit, name, scientific, aphia, label.status,
      label.by ?? person, label.at, isListed ? null : "free name",
    ].map(cell).join(",");
  }

  /** The whole file. */
  function text(labels, person) {
    const lines = labels.map(label => line(label, person));
    return [HEADER.join(","), ...lines, `# end, ${labels.length} labels`, ""].join("\r\n");
  }

  return {text};
})();
