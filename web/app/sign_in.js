import { byId, setNote } from "./dom.js";

const FIELDS = ["username", "nickname", "password"];
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
    this.form = byId("sign-in-form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
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
    setNote(byId("form-error"), reason);
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
    this.#showErrors("", []);
  }

  #togglePassword() {
    const shown = byId("password").type === "text";
    byId("password").type = shown ? "password" : "text";
    byId("show-password").setAttribute("aria-pressed", String(!shown));
    byId("show-password").textContent = shown ? "Show" : "Hide";
  }

  async #submit() {
    const values = this.#values();
    const missing = ["username", "password"].filter((field) => !values[field]);
    this.#showErrors("", missing.map((field) => ({ field, message: "This is needed." })));
    if (missing.length > 0) return;
    byId("sign-in-submit").disabled = true;
    try {
      if (this.#mode === "register") await this.client.register(values);
      await this.client.login({ ...values, deviceName: deviceName() });
      this.onSignedIn();
    } catch (error) {
      this.#showErrors(sentenceOf(error), error.errors ?? []);
    } finally {
      byId("sign-in-submit").disabled = false;
    }
  }

  #values() {
    const { username, nickname, password } = Object.fromEntries(new FormData(this.form));
    return { username: username.trim(), password, nickname: nickname.trim() || undefined };
  }

  #showErrors(general, errors) {
    const byField = new Map(errors.map(({ field, message }) => [field, message]));
    const elsewhere = errors.filter(({ field }) => !FIELDS.includes(field));
    const isSaid = byField.size > elsewhere.length; // beside the field that it is about
    const details = elsewhere.map(({ field, message }) => `${field}: ${message}`);
    setNote(byId("form-error"), [isSaid ? "" : general, ...details].filter(Boolean).join(" "));
    for (const field of FIELDS) {
      setNote(byId(`${field}-error`), byField.get(field));
      byId(field).toggleAttribute("aria-invalid", byField.has(field));
      if (byField.has(field)) byId(field).setAttribute("aria-invalid", "true");
    }
    FIELDS.map(byId).find((input) => input.hasAttribute("aria-invalid"))?.focus();
  }
}

const SENTENCES = {
  invalid_credentials: "The user name or the password is wrong.",
  username_taken: "This user name is taken. Please choose another one.",
  banned: "This account is banned.",
};

/** What to tell people about an error. */
export function sentenceOf(error) {
  if (error.code === "rate_limited" && error.retryAfter) {
    return `Too many attempts. Please try again in ${Math.ceil(error.retryAfter)} seconds.`;
  }
  return SENTENCES[error.code] ?? error.message;
}

function deviceName() {
  const { userAgentData, userAgent } = navigator;
  // Chromium puts a made-up "Not A Brand" among its names.
  const brand = userAgentData?.brands?.find((one) => !/not.?a/i.test(one.brand))?.brand;
  const browser = brand ?? /Firefox|Safari|Edg|Chrome/.exec(userAgent)?.[0];
  return [browser ?? "Browser", userAgentData?.platform].filter(Boolean).join(" on ");
}
