"use strict";
/* How the page builds what it shows. A text of the data becomes a text node, and nothing else: no markup is ever read
   from a string, which the page's policy (trusted types) would refuse as well. */

/** An element with these attributes, which are ours, and these children; a string among them is text. */
megafish.element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
};

/** A name as it was given, whichever way its letters run: it can't turn the words about it round. */
megafish.nameElement = name => megafish.element("bdi", {}, name);

/** One composed line, without letters that nobody sees, such as those that turn the direction of writing: as
    `clean_text` in `said.py` keeps it. */
megafish.cleaned = text => text.replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "").normalize("NFC")
  .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();

megafish.byId = id => document.getElementById(id);

megafish.many = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

/** The time in UTC to the millisecond, as 2026-05-01T12:00:00.000Z. */
megafish.now = () => new Date().toISOString();
