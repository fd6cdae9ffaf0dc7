import { el } from "./dom.js";

const HUES = 8;

/** Where uploaded pictures are, by the ids of their attachments. */
const known = new Map();
let linkOf = null;

/** @param {(attachmentId: string) => Promise<string>} ask Where an uploaded picture is. */
export function askForPictures(ask) {
  linkOf = ask;
}

/** What `avatar` needs, of a user, or of a conversation (a direct one has the other's face). */
export const faceOf = ({ user, group, id, avatar: picture }, name) => (user
  ? faceOf(user, name) : { id, name, picture: picture ?? group?.avatar ?? "" });

/** A round picture of somebody: their image where this server has it, else their initial. */
export function avatar({ id, name, picture = "" }) {
  const hue = [...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 7) % HUES;
  const [initial = "?"] = name.trim();
  const face = el("span", { class: `avatar hue-${hue}`, "aria-hidden": "true" }, initial.toUpperCase());
  if (isOurs(picture)) show(face, picture);
  else if (known.has(picture)) show(face, known.get(picture), picture);
  else if (picture && !picture.includes(":")) ask(face, picture);
  return face;
}

// The Content-Security-Policy loads pictures from nowhere else, but for uploaded ones.
const isOurs = (url) => url.startsWith("data:image/") || url.startsWith(`${location.origin}/`);

function show(face, src, attachmentId = "") {
  const image = el("img", { src, alt: "" });
  const { textContent: initial } = face;
  image.addEventListener("error", () => {
    known.delete(attachmentId); // the link was good for some minutes only
    face.replaceChildren(initial);
  });
  face.replaceChildren(image);
}

async function ask(face, attachmentId) {
  const url = await linkOf?.(attachmentId).catch(() => null); // then the initial stays
  if (!url) return;
  known.set(attachmentId, url);
  show(face, url, attachmentId);
}
