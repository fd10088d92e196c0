"use strict";
/* A tile's video at its second, or, where no browser plays it, the crop enlarged. */

megafish.video = (() => {
  const {byId, element, nameElement} = megafish;
  const ENLARGED = 3;
  const panel = byId("player"), screen = byId("screen"), told = byId("player-said"), link = byId("player-link");

  const ending = file => /\.([^./\\]+)$/.exec(file ?? "")?.[1].toLowerCase() ?? "";

  function enlarged(data, place) {
    const image = megafish.tiles.picture(data, place, "the crop, enlarged");
    image.style.transform = `scale(${ENLARGED})`;
    image.removeAttribute("loading");
    const frame = element("div", {class: "enlarged"}, image);
    frame.style.width = frame.style.height = `${ENLARGED * megafish.index.tile_px}px`;
    return frame;
  }

  function open(data, place) {
    const from = megafish.tiles.source(data, place), address = megafish.tiles.address(data, place);
    const seconds = megafish.tiles.seconds(data, place) ?? "its start";
    byId("player-title").replaceChildren(nameElement(from.video), ` at ${seconds}`);
    screen.replaceChildren();
    link.replaceChildren();
    if (address === null) {
      told.textContent = "There is no video of it: this is the crop, enlarged.";
    } else {
      link.append(element("a", {href: address, target: "_blank", rel: "noopener noreferrer"}, "Open the file in a tab"));
      const format = ending(from.video);
      if (megafish.index.unplayed.includes(format)) cannot(`no browser plays .${format} files`, seconds);
      else play(address, seconds);
    }
    screen.append(enlarged(data, place));
    panel.showModal();
    byId("player-close").focus();
  }

  function cannot(why, seconds) {
    screen.querySelector("video")?.remove();
    told.textContent = `Here is the crop, enlarged, since ${why}. A video player shows the fish at ${seconds}.`;
  }

  function play(address, seconds) {
    told.textContent = "";
    const video = element("video", {controls: true, muted: true, preload: "auto"});
    video.muted = true;
    video.addEventListener("error", () => cannot("this browser could not open the video", seconds));
    video.src = address;
    screen.append(video);
  }

  function stop() {
    const video = screen.querySelector("video");
    if (video) { video.removeAttribute("src"); video.load(); }
    screen.replaceChildren();
  }

  panel.addEventListener("close", stop);
  byId("player-close").addEventListener("click", () => panel.close());
  return {open};
})();
