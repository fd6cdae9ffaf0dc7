import { LambchatError } from "../sdk/lambchat.js";
import { avatar, faceOf } from "./avatar.js";
import { byId } from "./dom.js";
import { act, into } from "./form.js";
import { nameOf } from "./format.js";

const SIDE_PX = 256; // as large as any place of the page shows it, on a fine screen

/** My picture: chosen from a file, made small here, uploaded. */
export class MyPicture {
  /**
   * @param {object} ports
   * @param {import("../sdk/lambchat.js").Lambchat} ports.client
   * @param {(me: object) => void} ports.onChange
   */
  constructor({ client, onChange }) {
    Object.assign(this, { client, onChange });
    const [choose, remove, input] = ["picture-choose", "picture-remove", "picture"].map(byId);
    const tell = into(byId("picture-error"));
    choose.addEventListener("click", () => input.click());
    remove.addEventListener("click", () => act(remove, tell, () => this.#set("")));
    input.addEventListener("change", () => {
      const [file] = input.files;
      input.value = ""; // so that the same file can be chosen again
      if (file) act(choose, tell, () => this.#upload(file));
    });
  }

  show(me) {
    byId("account-avatar").replaceChildren(avatar(faceOf(me, nameOf(me))));
    byId("picture-remove").hidden = !me.avatar;
  }

  async #upload(file) {
    const { id } = await this.client.attachments.upload(await small(file));
    await this.#set(id);
  }

  async #set(picture) {
    this.onChange(await this.client.people.changeMe({ avatar: picture }));
  }
}

/** The middle of a picture, as a small square; what a camera noted in the file, such as the place, is left out. */
async function small(file) {
  const picture = await createImageBitmap(file).catch(() => {
    throw new LambchatError("no_picture", "This browser cannot read the file as a picture.");
  });
  const side = Math.min(picture.width, picture.height);
  const [left, top] = [(picture.width - side) / 2, (picture.height - side) / 2];
  const canvas = new OffscreenCanvas(SIDE_PX, SIDE_PX);
  canvas.getContext("2d").drawImage(picture, left, top, side, side, 0, 0, SIDE_PX, SIDE_PX);
  const blob = await canvas.convertToBlob({ type: "image/webp" }); // or PNG, where that is not known
  return new File([blob], "picture", { type: blob.type });
}
