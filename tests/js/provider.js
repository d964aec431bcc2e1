// A real oidc-provider. It asks Vestibule's headers who the client is; or, with `credulous`, believes everybody.
import { X509Certificate, createHash, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

import { listen, settings } from './settings.js';

const { issuer, api, clients, credulous } = settings;
const mtls = issuer.replace('://', '://mtls.');

const server = createServer();
const port = await listen(server);
const here = `http://127.0.0.1:${port}`;

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const thumbprint = (certificate) => createHash('sha256').update(certificate.raw).digest('base64url');
const jwk = (pem) => {
  const certificate = new X509Certificate(pem);
  return { ...certificate.publicKey.export({ format: 'jwk' }), x5c: [certificate.raw.toString('base64')] };
};

// The certificate, from the header that the tenant's [upstream_headers] names. These hooks are synchronous, as they must be.
const presented = (ctx) => {
  const text = ctx.get('x-client-certificate');
  return text ? new X509Certificate(decodeURIComponent(text)) : undefined;
};
const authenticated = (ctx) => (
  ctx.get('x-vestibule-client-auth-method') === 'tls_client_auth' && ctx.get('x-vestibule-client-id') === ctx.oidc.client.clientId
);
const checking = {
  getCertificate: presented,
  certificateAuthorized: authenticated,
  certificateSubjectMatches: authenticated,
};

// Whatever certificate would be the right one: nothing is refused for its sake.
const seen = new Map();
const bound = new Map();
const believing = {
  getCertificate(ctx) {
    const certificate = presented(ctx);
    if (certificate) seen.set(thumbprint(certificate), certificate);
    const token = ctx.get('authorization').match(/^Bearer (.+)$/)?.[1] ?? ctx.oidc.params?.refresh_token;
    const registered = settings.registered[ctx.oidc.params?.client_id];
    if (registered) return new X509Certificate(registered);
    return seen.get(bound.get(token)) ?? certificate ?? new X509Certificate(settings.anybody);
  },
  certificateAuthorized: () => true,
  certificateSubjectMatches: () => true,
};

const provider = new Provider(issuer, {
  clients: clients.map(({ certificate, at_jwks_uri: elsewhere, ...client }) => ({
    ...client,
    id_token_signed_response_alg: 'ES256',
    ...(certificate && (elsewhere ? { jwks_uri: `${here}/client-jwks/${client.client_id}` } : { jwks: { keys: [jwk(certificate)] } })),
  })),
  clientAuthMethods: ['none', 'client_secret_basic', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
  cookies: { keys: ['only for tests'] },
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'only' }] },
  scopes: ['openid', 'accounts'],
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  // The registered clients' documents are on this machine, where its guard does not let it look.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  features: {
    devInteractions: { enabled: false },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      tlsClientAuth: true,
      selfSignedTlsClientAuth: true,
      ...(credulous ? believing : checking),
    },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true },
    pushedAuthorizationRequests: { enabled: true },
    deviceFlow: { enabled: true },
    ciba: {
      enabled: true,
      deliveryModes: ['poll'],
      processLoginHint: (ctx, hint) => hint,
      validateBindingMessage: () => {},
      validateRequestContext: () => {},
      verifyUserCode: () => {},
      triggerAuthenticationDevice: async (ctx, request, account, client) => {
        await provider.backchannelResult(request, await grant(account.accountId, client.clientId));
      },
    },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'accounts',
        audience: resource,
        accessTokenFormat: resource.includes('opaque') ? 'opaque' : 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});
provider.proxy = true;
// Asked under the mTLS host it makes links to that host, but this one is for a browser.
provider.use(async (ctx, next) => {
  await next();
  for (const name of ['verification_uri', 'verification_uri_complete']) {
    if (ctx.body?.[name]) ctx.body[name] = ctx.body[name].replace(`${mtls}/`, `${issuer}/`);
  }
});
for (const token of ['access_token', 'refresh_token']) {
  // In the memory adapter an opaque token is its own id.
  provider.on(`${token}.saved`, (saved) => bound.set(saved.jti, saved['x5t#S256']));
}

async function grant(accountId, clientId) {
  const given = new provider.Grant({ accountId, clientId });
  given.addOIDCScope('openid');
  given.addResourceScope(`${api}/jwt/`, 'accounts');
  await given.save();
  return given;
}

// A user who always agrees.
async function interact(req, res) {
  const { params } = await provider.interactionDetails(req, res);
  const { jti } = await grant('alice', params.client_id);
  await provider.interactionFinished(req, res, { login: { accountId: 'alice' }, consent: { grantId: jti } });
}

const answer = provider.callback();
server.on('request', (req, res) => {
  const [, place, id] = req.url.split('/');
  if (place === 'interaction') {
    interact(req, res).catch((error) => res.writeHead(500).end(String(error.stack)));
  } else if (place === 'client-jwks') {
    const { certificate } = clients.find((client) => client.client_id === id);
    res.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end(JSON.stringify({ keys: [jwk(certificate)] }));
  } else {
    answer(req, res);
  }
});
console.log(JSON.stringify({ port }));
