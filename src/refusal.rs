//! The closed list of everything a peer may be told.
//!
//! A refusal has one stable code. The client gets the status, a fixed sentence and the request id; the log, the counters and
//! `explain` get the code and the full cause ([`Refused`]). Match [`Refusal`] without a wildcard, so that a new variant
//! forces every decision.

use std::fmt;

/// Whose fault it is; it decides 4xx or 5xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The client: its certificate, its request.
    Client,
    /// The front door: its proof, its headers.
    FrontDoor,
    /// The upstream.
    Upstream,
    /// This program or its configuration.
    Us,
}

macro_rules! refusals {
    ($( $(#[doc = $doc:literal])+ $variant:ident, $code:literal, $status:literal, $blame:ident, $sentence:ident; )+) => {
        /// Why a request is not answered by its upstream.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Refusal { $( $(#[doc = $doc])+ $variant, )+ }

        impl Refusal {
            /// Every refusal, in the order of the table in `docs/refusals.md`.
            pub const ALL: &'static [Refusal] = &[ $( Refusal::$variant, )+ ];

            /// The stable code in logs, counters and `explain`.
            pub fn code(self) -> &'static str { match self { $( Refusal::$variant => $code, )+ } }

            /// The HTTP status that the client gets.
            pub fn status(self) -> u16 { match self { $( Refusal::$variant => $status, )+ } }

            /// Whose fault it is.
            pub fn blame(self) -> Blame { match self { $( Refusal::$variant => Blame::$blame, )+ } }

            /// The fixed sentence that the client gets.
            pub fn sentence(self) -> &'static str { match self { $( Refusal::$variant => $sentence, )+ } }
        }
    };
}

const NOT_AUTHENTICATED: &str = "This request did not come through an authenticated front door.";
const CONTRACT: &str = "The front door's headers are not acceptable.";
const CERTIFICATE_HEADER: &str = "The forwarded client certificate cannot be read.";
const NO_CERTIFICATE: &str = "A client certificate is required.";
const CERTIFICATE: &str = "The client certificate was not accepted.";
const DENIED: &str = "Access is denied.";
const TOO_MANY: &str = "There are too many requests.";
const MISDIRECTED: &str = "The connection was made for another host.";
const MALFORMED: &str = "The request is malformed.";
const HEAD_TOO_LARGE: &str = "The request's headers are too large.";
const BODY_TOO_LARGE: &str = "The request's body is too large.";
const TOKEN_REQUIRED: &str = "An access token is required.";
const TOKEN: &str = "The access token was not accepted.";
const TOKEN_FORM: &str = "The access token must be sent once, in the Authorization header.";
const TOKEN_SCOPE: &str = "The access token does not allow this.";
const OAUTH_REQUEST: &str = "The request is not one for this endpoint.";
const OAUTH_CLIENT: &str = "Client authentication failed.";
const NO_ROUTE: &str = "There is nothing here.";
const BAD_GATEWAY: &str = "The upstream cannot be reached.";
const BAD_ANSWER: &str = "The upstream's answer is not usable.";
const GATEWAY_TIMEOUT: &str = "The upstream did not answer in time.";
const INTERNAL: &str = "The request could not be handled.";

refusals! {
    /// The Host asked for is no domain of ours.
    UnknownDomain, "unknown_domain", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The domain's key header is not there.
    FrontDoorKeyMissing, "front_door_key_missing", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The key header was sent more than once.
    FrontDoorKeyRepeated, "front_door_key_repeated", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The key is not one of the domain's keys.
    FrontDoorKeyWrong, "front_door_key_wrong", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The front door showed no certificate of its own, or its connection has no TLS.
    FrontDoorCertificateMissing, "front_door_certificate_missing", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The front door's certificate is not one of those configured, or not good now.
    FrontDoorCertificateWrong, "front_door_certificate_wrong", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The connection comes from an address outside the front door's networks.
    FrontDoorNetwork, "front_door_network", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The other end of the Unix socket is not the front door's user or group, or there is no Unix socket.
    FrontDoorUnixPeer, "front_door_unix_peer", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The front door's signature is not there.
    SignatureMissing, "signature_missing", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The signature's headers are not what RFC 9421 and we demand: syntax, parameters, components.
    SignatureMalformed, "signature_malformed", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The signature names a key that the front door does not have.
    SignatureKeyUnknown, "signature_key_unknown", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The signature does not cover all that it must, or what it must cover is not there.
    SignatureUncovered, "signature_uncovered", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The signature is older than `signature_max_age`, has expired, or is from before the memory of nonces began.
    SignatureTooOld, "signature_too_old", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The signature was made in the future.
    SignatureFromTheFuture, "signature_from_the_future", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The signature does not fit the request.
    SignatureWrong, "signature_wrong", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The signature's nonce was used before.
    SignatureReplayed, "signature_replayed", 403, FrontDoor, NOT_AUTHENTICATED;
    /// The memory of nonces is full: a replay could not be told.
    NonceMemoryFull, "nonce_memory_full", 503, Us, INTERNAL;
    /// Redis, which remembers nonces, does not answer.
    NonceStoreUnreachable, "nonce_store_unreachable", 503, Us, INTERNAL;

    /// A contract header was sent more than once.
    ContractHeaderRepeated, "contract_header_repeated", 400, FrontDoor, CONTRACT;
    /// A header whose name differs from a contract header only by `_` or `.` for `-`.
    ContractHeaderAliased, "contract_header_aliased", 400, FrontDoor, CONTRACT;
    /// `Connection` names a contract header.
    ContractHeaderInConnection, "contract_header_in_connection", 400, FrontDoor, CONTRACT;
    /// `Trailer` names a contract header.
    ContractHeaderInTrailer, "contract_header_in_trailer", 400, FrontDoor, CONTRACT;
    /// A contract header carries control bytes.
    ContractHeaderControlBytes, "contract_header_control_bytes", 400, FrontDoor, CONTRACT;
    /// The server name of the TLS handshake is missing or is not the host asked for.
    SniMismatch, "sni_mismatch", 421, Client, MISDIRECTED;
    /// The client-ip header does not hold exactly one address.
    ClientAddressInvalid, "client_address_invalid", 400, FrontDoor, CONTRACT;

    /// The certificate header is over its size limit.
    CertificateHeaderTooLarge, "certificate_header_too_large", 400, FrontDoor, CERTIFICATE_HEADER;
    /// The certificate header is there, but empty.
    CertificateHeaderEmpty, "certificate_header_empty", 400, FrontDoor, CERTIFICATE_HEADER;
    /// The front door saw a certificate and did not forward it; it may have been too large for it.
    CertificateWithheld, "certificate_withheld", 400, FrontDoor, CERTIFICATE_HEADER;
    /// The certificate header is not in the front door's format.
    CertificateHeaderEncoding, "certificate_header_encoding", 400, FrontDoor, CERTIFICATE_HEADER;
    /// What the certificate header decodes to is not PEM certificates and nothing else.
    CertificateHeaderNotPem, "certificate_header_not_pem", 400, FrontDoor, CERTIFICATE_HEADER;
    /// More certificates than a header may carry.
    CertificateHeaderTooMany, "certificate_header_too_many", 400, FrontDoor, CERTIFICATE_HEADER;
    /// The bytes are not an X.509 certificate, or something follows it.
    CertificateMalformed, "certificate_malformed", 400, Client, CERTIFICATE_HEADER;
    /// The forwarded verdict is none that the front door's format has.
    ForwardedVerdictUnknown, "forwarded_verdict_unknown", 400, FrontDoor, CONTRACT;
    /// `NONE` beside a certificate, or another verdict without one.
    ForwardedVerdictContradicts, "forwarded_verdict_contradicts", 400, FrontDoor, CONTRACT;
    /// The forwarded distinguished name is not the certificate's.
    ForwardedDnMismatch, "forwarded_dn_mismatch", 400, FrontDoor, CONTRACT;
    /// A forwarded serial number, digest or date is not the certificate's.
    ForwardedFieldMismatch, "forwarded_field_mismatch", 400, FrontDoor, CONTRACT;
    /// The front door's verdict, configured to count, is not `SUCCESS`.
    ForwardedVerdictFailed, "forwarded_verdict_failed", 401, Client, CERTIFICATE;

    /// No certificate was presented where one is required.
    CertificateRequired, "certificate_required", 401, Client, NO_CERTIFICATE;
    /// A certificate breaks a rule of ours: key, version, extensions, names.
    CertificateUnacceptable, "certificate_unacceptable", 401, Client, CERTIFICATE;
    /// No certification path to a trusted CA.
    CertificateUntrusted, "certificate_untrusted", 401, Client, CERTIFICATE;
    /// Too many candidate paths: the budget is spent.
    CertificatePathBudget, "certificate_path_budget", 401, Client, CERTIFICATE;
    /// Not for client authentication.
    CertificatePurpose, "certificate_purpose", 401, Client, CERTIFICATE;
    /// Revoked by its issuer.
    CertificateRevoked, "certificate_revoked", 401, Client, CERTIFICATE;
    /// Nobody can tell whether it is revoked, and the mode asks to know.
    RevocationUnknown, "revocation_unknown", 401, Client, CERTIFICATE;
    /// Past its notAfter.
    CertificateExpired, "certificate_expired", 401, Client, CERTIFICATE;
    /// Before its notBefore, or with dates that cannot be read.
    CertificateNotYetValid, "certificate_not_yet_valid", 401, Client, CERTIFICATE;
    /// On the route's deny list.
    CertificateDenied, "certificate_denied", 401, Client, CERTIFICATE;
    /// Not on the route's allow list.
    CertificateNotRegistered, "certificate_not_registered", 401, Client, CERTIFICATE;
    /// It breaks its issuer's profile, or has none where one is required.
    CertificateProfile, "certificate_profile", 401, Client, CERTIFICATE;

    /// The certificate is trusted, and no consumer is known by it.
    ConsumerUnknown, "consumer_unknown", 401, Client, CERTIFICATE;
    /// The consumer's groups are not let pass on this route.
    ConsumerGroupDenied, "consumer_group_denied", 403, Client, DENIED;

    /// The route needs an access token, and there is none.
    AccessTokenMissing, "access_token_missing", 401, Client, TOKEN_REQUIRED;
    /// More than one access token, or one in the query or a form.
    AccessTokenRepeated, "access_token_repeated", 400, Client, TOKEN_FORM;
    /// The access token is not its issuer's, not for this API, not of this time, or of a form that is not allowed.
    AccessTokenInvalid, "access_token_invalid", 401, Client, TOKEN;
    /// The access token is bound to another certificate than the one that was presented, or none was.
    AccessTokenCertificate, "access_token_certificate", 401, Client, TOKEN;
    /// The access token is bound to no certificate where that is required.
    AccessTokenUnbound, "access_token_unbound", 401, Client, TOKEN;
    /// A DPoP token where none passes, without its proof, or sent as a bearer token.
    AccessTokenDpop, "access_token_dpop", 401, Client, TOKEN;
    /// The access token has not the scopes of the route.
    AccessTokenScope, "access_token_scope", 403, Client, TOKEN_SCOPE;
    /// The issuer's keys or its introspection endpoint cannot be had, so nothing is known of the token.
    AccessTokenUnverifiable, "access_token_unverifiable", 503, Us, INTERNAL;

    /// A request to an OAuth endpoint that names no client, or two, or could be read in two ways.
    OauthRequestInvalid, "oauth_request_invalid", 400, Client, OAUTH_REQUEST;
    /// No client with this `client_id` is registered.
    OauthClientUnknown, "oauth_client_unknown", 401, Client, OAUTH_CLIENT;
    /// The client must authenticate itself with a certificate, and this is not the one, not the way, or not the host.
    OauthClientRefused, "oauth_client_refused", 401, Client, OAUTH_CLIENT;
    /// The client's certificates cannot be had from its `jwks_uri`.
    OauthClientUnverifiable, "oauth_client_unverifiable", 503, Us, INTERNAL;

    /// A rule said `deny`.
    DeniedByRule, "denied_by_rule", 403, Client, DENIED;
    /// A rule's rate limit is used up.
    RateLimited, "rate_limited", 429, Client, TOO_MANY;
    /// A rule's result cannot be sent: a header value that is too long, for example.
    RuleFailed, "rule_failed", 500, Us, INTERNAL;

    /// What the upstream is to be told about the client cannot be signed, or is too long for a header.
    IdentityFailed, "identity_failed", 500, Us, INTERNAL;

    /// The request head is not HTTP, or says one thing twice.
    RequestMalformed, "request_malformed", 400, Client, MALFORMED;
    /// The request target cannot be read.
    RequestTargetInvalid, "request_target_invalid", 400, Client, MALFORMED;
    /// Too many header lines or too many header bytes.
    RequestHeadTooLarge, "request_head_too_large", 431, Client, HEAD_TOO_LARGE;
    /// The body is over the route's limit.
    RequestBodyTooLarge, "request_body_too_large", 413, Client, BODY_TOO_LARGE;
    /// No route fits method and path.
    NoRoute, "no_route", 404, Client, NO_ROUTE;

    /// No connection to the upstream.
    UpstreamUnreachable, "upstream_unreachable", 502, Upstream, BAD_GATEWAY;
    /// The upstream closed or broke HTTP before its answer's head was whole.
    UpstreamInvalidResponse, "upstream_invalid_response", 502, Upstream, BAD_ANSWER;
    /// The upstream did not connect or answer in time.
    UpstreamTimeout, "upstream_timeout", 504, Upstream, GATEWAY_TIMEOUT;
    /// A fault of ours.
    Internal, "internal_error", 500, Us, INTERNAL;
}

/// A refusal with its full cause. The cause is for the log and `explain`, never for the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The code.
    pub refusal: Refusal,
    /// What was found, in plain words. Holds no secret and no whole certificate.
    pub cause: String,
}

impl Refused {
    /// A refusal and what was found.
    pub fn new(refusal: Refusal, cause: impl Into<String>) -> Self {
        Self { refusal, cause: cause.into() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.refusal.code(), self.cause)
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_statuses_follow_blame() {
        let codes: HashSet<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            let server_side = refusal.status() >= 500;
            let theirs = matches!(refusal.blame(), Blame::Client | Blame::FrontDoor);
            assert_ne!(server_side, theirs, "{}", refusal.code());
        }
    }
}
