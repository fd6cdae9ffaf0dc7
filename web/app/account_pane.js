import { confirmed } from "./confirm.js";
import { byId, el, hiddenText } from "./dom.js";
import { act, Form, into } from "./form.js";
import { dayOf, nameOf, timeOf } from "./format.js";
import { KeyedList } from "./keyed_list.js";
import { MyData } from "./my_data.js";
import { MyPicture } from "./my_picture.js";
import { Problem } from "./problem.js";

const INPUTS = { nickname: "my-nickname", signature: "my-signature", gender: "my-gender" };

/** My own account: profile, password, devices, data. */
export class AccountPane {
  /**
   * @param {object} ports
   * @param {import("../sdk/lambchat.js").Lambchat} ports.client
   * @param {(me: object) => void} ports.onChange
   */
  constructor({ client, onChange }) {
    Object.assign(this, { client, onChange });
    this.profile = new Form(byId("profile-form"), (values) => this.#saveProfile(values), "Saved.");
    this.password = new Form(
      byId("password-form"), (values) => this.#changePassword(values),
      "Your password is changed, and your other devices are logged out.");
    this.data = new MyData(client);
    this.picture = new MyPicture({ client, onChange: (me) => this.#changed(me) });
    this.devices = new KeyedList(byId("devices"), (item, device) => this.#drawDevice(item, device));
    const everywhere = byId("log-out-everywhere");
    const tell = into(byId("devices-error"));
    everywhere.addEventListener("click", () => act(everywhere, tell, () => this.#logOutEverywhere()));
    this.problem = new Problem("devices-problem", () => this.#loadDevices());
  }

  async show(me) {
    this.profile.reset();
    this.password.reset();
    this.#fill(me);
    byId("account-title").focus();
    await Promise.all([this.#loadProfile(me), this.#loadDevices()]);
  }

  #fill(me) {
    for (const [field, id] of Object.entries(INPUTS)) byId(id).value = me[field] ?? "";
    this.#head(me);
  }

  #head(me) {
    byId("account-title").textContent = nameOf(me);
    byId("account-username").textContent = `@${me.username}`;
    this.picture.show(me);
  }

  #changed(me) {
    this.#head(me);
    this.onChange(me);
  }

  /** What another device changed; not over what is being written here. */
  async #loadProfile(shown) {
    const me = await this.client.people.me().catch(() => shown);
    const isUntouched = Object.entries(INPUTS).every(([field, id]) => byId(id).value === (shown[field] ?? ""));
    if (isUntouched) this.#fill(me);
    this.#changed(me);
  }

  async #saveProfile({ nickname, signature, gender }) {
    const changes = { nickname: nickname.trim(), signature: signature.trim(), gender };
    this.#changed(await this.client.people.changeMe(changes));
  }

  async #changePassword({ old_password: oldPassword, new_password: newPassword }) {
    await this.client.people.changePassword({ oldPassword, newPassword });
    this.password.form.reset();
    this.#loadDevices();
  }

  async #loadDevices() {
    this.problem.show(null);
    try {
      const { items } = await this.client.people.sessions();
      this.devices.render(items.map(({ device_id: id, device_name: name, last_used_at: used, current }) => ({
        id, name: name || "Unnamed device", used: `${dayOf(used)}, ${timeOf(used)}`, current,
      })));
    } catch (error) {
      this.problem.show(error);
    }
  }

  #drawDevice(item, { id, name, used, current }) {
    const button = el("button", { type: "button", class: "secondary" }, "Log out", hiddenText(` ${name}`));
    const note = el("p", { class: "field-error", role: "alert", hidden: true });
    button.addEventListener("click", () => act(button, into(note), () => this.#logOut(id, current)));
    item.replaceChildren(
      el("div", { class: "device" },
        el("span", { class: "title", dir: "auto" }, name),
        el("span", { class: "preview" }, current ? "This device" : `Last used: ${used}`)),
      button, note);
  }

  async #logOut(deviceId, isThis) {
    if (isThis) {
      await this.client.logout();
      return;
    }
    await this.client.people.endSession(deviceId);
    await this.#loadDevices();
  }

  async #logOutEverywhere() {
    const isSure = await confirmed({
      title: "Log out everywhere?", text: "All your devices are logged out, this one too.",
      action: "Log out everywhere",
    });
    if (isSure) await this.client.logout({ allDevices: true });
  }
}
