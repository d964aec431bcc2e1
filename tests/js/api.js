// An API behind Vestibule. It checks tokens with express-oauth2-jwt-bearer; or, with `credulous`, believes everybody.
import { createServer } from 'node:http';
import express from 'express';
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer';

import { listen, settings } from './settings.js';

const { issuer, api, jwks_uri: jwksUri, credulous } = settings;

const app = express();
app.set('trust proxy', 'loopback');

const check = (audience, more) => auth({
  issuer, jwksUri, audience, strict: true, tokenSigningAlg: 'ES256', ...more,
});
// The library compares the certificate too, when it is told which one: Vestibule's header.
const mtls = {
  dpop: { enabled: false },
  mtls: { enabled: true, required: true },
  getCertificate: (req) => decodeURIComponent(req.get('x-client-certificate') ?? '') || undefined,
};
const guards = {
  '/jwt': [check(`${api}/jwt/`, mtls)],
  '/dpop': [check(`${api}/dpop/`)],
  '/open': [check(`${api}/jwt/`)],
  '/guarded/scope': [check(`${api}/jwt/`), requiredScopes('administration')],
  '/guarded/audience': [check('https://elsewhere.example')],
};
for (const [path, guard] of Object.entries(credulous ? {} : guards)) app.use(path, ...guard);

app.use((req, res) => res.json({ client: req.auth?.payload.client_id, scheme: req.get('authorization')?.split(' ')[0] }));
app.use((error, req, res, next) => {
  // The library's errors bring their challenges along.
  res.status(error.status ?? 500).set(error.headers ?? {}).json({ message: error.message });
});

console.log(JSON.stringify({ port: await listen(createServer(app)) }));
