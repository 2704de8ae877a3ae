// An OpenID Connect provider by others (npm: oidc-provider), with the people that a test names.
// usage: node identity_provider.mjs '{"port": 0, "issuer": …, "redirect": …, "people": {"ann": {"name": …, "roles": […]}}}'
import {createServer} from "node:http";
import {Provider} from "oidc-provider";

const {port, client, redirect, people, codeSeconds} = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: client.id, client_secret: client.secret, redirect_uris: [redirect], post_logout_redirect_uris: [redirect],
    response_types: ["code"], grant_types: ["authorization_code"],
  }],
  claims: {openid: ["sub", "roles", "groups", "hasgroups"], profile: ["name", "preferred_username"], email: ["email"]},
  conformIdTokenClaims: false,
  features: {devInteractions: {enabled: true}, rpInitiatedLogout: {enabled: true}},
  pkce: {required: () => true},
  ttl: {AuthorizationCode: codeSeconds ?? 60},
  findAccount: (_context, id) => people[id] && {accountId: id, claims: () => ({sub: id, ...people[id]})},
});
createServer(provider.callback()).listen(port, "127.0.0.1", () => console.log("ready"));
