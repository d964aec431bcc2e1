// A custom domain's life by npm `auth0`: created, proved, used, changed, rotated, deleted.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { ManagementClient } from "auth0";
import { admin, byHand, end, knock, prove, token } from "./story.mjs";

const client = new ManagementClient({ domain: admin, token });
const name = "login.node.example";

const created = await client.customDomains.create({ domain: name, type: "self_managed_certs", tls_policy: "recommended" });
const id = created.custom_domain_id;
assert.equal(created.status, "pending_verification");
assert.equal(created.primary, false);

const pending = await client.customDomains.verify(id);
assert.equal(pending.status, "pending_verification");
assert.equal(pending.cname_api_key, undefined);
await prove(created);
const verified = await client.customDomains.verify(id);
assert.equal(verified.status, "ready");
const key = verified.cname_api_key;
assert.match(key, /^[0-9a-f]{64}$/);
for (const host of [name, verified.origin_domain_name]) assert.equal(await knock(host, key), 200, host);
assert.equal(await knock(`mtls.${name}`, key), 403);

const listed = await client.customDomains.list({ q: "domain:login.node*", sort: "domain:1" });
assert.deepEqual(listed.map((domain) => domain.custom_domain_id), [id]);
const shown = await client.customDomains.get(id);
assert.equal(shown.custom_client_ip_header, null);
assert.equal(shown.cname_api_key, undefined);

const patched = await client.customDomains.update(id, {
  custom_client_ip_header: "true-client-ip",
  domain_metadata: { region: "eu", tier: "gold" },
});
assert.equal(patched.custom_client_ip_header, "true-client-ip");
const merged = await client.customDomains.update(id, { domain_metadata: { tier: null } });
assert.deepEqual(merged.domain_metadata, { region: "eu" });
await client.customDomains.update(id, { custom_client_ip_header: null });

const test = await client.customDomains.test(id);
assert.equal(test.success, false);
const byDefault = await client.customDomains.setDefault({ domain: name });
assert.equal(byDefault.custom_domain_id, id);
assert.equal((await client.customDomains.getDefault()).domain, name);
await assert.rejects(client.customDomains.delete(id), (why) => why.statusCode === 409);

const rotated = await byHand("POST", `/custom-domains/${id}/rotate-key`, { overlap_seconds: 3600 });
assert.equal(rotated.status, 201);
const next = rotated.json.cname_api_key;
assert.deepEqual([await knock(name, key), await knock(name, next)], [200, 200]);
const old = rotated.json.keys.find((one) => one.key_id !== rotated.json.key_id);
assert.equal((await byHand("DELETE", `/custom-domains/${id}/keys/${old.key_id}`)).status, 204);
assert.deepEqual([await knock(name, key), await knock(name, next)], [403, 200]);

const settings = await client.tenants.settings.update({ mtls: { enable_endpoint_aliases: true } });
assert.equal(settings.mtls.enable_endpoint_aliases, true);
const asked = await client.tenants.settings.get({ fields: "mtls", include_fields: true });
assert.deepEqual(asked, { mtls: { enable_endpoint_aliases: true } });
assert.equal(await knock(`mtls.${name}`, next), 200);

const refused = { statusCode: 409, error: "Conflict", errorCode: "custom_domain_exists" };
await assert.rejects(client.customDomains.create({ domain: name, type: "self_managed_certs" }), (why) => {
  assert.equal(why.name, "ConflictError");
  assert.deepEqual({ ...why.body, message: undefined }, { ...refused, message: undefined });
  return true;
});

const { domain: own } = (await byHand("GET", "/custom-domains/default")).json;
assert.equal(own, name);
await client.customDomains.setDefault({ domain: process.env.ORIGIN });
assert.equal(await client.customDomains.delete(id), undefined);
assert.equal(await client.customDomains.delete(id), undefined);
assert.equal(await knock(name, next), 403);
await assert.rejects(client.customDomains.get(id), (why) => why.name === "NotFoundError" && why.body.errorCode === "inexistent_custom_domain");

// Tokens for an id and a secret.
const ci = new ManagementClient({ domain: admin, clientId: "ci", clientSecret: process.env.SECRET });
assert.deepEqual(await ci.customDomains.list(), []);
await assert.rejects(ci.tenants.settings.get(), (why) => why.name === "ForbiddenError");

// Clients and the certificates that they authenticate themselves with.
const one = await client.clients.create({ name: "payments" });
const path = one.client_id;
const pem = readFileSync(process.env.CA, "utf8");
const certificate = await client.clients.credentials.create(path, { credential_type: "x509_cert", name: "first", pem });
assert.equal(certificate.thumbprint_sha256.length, 43);
const subject = await client.clients.credentials.create(path, { credential_type: "cert_subject_dn", pem });
assert.equal(subject.subject_dn, new X509Certificate(pem).subject);
const using = await client.clients.update(path, {
  token_endpoint_auth_method: null,
  client_authentication_methods: { tls_client_auth: { credentials: [{ id: subject.id }] } },
});
assert.deepEqual(using.client_authentication_methods, { tls_client_auth: { credentials: [{ id: subject.id }] } });
const found = [];
for await (const each of await client.clients.list()) found.push(each.client_id);
assert.deepEqual(found, [path]);
assert.equal((await client.clients.credentials.list(path)).length, 2);
await client.clients.credentials.update(path, certificate.id, { expires_at: "2030-01-02T03:04:05.000Z" });
assert.equal((await client.clients.credentials.get(path, certificate.id)).expires_at, "2030-01-02T03:04:05.000Z");
await client.clients.credentials.delete(path, certificate.id);
await client.clients.delete(path);
await assert.rejects(client.clients.get(path), (why) => why.name === "NotFoundError");

const stranger = new ManagementClient({ domain: admin, token: "x" });
await assert.rejects(stranger.customDomains.list(), (why) => why.name === "UnauthorizedError");
end();
