import { byId } from "./dom.js";
import { Form } from "./form.js";

const TEXTS = {
  login: {
    title: "Welcome back", lead: "Sign in to go on with your conversations.", submit: "Sign in",
    question: "New here?", other: "Create an account", autocomplete: "current-password",
  },
  register: {
    title: "Create an account", lead: "Choose a user name; others find you by it.", submit: "Sign up",
    question: "You have an account?", other: "Sign in", autocomplete: "new-password",
  },
};

/** The form for signing in and up. */
export class SignIn {
  #mode = "login";

  /** @param {{client: import("../sdk/lambchat.js").Lambchat, onSignedIn: () => void}} ports */
  constructor({ client, onSignedIn }) {
    this.client = client;
    this.onSignedIn = onSignedIn;
    this.form = new Form(byId("sign-in-form"), (values) => this.#submit(values));
    byId("switch-mode").addEventListener("click", () => {
      this.#setMode(this.#mode === "login" ? "register" : "login");
      byId("username").focus();
    });
    byId("show-password").addEventListener("click", () => this.#togglePassword());
  }

  /** @param {string} [reason] Why the last session ended, where that needs saying. */
  show(reason) {
    byId("sign-in").hidden = false;
    this.#setMode("login");
    this.form.showErrors(reason);
    byId("username").focus();
  }

  hide() {
    byId("sign-in").hidden = true;
    this.form.reset();
  }

  #setMode(mode) {
    const texts = TEXTS[mode];
    this.#mode = mode;
    byId("sign-in-title").textContent = texts.title;
    byId("sign-in-lead").textContent = texts.lead;
    byId("sign-in-submit").textContent = texts.submit;
    byId("switch-text").textContent = texts.question;
    byId("switch-mode").textContent = texts.other;
    byId("password").autocomplete = texts.autocomplete;
    byId("nickname-field").hidden = mode === "login";
    this.form.showErrors();
  }

  #togglePassword() {
    const shown = byId("password").type === "text";
    byId("password").type = shown ? "password" : "text";
    byId("show-password").setAttribute("aria-pressed", String(!shown));
    byId("show-password").textContent = shown ? "Show" : "Hide";
  }

  async #submit({ username: given, password, nickname }) {
    const username = given.trim();
    try {
      if (this.#mode === "register") {
        await this.client.register({ username, password, nickname: nickname.trim() || undefined });
      }
      await this.client.login({ username, password, deviceName: deviceName() });
    } catch (error) {
      error.message = SENTENCES[error.code] ?? error.message;
      throw error;
    }
    this.onSignedIn();
  }
}

const SENTENCES = {
  invalid_credentials: "The user name or the password is wrong.",
  username_taken: "This user name is taken. Please choose another one.",
  banned: "This account is banned.",
};

function deviceName() {
  const { userAgentData, userAgent } = navigator;
  // Chromium puts a made-up "Not A Brand" among its names.
  const brand = userAgentData?.brands?.find((one) => !/not.?a/i.test(one.brand))?.brand;
  const browser = brand ?? /Firefox|Safari|Edg|Chrome/.exec(userAgent)?.[0];
  return [browser ?? "Browser", userAgentData?.platform].filter(Boolean).join(" on ");
}
