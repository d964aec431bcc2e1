// How clients reach the front door: by name and with the certificate of whoever asks, though everything is on this machine.
import { request } from 'node:https';

import { settings } from './settings.js';

// The last answer that came, with what a test may want to know of it.
export const last = {};

// A `fetch` for this person, who may be nobody, that adds these headers.
export const fetchAs = (person, more = {}) => async (url, { method, headers, body } = {}) => {
  const { host, hostname, pathname, search } = new URL(url);
  const asked = request({
    host: '127.0.0.1',
    port: settings.front_door,
    servername: hostname,
    ca: settings.ca,
    ...settings.people[person],
    agent: false,
    timeout: 20_000,
    method,
    path: pathname + search,
    headers: { ...Object.fromEntries(new Headers(headers)), host, ...more },
  });
  asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
  const answer = await new Promise((resolve, reject) => {
    asked.on('response', resolve).on('error', reject);
    asked.end(body === undefined || body === null ? undefined : String(body));
  });
  const chunks = [];
  for await (const chunk of answer) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const lines = new Headers();
  for (let at = 0; at < answer.rawHeaders.length; at += 2) lines.append(answer.rawHeaders[at], answer.rawHeaders[at + 1]);
  Object.assign(last, { host, status: answer.statusCode, id: lines.get('x-request-id'), challenge: lines.get('www-authenticate'), text });
  return new Response(text || null, { status: answer.statusCode, headers: lines });
};
