import { BrowserStorage, Lambchat } from "../sdk/lambchat.js";
import { ChatApp } from "./chat_app.js";
import { byId } from "./dom.js";
import { giveHeads } from "./heads.js";
import { SignIn } from "./sign_in.js";

// Deployed, the REST API has an origin of its own, which the page is given; else it has this one.
const baseUrl = document.querySelector('meta[name="lambchat-api"]')?.content;
const client = new Lambchat({ baseUrl, storage: new BrowserStorage() });

giveHeads();
let shownFor = client.user?.id;

function start() {
  shownFor = client.user.id;
  signIn.hide();
  new ChatApp(client).start();
}

const signIn = new SignIn({ client, onSignedIn: start });

client.on("signed_out", ({ reason }) => {
  // A fresh page: nothing of one user is left for the next.
  sessionStorage.setItem("lambchat.notice", reason ? "Your session has ended. Please sign in again." : "");
  location.replace(location.pathname);
});
// Tabs share one session: one that signs in, out, or as somebody else takes the others along.
addEventListener("storage", () => {
  if (client.user?.id !== shownFor) location.reload();
});
byId("sign-out").addEventListener("click", () => client.logout());

if (client.user) {
  start();
} else {
  const notice = sessionStorage.getItem("lambchat.notice");
  sessionStorage.removeItem("lambchat.notice");
  signIn.show(notice);
}
