// Microsoft's @azure/msal-node asks the authority for a token, with its own discovery.
const {createRequire} = require("node:module");
const [home, said] = process.argv.slice(2);
const msal = createRequire(`${home}/`)("@azure/msal-node");
const told = JSON.parse(said);

const application = (clientSecret) => new msal.ConfidentialClientApplication({auth: {
  clientId: told.client, clientSecret, authority: `${told.authority}/${told.tenant}`,
  knownAuthorities: [new URL(told.authority).host],
}});
const ask = (secret, audience) => application(secret).acquireTokenByClientCredential({scopes: [`${audience}/.default`]});

(async () => {
  const tokens = [];
  for (const audience of told.audiences) tokens.push((await ask(told.secret, audience)).accessToken);
  const refusal = await ask("wrong", told.audiences[0]).then(() => "none", (error) => String(error));
  console.log(JSON.stringify({tokens, refusal}));
})();
