/** The element with this id; the page has it, or the page is broken. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no #${id}.`);
  return element;
}

/**
 * An element. Text is always set as text: nothing that a user wrote is ever parsed as HTML.
 * @param {string} tag
 * @param {Record<string, string | boolean | null>} attributes `true` sets an empty one; `false` and
 *   `null` leave it out.
 * @param {...(Node | string | null)} children
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Text for screen readers only. */
export const hiddenText = (text) => el("span", { class: "visually-hidden" }, text);

/** One of the icons that index.html holds as templates. */
export const icon = (name) => byId(`icon-${name}`).content.firstElementChild.cloneNode(true);

/** Shows the text in the element, or hides the element when there is none. */
export function setNote(element, text) {
  element.hidden = !text;
  element.textContent = text ?? "";
}
