// What works, with the provider's and the API's own checks on.
import { createPrivateKey, webcrypto } from 'node:crypto';
import * as openid from 'openid-client';

import {
  authorize, client, endpoints, isBoundTo, perform, secret, selfSigned, thumbprint, token, use, userinfo,
} from './openid.js';
import { settings } from './settings.js';

const { api, people, api_server: apiServer } = settings;

// A client that signs assertions with the key of a certificate, and presents it only to have its tokens bound (RFC 8705 §3 without §2).
const signer = async (person, { key } = people.signer) => client('signer', person, {
  authentication: openid.PrivateKeyJwt(await webcrypto.subtle.importKey(
    'pkcs8', createPrivateKey(key).export({ type: 'pkcs8', format: 'der' }), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'],
  )),
});

export async function works() {
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
    const { access_token: given } = await openid.pollBackchannelAuthenticationGrant(
      client('dn', 'app'), { ...started, interval: 0 }, undefined, { signal: AbortSignal.timeout(20_000) },
    );
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
  const protectedResource = (resource) => async () => {
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
