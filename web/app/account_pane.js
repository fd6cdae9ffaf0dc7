import { confirmed } from "./confirm.js";
import { byId, el, hiddenText } from "./dom.js";
import { act, Form, into, sentenceOf } from "./form.js";
import { dayOf, timeOf } from "./format.js";
import { KeyedList } from "./keyed_list.js";
import { MyData } from "./my_data.js";

const INPUTS = { nickname: "my-nickname", signature: "my-signature", avatar: "my-avatar-url", gender: "my-gender" };

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
    this.devices = new KeyedList(byId("devices"), (item, device) => this.#drawDevice(item, device));
    const everywhere = byId("log-out-everywhere");
    const tell = into(byId("devices-error"));
    everywhere.addEventListener("click", () => act(everywhere, tell, () => this.#logOutEverywhere()));
    byId("devices-retry").addEventListener("click", () => this.#loadDevices());
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
    byId("account-username").textContent = `@${me.username}`;
  }

  /** What another device changed; not over what is being written here. */
  async #loadProfile(shown) {
    const me = await this.client.people.me().catch(() => shown);
    const isUntouched = Object.entries(INPUTS).every(([field, id]) => byId(id).value === (shown[field] ?? ""));
    if (isUntouched) this.#fill(me);
    this.onChange(me);
  }

  async #saveProfile({ nickname, signature, avatar, gender }) {
    const me = await this.client.people.changeMe({
      nickname: nickname.trim(), signature: signature.trim(), avatar: avatar.trim(), gender,
    });
    this.onChange(me);
  }

  async #changePassword({ old_password: oldPassword, new_password: newPassword }) {
    await this.client.people.changePassword({ oldPassword, newPassword });
    this.password.form.reset();
    this.#loadDevices();
  }

  async #loadDevices() {
    byId("devices-problem").hidden = true;
    try {
      const { items } = await this.client.people.sessions();
      this.devices.render(items.map(({ device_id: id, device_name: name, last_used_at: used, current }) => ({
        id, name: name || "Unnamed device", used: `${dayOf(used)}, ${timeOf(used)}`, current,
      })));
    } catch (error) {
      byId("devices-problem").hidden = false;
      byId("devices-problem-text").textContent = sentenceOf(error);
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
