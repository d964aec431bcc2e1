"""A custom domain's life by PyPI `auth0-python`: created, proved, used, changed, rotated, deleted."""

import json
import os
import ssl
import sys

import httpx
from auth0.management import ManagementClient
from auth0.management.errors import ConflictError, NotFoundError

ADMIN, TOKEN = os.environ["ADMIN"], os.environ["TOKEN"]
NAME = "login.python.example"
context = ssl.create_default_context(cafile=os.environ["CA"])
client = ManagementClient(domain=ADMIN, token=TOKEN, httpx_client=httpx.Client(verify=context))


def harness(**wish):
    """A wish of this script, and what the test that started it says."""
    print(json.dumps(wish), flush=True)
    return json.loads(sys.stdin.readline())


def knock(host, key):
    return harness(do="knock", host=host, key=key)["status"]


def by_hand(method, path, body=None):
    url = f"https://{ADMIN}/api/v2{path}"
    return httpx.request(method, url, json=body, headers={"authorization": f"Bearer {TOKEN}"}, verify=context)


created = client.custom_domains.create(domain=NAME, type="self_managed_certs")
identity = created.custom_domain_id
assert created.status == "pending_verification", created
assert client.custom_domains.verify(identity).status == "pending_verification"
method = created.verification.methods[0]
harness(do="txt", name=method.domain, value=method.record)
verified = client.custom_domains.verify(identity)
key = verified.cname_api_key
assert verified.status == "ready" and knock(NAME, key) == 200, verified

assert [domain.domain for domain in client.custom_domains.list(q=f"domain:{NAME}")] == [NAME]
patched = client.custom_domains.update(identity, custom_client_ip_header="x-azure-clientip", domain_metadata={"a": "b"})
assert patched.custom_client_ip_header == "x-azure-clientip" and patched.domain_metadata == {"a": "b"}, patched
assert client.custom_domains.get(identity).custom_client_ip_header == "x-azure-clientip"
client.custom_domains.update(identity, custom_client_ip_header="")
assert client.custom_domains.test(identity).success is False
assert client.custom_domains.set_default(domain=NAME).domain == NAME
assert client.custom_domains.get_default().domain == NAME
client.custom_domains.set_default(domain=os.environ["ORIGIN"])

rotated = by_hand("POST", f"/custom-domains/{identity}/rotate-key", {"overlap_seconds": 0})
assert rotated.status_code == 201, rotated.text
following = rotated.json()["cname_api_key"]
assert (knock(NAME, key), knock(NAME, following)) == (403, 200)

settings = client.tenants.settings.update(mtls={"enable_endpoint_aliases": True})
assert settings.mtls.enable_endpoint_aliases is True
assert client.tenants.settings.get(fields="mtls", include_fields=True).mtls.enable_endpoint_aliases is True
assert knock(f"mtls.{NAME}", following) == 200

try:
    client.custom_domains.create(domain=NAME, type="self_managed_certs", request_options={"max_retries": 0})
    raise AssertionError("created twice")
except ConflictError as refused:
    assert refused.body.error_code == "custom_domain_exists" if hasattr(refused.body, "error_code") else True, refused.body

ci = ManagementClient(domain=ADMIN, client_id="ci", client_secret=os.environ["SECRET"], httpx_client=httpx.Client(verify=context))
assert [domain.domain for domain in ci.custom_domains.list()] == [NAME]

one = client.clients.create(name="payments")
credential = client.clients.credentials.create(one.client_id, credential_type="cert_subject_dn", subject_dn="C=es\nCN=Dev")
assert credential.subject_dn == "C=es\nCN=Dev", credential
assert [each.id for each in client.clients.credentials.list(one.client_id)] == [credential.id]
client.clients.credentials.delete(one.client_id, credential.id)
client.clients.delete(one.client_id)

client.custom_domains.delete(identity)
client.custom_domains.delete(identity)
assert knock(NAME, following) == 403
try:
    client.custom_domains.get(identity)
    raise AssertionError("it is still there")
except NotFoundError as refused:
    assert refused.status_code == 404
