// Clients of the provider, all of them openid-client: prints what became of each case.
import * as openid from 'openid-client';

import { at, authorize, client, discover, discovered, perform } from './openid.js';
import { refused } from './refused.js';
import { settings } from './settings.js';
import { fetchAs, last } from './wire.js';
import { works } from './works.js';

const { provider, api_server: apiServer } = settings;

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
