import { attachmentView } from "./attachment_view.js";
import { avatar } from "./avatar.js";
import { el, hiddenText, icon } from "./dom.js";
import { timeOf } from "./format.js";
import { partsOf } from "./message_rows.js";

const STATUS_TEXT = {
  sending: "Sending", sent: "Sent", delivered: "Delivered", read: "Read", failed: "Not sent",
};

/**
 * Draws a row into its element. What can be pressed says what it does in `data-act`.
 * @param {HTMLElement} element
 * @param {object} row From `rowsOf`.
 * @param {{linkOf: (row: object) => Promise<string>}} ports
 */
export function drawRow(element, row, ports) {
  if (row.kind !== "message") {
    element.className = `line ${row.kind}`;
    element.replaceChildren(el("span", { dir: "auto" }, row.text));
    return;
  }
  const is = { mine: row.isMine, "goes-on": row.goesOn, "with-face": row.face, mentioned: row.mentionsMe };
  element.className = ["message", ...Object.keys(is).filter((name) => is[name])].join(" ");
  if (row.seq) element.dataset.seq = row.seq;
  element.replaceChildren(...[
    row.face && !row.goesOn ? avatar(row.face) : null,
    el("div", { class: "bubble-row" }, bubble(row, ports), row.seq ? moreButton() : null),
    reactions(row),
    row.status === "failed" ? failure(row) : null,
    row.problem ? el("p", { class: "failure", role: "alert" }, row.problem) : null,
  ].filter(Boolean));
}

function bubble(row, ports) {
  const author = row.goesOn || row.isMine || !row.face
    ? hiddenText(`${row.isMine ? "You" : row.name}: `) : el("span", { class: "author", dir: "auto" }, row.name);
  return el("div", { class: "bubble" },
    author,
    row.isForwarded ? el("span", { class: "quote-name" }, "Forwarded") : null,
    row.reply ? quote(row.reply) : null,
    row.attachment ? attachmentView(row, ports) : null,
    row.text ? text(row) : null,
    meta(row));
}

function text({ text: content, isFaint, mentioned = [], mentionsMe }) {
  const parts = partsOf(content, mentioned).map(({ text: part, isMention }) => (
    isMention ? el("strong", { class: "mention" }, part) : part));
  const paragraph = el("p", { class: isFaint ? "text faint" : "text", dir: "auto" }, ...parts);
  return mentionsMe ? el("div", { class: "call" }, hiddenText("Mentions you: "), paragraph) : paragraph;
}

function quote({ seq, name, text: content }) {
  return el("button", { type: "button", class: "quote", "data-act": "jump", "data-to": `${seq}` },
    hiddenText("In reply to "), el("span", { class: "quote-name" }, name),
    el("span", { class: "quote-text", dir: "auto" }, content));
}

const moreButton = () => el("button", {
  type: "button", class: "icon-button more", "data-act": "menu", "aria-label": "What to do with this message",
  "aria-haspopup": "menu", title: "More",
}, icon("more"));

function reactions({ reactions: all = [] }) {
  if (all.length === 0) return null;
  return el("ul", { class: "reactions", "aria-label": "Reactions" }, ...all.map(({ emoji, count, isMine, names }) => (
    el("li", {}, el("button", {
      type: "button", class: "reaction", "data-act": "react", "data-emoji": emoji, title: names,
      "aria-pressed": String(isMine), "aria-label": `${emoji} ${count}: ${names}`,
    }, `${emoji} ${count}`)))));
}

const failure = ({ reason }) => el("p", { class: "failure" }, `Not sent: ${reason} `,
  el("button", { type: "button", class: "link", "data-act": "retry" }, "Try again"));

function meta({ time, status, isEdited }) {
  const shown = el("time", { datetime: time, title: new Date(time).toLocaleString() }, timeOf(time));
  const parts = status ? [icon(status), hiddenText(STATUS_TEXT[status])] : [];
  const attributes = { class: "meta", "data-status": status };
  return el("span", attributes, isEdited ? "edited " : null, shown, ...parts);
}
