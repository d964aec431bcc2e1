// Clients of the provider, all of them openid-client. One JSON line a case: what the last answer was, and what the case found out.
import { X509Certificate, createHash, createHmac, createPrivateKey, createPublicKey, webcrypto } from 'node:crypto';
import * as openid from 'openid-client';

import { settings } from './settings.js';
import { fetchAs, last } from './wire.js';

const { issuer, api, people, provider, api_server: apiServer } = settings;
const redirect_uri = 'https://app.example/callback';
const mtls = new URL(issuer);
mtls.hostname = `mtls.${mtls.hostname}`;
const mtlsApi = api.replace('://', '://mtls.');

// Nothing of an earlier answer may count for this case.
async function perform(name, act) {
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

const discovered = {};
async function discover() {
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
function client(id, person, { authentication = openid.TlsClientAuth(), headers } = {}) {
  const configuration = new openid.Configuration(discovered.metadata, id, { use_mtls_endpoint_aliases: true }, authentication);
  configuration[openid.customFetch] = fetchAs(person, headers);
  return configuration;
}

const thumbprint = (person) => createHash('sha256').update(new X509Certificate(people[person].cert).raw).digest('base64url');
const decoded = (part) => JSON.parse(Buffer.from(part, 'base64url'));
const encoded = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

const at = (resource) => ({ scope: 'accounts', resource: `${api}/${resource}/` });
const token = async (configuration, resource, options) => (
  (await openid.clientCredentialsGrant(configuration, at(resource), options)).access_token
);
// Whether a JWT is bound to this person's certificate, and to nothing else.
const isBoundTo = (jwt, person) => JSON.stringify(decoded(jwt.split('.')[1]).cnf) === JSON.stringify({ 'x5t#S256': thumbprint(person) });

// A resource, with a token.
const use = async (path, jwt, person, { headers, scheme = 'Bearer' } = {}) => {
  const answer = await fetchAs(person, headers)(new URL(path, mtlsApi), {
    method: 'GET', headers: jwt ? { authorization: `${scheme} ${jwt}` } : {},
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
async function authorize(configuration, { pushed }) {
  const verifier = openid.randomPKCECodeVerifier();
  const parameters = {
    redirect_uri, scope: 'openid', code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  };
  const url = pushed ? await openid.buildAuthorizationUrlWithPAR(configuration, parameters) : openid.buildAuthorizationUrl(configuration, parameters);
  return openid.authorizationCodeGrant(configuration, await browse(url), { pkceCodeVerifier: verifier });
}

const userinfo = async (configuration, accessToken) => ({ body: await openid.fetchUserInfo(configuration, accessToken, 'alice') });

const endpoints = {
  token: (configuration) => openid.clientCredentialsGrant(configuration, at('jwt')),
  par: (configuration) => openid.buildAuthorizationUrlWithPAR(configuration, {
    redirect_uri, scope: 'openid', code_challenge: 'x'.repeat(43), code_challenge_method: 'S256',
  }),
  introspection: (configuration) => openid.tokenIntrospection(configuration, 'some token'),
  revocation: (configuration) => openid.tokenRevocation(configuration, 'some token'),
  device: (configuration) => openid.initiateDeviceAuthorization(configuration, { scope: 'openid' }),
  ciba: (configuration) => openid.initiateBackchannelAuthentication(configuration, { scope: 'openid', login_hint: 'alice' }),
};
const selfSigned = ['own', 'published'];

// What a client may say of itself when it has no certificate: every name that means something to somebody behind.
function forged(person, id, method) {
  const pem = encodeURIComponent(people[person].cert);
  const der = new X509Certificate(people[person].cert).raw.toString('base64');
  return {
    'client-certificate': pem,
    client_certificate: pem,
    'client-certificate-ca-verified': 'SUCCESS',
    'client-cert': `:${der}:`,
    'x-client-certificate': pem,
    x_client_certificate: pem,
    'x-forwarded-client-cert': `Cert="${pem}"`,
    'x-ssl-client-cert': pem,
    'x-ssl-client-verify': 'SUCCESS',
    'x-vestibule-client-id': id,
    'x-vestibule-client-auth-method': method,
    x_vestibule_client_id: id,
  };
}
const impostors = (right, id, method) => [
  ['wrong certificate', 'wrong'],
  ['no certificate', undefined],
  ['forged headers', undefined, forged(right, id, method)],
  ['forged headers beside a certificate', 'wrong', forged(right, id, method)],
];
const namesakes = [
  ['same DN of another CA', 'stranger'],
  ['same DN, self-signed', 'itself'],
  ['same DN, expired', 'expired'],
  ['same DN, revoked', 'revoked'],
];

// A client that signs assertions with the key of a certificate, and presents it only to have its tokens bound (RFC 8705 §3 without §2).
const signer = async (person, { key } = people.signer) => client('signer', person, {
  authentication: openid.PrivateKeyJwt(await webcrypto.subtle.importKey(
    'pkcs8', createPrivateKey(key).export({ type: 'pkcs8', format: 'der' }), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'],
  )),
});

const secret = (id) => ({ authentication: openid.ClientSecretBasic(settings.secrets[id]) });

// What works, with the provider's and the API's own checks on.
async function works() {
  for (const id of ['dn', 'dns', 'uri', 'ip', 'email', ...selfSigned]) {
    const person = selfSigned.includes(id) ? id : 'app';
    let jwt;
    let opaque;
    await perform(`${id}: token`, async () => {
      jwt = await token(client(id, person), 'jwt');
      return { bound: isBoundTo(jwt, person) };
    });
    await perform(`${id}: opaque token`, async () => { opaque = await token(client(id, person), 'opaque'); });
    await perform(`${id}: jwt resource`, () => use('/jwt/x', jwt, person));
    await perform(`${id}: opaque resource`, () => use('/opaque/x', opaque, person));
    await perform(`${id}: introspection`, async () => {
      const { active, cnf } = await openid.tokenIntrospection(client(id, person), opaque);
      return { active, bound: cnf?.['x5t#S256'] === thumbprint(person) };
    });
    await perform(`${id}: revocation`, () => openid.tokenRevocation(client(id, person), opaque));
    await perform(`${id}: revoked`, () => use('/opaque/x', opaque, person));
  }

  let tokens;
  await perform('dn: code by pushed request', async () => { tokens = await authorize(client('dn', 'app'), { pushed: true }); });
  await perform('dn: userinfo', () => userinfo(client('dn', 'app'), tokens.access_token));
  // A confidential client's refresh token is the client's, not the certificate's (RFC 8705 §7.1).
  await perform('dn: refresh with a renewed certificate', async () => {
    tokens = await openid.refreshTokenGrant(client('dn', 'renewed'), tokens.refresh_token);
  });
  await perform('dn: userinfo with the renewed certificate', () => userinfo(client('dn', 'renewed'), tokens.access_token));
  await perform('dn: userinfo with the old one', () => userinfo(client('dn', 'app'), tokens.access_token));

  let signed;
  await perform('signer: token', async () => {
    signed = await token(await signer('app'), 'jwt');
    return { bound: isBoundTo(signed, 'app') };
  });
  await perform('signer: jwt resource', () => use('/jwt/x', signed, 'app'));
  await perform('signer: token without a certificate', async () => token(await signer(), 'jwt'));
  await perform('signer: another key', async () => token(await signer('app', people.app), 'jwt'));

  let started;
  await perform('dn: ciba', async () => { started = await endpoints.ciba(client('dn', 'app')); });
  await perform('dn: ciba token', async () => {
    const { access_token: given } = await openid.pollBackchannelAuthenticationGrant(client('dn', 'app'), { ...started, interval: 0 });
    return userinfo(client('dn', 'app'), given);
  });
  await perform('dn: device', async () => {
    started = await endpoints.device(client('dn', 'app'));
    return { verification_uri: started.verification_uri };
  });
  await perform('dn: device token', () => openid.genericGrantRequest(
    client('dn', 'app'), 'urn:ietf:params:oauth:grant-type:device_code', { device_code: started.device_code },
  ));

  const phone = (person) => client('public', person, { authentication: openid.None() });
  await perform('public: code', async () => { tokens = await authorize(phone('phone'), { pushed: false }); });
  await perform('public: userinfo', () => userinfo(phone('phone'), tokens.access_token));
  await perform('public: refresh', async () => { tokens = await openid.refreshTokenGrant(phone('phone'), tokens.refresh_token); });
  await perform('public: userinfo after that', () => userinfo(phone('phone'), tokens.access_token));
  // Its refresh token is bound as well (RFC 8705 §4), which only the provider can know.
  await perform('public: refresh with another certificate', () => openid.refreshTokenGrant(phone('wrong'), tokens.refresh_token));
  await perform('public: refresh without a certificate', () => openid.refreshTokenGrant(phone(), tokens.refresh_token));

  // DPoP passes where the policy lets it, and is the API's to check.
  const dpop = client('dpop', undefined, secret('dpop'));
  const DPoP = openid.getDPoPHandle(dpop, await openid.randomDPoPKeyPair('ES256'));
  let keyed;
  await perform('dpop: token', async () => { keyed = await token(dpop, 'dpop', { DPoP }); });
  const protectedResource = (resource, scheme) => async () => {
    const answer = await openid.fetchProtectedResource(dpop, keyed, new URL(resource, api), 'GET', undefined, undefined, { DPoP });
    return { body: await answer.json() };
  };
  await perform('dpop: resource', protectedResource('/dpop/x'));
  await perform('dpop: resource where it is refused', protectedResource('/jwt/x'));
  await perform('dpop: as bearer', () => use('/dpop/x', keyed));

  // The API's own refusals, through Vestibule and straight from it.
  const jwt = await token(client('dn', 'app'), 'jwt');
  for (const [name, path, sent, person] of [
    ['no token', '/open/x'],
    ['a broken token', '/open/x', 'x.y.z'],
    ['scope', '/guarded/scope', jwt, 'app'],
    ['audience', '/guarded/audience', jwt, 'app'],
  ]) {
    await perform(`api: ${name}`, async () => {
      const headers = sent ? { authorization: `Bearer ${sent}` } : {};
      const straight = await fetch(new URL(path, apiServer), { headers });
      await use(path, sent, person);
      return { straight: { status: straight.status, challenge: straight.headers.get('www-authenticate') } };
    });
  }
}

// What is refused, whatever the provider and the API think of it.
async function refused() {
  for (const [endpoint, ask] of Object.entries(endpoints)) {
    for (const [name, person, headers] of [...impostors('app', 'dn', 'tls_client_auth'), ...namesakes]) {
      await perform(`dn: ${endpoint}: ${name}`, () => ask(client('dn', person, { headers })));
    }
  }
  for (const id of ['dns', 'uri', 'ip', 'email']) {
    for (const [name, person, headers] of [...impostors('app', id, 'tls_client_auth'), ...namesakes]) {
      await perform(`${id}: token: ${name}`, () => endpoints.token(client(id, person, { headers })));
    }
  }
  for (const id of selfSigned) {
    for (const [name, other, headers] of [
      ...impostors(id, id, 'self_signed_tls_client_auth'),
      ['same DN, self-signed', `${id} again`],
      ['same key, another certificate', `${id} renewed`],
      ['same DN of a trusted CA', `${id} by CA`],
    ]) {
      await perform(`${id}: token: ${name}`, () => endpoints.token(client(id, other, { headers })));
    }
  }
  // Registered, and past its date: the provider compares the certificate and nothing else.
  await perform('lapsed: token', () => endpoints.token(client('lapsed', 'lapsed')));
  // The provider ignores letter case; a route does not.
  await perform('dn: TOKEN', () => fetchAs('wrong')(new URL('/TOKEN', mtls), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ client_id: 'dn', grant_type: 'client_credentials', ...at('jwt') }),
  }));
  // The host that asks nobody for a certificate.
  await perform('dn: token: not at the mtls host', async () => {
    const plain = new openid.Configuration(discovered.metadata, 'dn', {}, openid.TlsClientAuth());
    plain[openid.customFetch] = fetchAs('app');
    await endpoints.token(plain);
  });

  const holder = client('dn', 'app');
  const jwt = await token(holder, 'jwt');
  const tokens = {
    jwt,
    opaque: await token(holder, 'opaque'),
    userinfo: (await authorize(client('public', 'phone', { authentication: openid.None() }), { pushed: false })).access_token,
  };
  const paths = { jwt: '/jwt/x', opaque: '/opaque/x', userinfo: '/me' };
  for (const [kind, bound] of Object.entries(tokens)) {
    const right = kind === 'userinfo' ? 'phone' : 'app';
    for (const [name, person, headers] of [...impostors(right, 'dn', 'tls_client_auth'), ...namesakes]) {
      await perform(`${kind}: ${name}`, () => use(paths[kind], bound, person, { headers }));
    }
    await perform(`${kind}: another letter case`, () => use(paths[kind].toUpperCase(), bound, 'wrong'));
    await perform(`${kind}: no token`, () => use(paths[kind], undefined, right));
    await perform(`${kind}: token in the query`, () => use(`${paths[kind]}?access_token=${bound}`, undefined, right));
  }
  const plain = client('plain', undefined, secret('plain'));
  for (const kind of ['jwt', 'opaque']) {
    const unbound = await token(plain, kind);
    await perform(`${kind}: unbound token`, () => use(paths[kind], unbound, 'app'));
    const elsewhere = await token(holder, `${kind}-elsewhere`);
    await perform(`${kind}: wrong audience`, () => use(paths[kind], elsewhere, 'app'));
  }
  const [header, claims, signature] = jwt.split('.');
  const none = encoded({ ...decoded(header), alg: 'none' });
  const hmac = encoded({ ...decoded(header), alg: 'HS256' });
  const publicKey = createPublicKey({ key: discovered.jwks.keys[0], format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const mine = encoded({ ...decoded(claims), cnf: { 'x5t#S256': thumbprint('wrong') } });
  for (const [name, made, person] of [
    ['alg none', `${none}.${claims}.`, 'app'],
    ['alg none with a signature', `${none}.${claims}.${signature}`, 'app'],
    ['alg none for another certificate', `${none}.${mine}.`, 'wrong'],
    ['signed with the public key', `${hmac}.${claims}.${createHmac('sha256', publicKey).update(`${hmac}.${claims}`).digest('base64url')}`, 'app'],
    ['bound anew', `${header}.${mine}.${signature}`, 'wrong'],
    ['without a signature', `${header}.${claims}.`, 'app'],
  ]) await perform(`jwt: ${name}`, () => use('/jwt/x', made, person));
}

// Who is behind Vestibule would let everybody in, or nobody without a certificate: asked without Vestibule.
async function straight() {
  const ask = (name, url, options) => perform(`straight: ${name}`, async () => {
    const answer = await fetch(url, options);
    Object.assign(last, { status: answer.status, challenge: answer.headers.get('www-authenticate'), text: await answer.text() });
  });
  const form = (id, more) => ({ method: 'POST', body: new URLSearchParams({ client_id: id, ...more }) });
  for (const id of ['dn', 'own', 'published', 'lapsed']) {
    await ask(`${id}: token`, new URL('/token', provider), form(id, { grant_type: 'client_credentials', ...at('jwt') }));
  }
  const { access_token: held } = await authorize(client('public', 'phone', { authentication: openid.None() }), { pushed: false });
  await ask('userinfo', new URL('/me', provider), { headers: { authorization: `Bearer ${held}` } });
  await ask('api', new URL('/jwt/x', apiServer), { headers: { authorization: 'Bearer x.y.z' } });
}

await perform('discovery', discover);
await perform('jwks', async () => { discovered.jwks = await (await fetchAs()(discovered.metadata.jwks_uri)).json(); });
if (!settings.credulous) await works();
await refused();
await straight();
process.exit(0);
