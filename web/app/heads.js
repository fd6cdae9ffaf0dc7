import { byId } from "./dom.js";

/** Gives each pane and each dialog with a list the head that they all have. */
export function giveHeads() {
  for (const pane of document.querySelectorAll(".pane")) {
    const head = byId("pane-head").content.cloneNode(true);
    head.querySelector(".name").textContent = pane.dataset.title;
    pane.prepend(head);
  }
  for (const dialog of document.querySelectorAll("dialog.search")) {
    const head = byId("dialog-head").content.cloneNode(true);
    head.querySelector("h2").id = dialog.getAttribute("aria-labelledby"); // who opens it says what it is
    head.querySelector("button").addEventListener("click", () => dialog.close());
    dialog.prepend(head);
  }
}
