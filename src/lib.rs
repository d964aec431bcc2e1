//! Vestibule: an edge proxy behind a TLS-terminating front door.
//!
//! # The journey of a request
//!
//! Modules stand in the order in which a request meets them. Each degree of trust is one module with one constructor, and a
//! later stage takes the earlier stage's type: what was not authenticated cannot be passed on, because no value of the needed
//! type exists.
//!
//! | stage | enters | leaves | refuses |
//! |---|---|---|---|
//! | [`request_head`] | bytes | [`RequestHead`](request_head::RequestHead), which anyone can make | targets that mean two things |
//! | [`front_door`] | `RequestHead` | [`AuthenticatedForward`](front_door::AuthenticatedForward) | no proof, bent contract headers |
//! | [`presented`] | `AuthenticatedForward` | [`Presentation`](presented::Presentation) | what does not decode, contradictions |
//! | [`verifier`] | a certificate, trust, an instant | [`Verification`](verifier::Verification): findings | nothing: it reports |
//! | [`revocation`] | what a verification still wants to know | lists in force, answers held: it is judged again | nothing |
//! | [`admission`] | findings, the route's policy | [`Admission`](admission::Admission) | what the policy does not let pass |
//! | [`oauth`] | an access token or a client's form, the presented certificate | who the client is, where it was asked | tokens that are not good or not this client's; clients that are not who they say |
//! | [`consumer`] | an `Admission`, the tenant's consumers | [`Identification`](consumer::Identification) | unknown consumers, denied groups |
//! | [`identity_headers`] | all of these, the upstream's name | [`IdentityHeaders`](identity_headers::IdentityHeaders): a signed token, a user object | what cannot be signed or sent |
//! | [`probe`] | `AuthenticatedForward`, a token | what was seen, to whoever sent it: the journey ends | nothing: without a token it is not there |
//! | [`variables`] | a certificate | the `ssl_client_*` table | |
//! | [`rules`] | `AuthenticatedForward`, facts | [`Permitted`](rules::Permitted), which owns the request, or a [`RuleAnswer`](rules::RuleAnswer) | `deny`, too many requests |
//! | [`upstream`] | `Permitted` | the answer, streamed | a silent or broken upstream |
//!
//! [`journey`] strings them together for every way in: [`proxy`], [`authorize`], and `explain` of [`cli`]. [`domains`] keeps the custom domains that
//! [`manage`] creates; [`front_door`] finds them beside those of the configuration. [`config`] builds all
//! of it and nothing in it knows `config`.
//!
//! # Accidents of other proxies, and what prevents each here
//!
//! `docs/attacks.md` is the whole catalogue, and `tests/attack_catalogue.rs` has a test for each of its
//! rows. Here is what prevents them, and tests that look closer.
//!
//! | accident | known as | what prevents it | test |
//! |---|---|---|---|
//! | the client sends the trusted header itself | CVE-2024-10039 | nothing is read before the front door is authenticated | `attacks::whoever_does_not_have_the_key_learns_nothing` |
//! | somebody else's certificate in the header, beside the client's own | certificates are public | a signature covers every header that we believe | `proofs::whatever_is_wrong_with_a_signature_gets_the_same_answer` |
//! | a request that was seen on the way is sent again | a key covers nothing | a signature's nonce counts once | `proofs::a_signed_request_passes_once` |
//! | `X_Client_Cert` read as `X-Client-Cert` | CVE-2025-64484, CVE-2026-39858 | [`header_names`] sees through aliases: refused in contract names, removed in ours | `attacks::aliases_and_duplicates_of_contract_headers_are_refused` |
//! | `Connection: x-client-cert` deletes what the proxy set | CVE-2021-32813, CVE-2024-45410, CVE-2022-31813 | a contract name there is refused; our headers are added after hop-by-hop removal | `attacks::connection_and_trailer_cannot_name_contract_headers` |
//! | a client calls itself a consumer | `X-Consumer-Username` sent by the client | Kong's headers are always ours, consumers or none; an unverified name is nobody's | `consumers::the_clients_own_copies_never_arrive`, `consumers::only_verified_identities_become_consumers` |
//! | an upstream takes the name of an unverified certificate for a user's | Zuplo's `allowUnauthenticatedRequests` fills `request.user.sub` | `sub` is of a verified identity alone; every token says `verified` | `identity::who_is_not_verified_has_no_subject` |
//! | trailers merged into headers | front doors pass them on | trailers are never read | `attacks::trailers_of_a_chunked_body_do_not_reach_the_upstream` |
//! | an expired forgery passes where expired certificates are allowed | first error wins | all errors are collected; a waiver needs exactly one finding | `refusals::each_certificate_on_each_route` |
//! | a certificate too large for the front door arrives as "none" | HAProxy's empty value | empty is absent only where the format or the verdict says so | `formats::withheld::no_dialect_takes_a_certificate_that_was_left_out_for_none` |
//! | "no certificate" says 0, and so does a good one | HAProxy's `ssl_c_verify` | the code counts only beside `ssl_c_used` | `formats::withheld` |
//! | a name in the certificate forges an element of XFCC | envoyproxy/envoy#32945 | one element, `Hash` must be the certificate's, names are not used | `formats::injection::recorded_injections_give_the_clients_own_certificate_or_nothing` |
//! | a handshake for one host, a request for another | CVE-2025-23419, CVE-2025-23048 | `require_sni` | `formats::withheld::the_handshakes_server_name_must_be_the_host` |
//! | a verdict outlives the certificate on an open connection | nginx's `SUCCESS` after expiry | every request is judged at its own instant; remembered verdicts end at the next date | `time::a_certificate_that_expires_between_two_requests_of_one_connection` |
//! | a TLS session with a certificate is resumed on another host | CVE-2025-23419, CVE-2025-23048 | our own TLS resumes nothing, and Host is the handshake's server name | `tls_listener::resumption`, `tls_listener::host_names` |
//! | one route makes browsers ask for certificates on every host | Kong without `snis` | each server name has its own configuration | `tls_listener::asking` |
//! | `CN=a,CN=admin` in a value matches `CN=admin` | regular expressions over a DN | attributes are variables of their own, read from the DER | `rules` |
//! | a line feed in a subject starts a new header | printers that do not escape | values that we make hold 0x20 to 0x7E alone | `rules::template` |
//! | several paths, the first one bad | CVE-2024-0567 | every path within a budget is judged by itself | `verify_suites` (BetterTLS) |
//! | a certificate's `CN` taken for what it is elsewhere, or a role for what its text says | one `CN`, two meanings in one country | a profile is chosen by the verified issuer, a role by its object identifier | `profiles::only_a_verified_issuer_gives_a_profile` |
//! | a registered self-signed certificate counts as one of a trusted CA | one "verified" for two things | a thumbprint is judged by an entry and a type of its own; `ssl_client_verify` stays `FAILED` | `self_signed::the_registered_pass_and_nobody_else_does` |
//! | a front door's `SUCCESS` is believed | `optional_no_ca`, resumption | the verdict may narrow, never widen | `presented::a_front_doors_verdict_narrows_and_never_widens` |
//! | a certificate's URL makes us knock at the metadata service of the cloud | SSRF by AIA and CRLDP | only behind a sound chain, listed hosts, public addresses, no redirect elsewhere | `limits::a_private_address_is_never_contacted_for_a_certificate` |
//! | a name that a client chose for itself passes for the registered one | any CA, one string compare | the CA counts first, then the name as RFC 4517 compares it | `oauth_clients::a_name_counts_only_where_a_trusted_ca_wrote_it` |
//! | two servers read two clients in one form | the first or the last of two parameters | what could be read in two ways is refused | `oauth_clients::requests_that_could_be_read_in_two_ways_are_refused` |
//! | a token's own `alg`, `jwk` or `crit` decides how it is checked | CVE-2015-9235, CVE-2018-0114 | algorithms and keys are the issuer's; nothing critical is unknown | `access_tokens::whatever_is_wrong_with_a_token_gets_the_same_answer` |
//! | the token that was checked is not the one that is used | RFC 6750 §2.2: a form may hold one too | forms are read where tokens are checked; one token, in one place | `oauth_attacks::a_second_token_in_a_form_does_not_get_past_the_first` |
//! | `/TOKEN` is `/token` to the server and another route to the front | routers without case | a path that is of another route in another case is refused | `oauth_attacks::a_path_in_another_case_is_no_way_around` |
//! | a cache gives one client's answer to another | RFC 9440 | where a certificate counts, answers are `private` unless the upstream says otherwise | `row_32_an_answer_for_one_client_given_to_another` |
//! | request smuggling on the shared connection | CVE-2023-25725 and its kin | framing is made anew; what says one thing twice is refused | `attacks::control_bytes_and_broken_lines_are_refused` |

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

// Vocabulary.
pub mod clock;
pub mod debug_token;
pub mod digits;
pub mod header_names;
pub mod refusal;
pub mod request_head;
pub mod secret;

// Certificates, pure.
pub mod variables;
pub mod x509;

// Trust, in the order of the journey.
pub mod front_door;
pub mod presented;
pub mod verifier;

// The decision.
pub mod admission;
pub mod consumer;
pub mod identity_headers;
pub mod rules;

// Effects.
pub mod oauth;
pub mod revocation;
pub mod tls;
pub mod upstream;

// What the store holds.
pub mod domains;

// Surfaces.
pub mod answer;
pub mod authorize;
pub mod journey;
pub mod manage;
pub mod probe;
pub mod proxy;
pub mod record;
pub mod shared;
pub mod telemetry;

// Composition.
pub mod cli;
pub mod config;
pub mod front_door_config;
pub mod server;
