// What is refused, whatever the provider and the API think of it.
import { X509Certificate, createHmac, createPublicKey } from 'node:crypto';
import * as openid from 'openid-client';

import {
  at, authorize, client, decoded, discovered, encoded, endpoints, mtls, perform, secret, selfSigned, thumbprint, token, use,
} from './openid.js';
import { settings } from './settings.js';
import { fetchAs } from './wire.js';

const { people } = settings;

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

export async function refused() {
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
  const users = await authorize(client('public', 'phone', { authentication: openid.None() }), { pushed: false });
  const tokens = { jwt, opaque: await token(holder, 'opaque'), userinfo: users.access_token };
  const paths = { jwt: '/jwt/x', opaque: '/opaque/x', userinfo: '/me' };
  for (const [kind, bound] of Object.entries(tokens)) {
    const right = kind === 'userinfo' ? 'phone' : 'app';
    for (const [name, person, headers] of [...impostors(right, 'dn', 'tls_client_auth'), ...namesakes]) {
      await perform(`${kind}: ${name}`, () => use(paths[kind], bound, person, headers));
    }
    await perform(`${kind}: another letter case`, () => use(paths[kind].toUpperCase(), bound, 'wrong'));
    await perform(`${kind}: no token`, () => use(paths[kind], undefined, right));
    await perform(`${kind}: token in the query`, () => use(`${paths[kind]}?access_token=${bound}`, undefined, right));
  }
  // Introspection calls it active too, and it is bound to the same certificate.
  await perform('userinfo: refresh token', () => use('/me', users.refresh_token, 'phone'));
  await perform('userinfo: token for the API', () => use('/me', jwt, 'app'));
  await perform('jwt: ID token', () => use('/jwt/x', users.id_token, 'phone'));
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
