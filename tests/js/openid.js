// openid-client as the provider's clients use it, through the front door.
import { X509Certificate, createHash } from 'node:crypto';
import * as openid from 'openid-client';

import { settings } from './settings.js';
import { fetchAs, last } from './wire.js';

const { issuer, api, people, provider } = settings;
const redirect_uri = 'https://app.example/callback';
export const mtls = issuer.replace('://', '://mtls.');

// One JSON line a case: what the last answer was, and what the case found out. Nothing of an earlier answer may count for it.
export async function perform(name, act) {
  for (const key of Object.keys(last)) delete last[key];
  let found;
  try {
    found = await act();
  } catch (error) {
    // A refusal by the other side is what most cases are about; anything else is a fault.
    if (!(last.status >= 400)) found = { threw: String(error.stack) };
  }
  const { text, ...answer } = last;
  const error = /error="([^"]*)"/.exec(answer.challenge ?? '')?.[1] ?? /^{"error":"([^"]*)"/.exec(text ?? '')?.[1];
  console.log(JSON.stringify({ name, ...answer, error, ...found }));
}

export const discovered = {};
export async function discover() {
  // Both hosts say the same, and the provider itself says less.
  const there = await (await fetchAs('app')(new URL('/.well-known/oauth-authorization-server', mtls))).json();
  const straight = await (await fetch(new URL('/.well-known/openid-configuration', provider))).json();
  const configuration = await openid.discovery(new URL(issuer), 'dn', undefined, openid.TlsClientAuth(), {
    [openid.customFetch]: fetchAs(),
  });
  discovered.metadata = configuration.serverMetadata();
  return {
    metadata: discovered.metadata,
    same: JSON.stringify(there) === JSON.stringify(discovered.metadata),
    straight: straight.mtls_endpoint_aliases ?? null,
  };
}

// The client `id`, held by a person.
export function client(id, person, { authentication = openid.TlsClientAuth(), headers } = {}) {
  const configuration = new openid.Configuration(discovered.metadata, id, { use_mtls_endpoint_aliases: true }, authentication);
  configuration[openid.customFetch] = fetchAs(person, headers);
  return configuration;
}

export const thumbprint = (person) => createHash('sha256').update(new X509Certificate(people[person].cert).raw).digest('base64url');
export const decoded = (part) => JSON.parse(Buffer.from(part, 'base64url'));
export const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export const at = (resource) => ({ scope: 'accounts', resource: `${api}/${resource}/` });
export const token = async (configuration, resource, options) => (
  (await openid.clientCredentialsGrant(configuration, at(resource), options)).access_token
);
// Whether a JWT is bound to this person's certificate, and to nothing else.
export const isBoundTo = (jwt, person) => JSON.stringify(decoded(jwt.split('.')[1]).cnf) === JSON.stringify({ 'x5t#S256': thumbprint(person) });

// A resource, with a token.
export const use = async (path, jwt, person, headers) => {
  const answer = await fetchAs(person, headers)(new URL(path, mtls), {
    method: 'GET', headers: jwt ? { authorization: `Bearer ${jwt}` } : {},
  });
  return { body: await answer.json() };
};

// A browser: it follows redirects, and keeps cookies.
async function browse(url) {
  const cookies = new Map();
  const fetch = fetchAs();
  let place = new URL(url);
  while (!place.href.startsWith(redirect_uri)) {
    const answer = await fetch(place, { method: 'GET', headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') } });
    for (const line of answer.headers.getSetCookie()) cookies.set(...line.split(';')[0].split(/=(.*)/s));
    const next = answer.headers.get('location');
    if (!next) throw new Error(`${place}: ${answer.status} ${await answer.text()}`);
    place = new URL(next, place);
  }
  return place;
}

// The code flow, with a pushed authorization request or without.
export async function authorize(configuration, { pushed }) {
  const verifier = openid.randomPKCECodeVerifier();
  const parameters = {
    redirect_uri, scope: 'openid', code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  };
  const url = pushed ? await openid.buildAuthorizationUrlWithPAR(configuration, parameters) : openid.buildAuthorizationUrl(configuration, parameters);
  return openid.authorizationCodeGrant(configuration, await browse(url), { pkceCodeVerifier: verifier });
}

export const userinfo = async (configuration, accessToken) => ({ body: await openid.fetchUserInfo(configuration, accessToken, 'alice') });

export const endpoints = {
  token: (configuration) => openid.clientCredentialsGrant(configuration, at('jwt')),
  par: (configuration) => openid.buildAuthorizationUrlWithPAR(configuration, {
    redirect_uri, scope: 'openid', code_challenge: 'x'.repeat(43), code_challenge_method: 'S256',
  }),
  introspection: (configuration) => openid.tokenIntrospection(configuration, 'some token'),
  revocation: (configuration) => openid.tokenRevocation(configuration, 'some token'),
  device: (configuration) => openid.initiateDeviceAuthorization(configuration, { scope: 'openid' }),
  ciba: (configuration) => openid.initiateBackchannelAuthentication(configuration, { scope: 'openid', login_hint: 'alice' }),
};

export const secret = (id) => ({ authentication: openid.ClientSecretBasic(settings.secrets[id]) });

export const selfSigned = ['own', 'published'];
