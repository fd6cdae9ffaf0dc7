import { el, hiddenText } from "./dom.js";
import { sizeOf } from "./format.js";

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];

/** What a browser shows as a picture; a drawing with scripts in it is none. */
export const isPicture = ({ content_type: type }) => PICTURES.includes(type);

/** A picture that opens in a tab of its own, or a file to download. */
export function attachmentView(row, { linkOf }) {
  return isPicture(row.attachment) ? picture(row, linkOf) : file(row);
}

function picture(row, linkOf) {
  const { name } = row.attachment;
  const image = el("img", { alt: name, class: "picture", title: name });
  const link = el("a", { class: "picture-link", target: "_blank", rel: "noopener noreferrer" }, image);
  const fail = () => link.replaceChildren(el("span", { class: "failure" }, `${name} could not be loaded.`));
  image.addEventListener("error", fail);
  linkOf(row).then((url) => {
    image.src = url;
    link.href = url;
  }, fail);
  return link;
}

function file({ attachment: { name, size } }) {
  return el("button", { type: "button", class: "file", "data-act": "file" },
    el("span", { class: "file-name", dir: "auto" }, hiddenText("Download "), name),
    el("span", { class: "file-size" }, sizeOf(size)));
}
