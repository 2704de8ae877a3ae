// An OpenID Connect provider by others (npm: oidc-provider) with the people that a test names. Requests that matter to
// a test are lines of its output. POST /-/faults?nonce=1&expired=1 lets it go wrong, until the next such request.
import {createServer} from "node:http";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";

const [home, told] = process.argv.slice(2);
const {Provider} = await import(pathToFileURL(createRequire(`${home}/`).resolve("oidc-provider")));
const {issuer, port, clients, people} = JSON.parse(told);
const tell = (what, about) => console.log(JSON.stringify({what, about}));
const now = Date.now;
let faults = new URLSearchParams();

const provider = new Provider(issuer, {
  clients: clients.map(({id, secret, redirect}) => ({
    client_id: id, client_secret: secret, redirect_uris: [redirect], post_logout_redirect_uris: [redirect],
    response_types: ["code"], grant_types: ["authorization_code"],
  })),
  claims: {openid: ["sub", "roles", "groups", "hasgroups"], profile: ["name", "preferred_username"], email: ["email"]},
  conformIdTokenClaims: false,
  features: {devInteractions: {enabled: true}, rpInitiatedLogout: {enabled: true}},
  pkce: {required: () => true},
  findAccount: (_context, id) => people[id] && {accountId: id, claims: () => ({sub: id, ...people[id]})},
});
provider.on("authorization.accepted", ({oidc}) => tell("asked", oidc.params));
provider.on("end_session.success", () => tell("signed out", null));
provider.on("grant.error", (_context, error) => tell("refused", error.error_detail ?? error.message));
const answer = provider.callback();

createServer((request, response) => {
  const {pathname, searchParams} = new URL(request.url, issuer);
  if (pathname === "/-/faults") {
    faults = searchParams;
    response.end();
    return;
  }
  if (pathname === "/auth" && faults.has("nonce")) request.url = request.url.replace(/nonce=[^&]+/, "nonce=another");
  if (pathname === "/token" && faults.has("expired")) {
    Date.now = () => now() + 600_000; // a code lives for one minute
    response.on("finish", () => { Date.now = now; });
  }
  answer(request, response);
}).listen(port, "127.0.0.1", () => tell("ready", null));
