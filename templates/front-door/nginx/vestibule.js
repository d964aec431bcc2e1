// Signs what nginx tells Vestibule: HTTP Message Signatures (RFC 9421), hmac-sha256. For the njs module, 0.7.9 or later.
// Written by `vestibule front-door {{ plan.name }}`: change the configuration and write it again.

import crypto from 'crypto';

// The headers that are signed, and the variables that hold their values, as in vestibule-headers.conf.
const SIGNED = [
{%- for (name, variable) in signed %}
    ['{{ name }}', '{{ variable }}'],
{%- endfor %}
];

// Names that ask no client for a certificate: see vestibule-headers-silent.conf.
const SILENT = {
{%- for name in silent %}
    '{{ name }}': true,
{%- endfor %}
};

// A variable that vestibule.conf names in a directive, so that both functions say the same.
function created() {
    return String(Math.floor(Date.now() / 1000));
}

function value(r, variable) {
    const v = r.variables;
    if (SILENT[v.server_name]) {
        if (variable === 'ssl_client_escaped_cert') {
            return '';
        }
        if (variable === 'ssl_client_verify') {
            return 'NONE';
        }
    }
    return v[variable] || '';
}

// Headers without a value are not sent: those are not covered.
function sent(r) {
    return SIGNED.map((pair) => [pair[0], value(r, pair[1])]).filter((pair) => pair[1] !== '');
}

function parameters(r) {
    const names = ['@method', '@authority', '@path', '@query'].concat(sent(r).map((pair) => pair[0]));
    const covered = names.map((name) => '"' + name + '"').join(' ');
    return '(' + covered + ');created=' + r.variables.vestibule_created + ';nonce="' + r.variables.request_id
        + '";alg="hmac-sha256";keyid="{{ signing.keyid }}"{% if let Some(tag) = signing.tag %};tag="{{ tag }}"{% endif %}';
}

function signature_input(r) {
    return '{{ signing.label }}=' + parameters(r);
}

function signature(r) {
    const target = r.variables.request_uri;
    const at = target.indexOf('?');
    const lines = [
        ['@method', r.variables.request_method],
        ['@authority', r.variables.host],
        ['@path', at < 0 ? target : target.slice(0, at)],
        ['@query', at < 0 ? '?' : target.slice(at)],
    ].concat(sent(r), [['@signature-params', parameters(r)]]);
    const base = lines.map((line) => '"' + line[0] + '": ' + line[1]).join('\n');
    const key = Buffer.from(r.variables.vestibule_signature_key, 'base64');
    return '{{ signing.label }}=:' + crypto.createHmac('sha256', key).update(base).digest('base64') + ':';
}

export default { created, signature_input, signature };
