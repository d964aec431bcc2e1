//! Whether a key made the signature of a list or an OCSP answer; of a list, asked long after it was read.
//!
//! The key is often known only when a path was found, because clients present intermediates. A list of twenty megabytes is
//! not kept, and not read again, for that: what is signed is a digest of tbsCertList, which is taken while the list is read.
//! So this is `X509_CRL_verify` in two halves: the digest once, OpenSSL's public key operation once for each key. EdDSA signs
//! the octets themselves (RFC 8032); only there they are kept.
//!
//! SHA-1 and MD5 are refused: whoever finds a collision could make the CA sign one list and show another.

use std::sync::{PoisonError, RwLock};

use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::md::{Md, MdRef};
use openssl::pkey::{Id, PKey, PKeyRef, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Verifier};
use openssl::x509::X509Ref;

use super::der::{self, DerError, Reader, Tlv, tag};
use super::oid;

/// Why a signature is not worth checking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignatureError {
    /// An algorithm that is weak, or not known to us: dotted.
    Algorithm(String),
    /// Not in DER.
    NotDer(DerError),
    /// OpenSSL has no digest for it.
    OpenSsl,
}

impl From<DerError> for SignatureError {
    fn from(error: DerError) -> Self {
        Self::NotDer(error)
    }
}

/// What came of asking whether a CA signed a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignerCheck {
    /// The signature is not by this key.
    NotSigned,
    /// The list names another key of the issuer.
    OtherKey,
    /// Signed by this key.
    Signed,
}

/// Keys of one issuer: today's, the last, the next, and a few.
const MOST_KEYS: usize = 8;

/// What is needed to check a list's signature without the list.
pub(super) struct SignatureCheck {
    algorithm: Algorithm,
    /// The digest, or for EdDSA the whole tbsCertList.
    message: Box<[u8]>,
    signature: Box<[u8]>,
    /// Keys that have signed it. Only good news is kept: a peer cannot make such a key, but any number of others.
    signers: RwLock<Vec<PKey<Public>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Ecdsa(Digest),
    Ed25519,
    Ed448,
    /// PKCS #1 v1.5.
    Rsa(Digest),
    RsaPss {
        digest: Digest,
        mask: Digest,
        salt: u8,
    },
}

impl SignatureCheck {
    /// Takes what is needed: the AlgorithmIdentifier, the octets that were signed, and the BIT STRING of the signature.
    pub(super) fn read(algorithm: Tlv<'_>, signed: &[u8], signature: Tlv<'_>) -> Result<Self, SignatureError> {
        let algorithm = Algorithm::read(algorithm)?;
        let message = match algorithm.digest() {
            Some(digest) => hash(digest.message_digest(), signed).map_err(|_| SignatureError::OpenSsl)?.as_ref().into(),
            None => signed.into(),
        };
        let Some((0, signature)) = signature.content.split_first() else {
            return Err(DerError::new("a signature that is not whole octets").into());
        };
        Ok(Self { algorithm, message, signature: signature.into(), signers: RwLock::default() })
    }

    /// Whether the certificate's key made the signature.
    pub(super) fn by(&self, issuer: &X509Ref) -> SignerCheck {
        let Ok(key) = issuer.public_key() else { return SignerCheck::NotSigned };
        if self.signers.read().unwrap_or_else(PoisonError::into_inner).iter().any(|signer| signer.public_eq(&key)) {
            return SignerCheck::Signed;
        }
        let signed = self.check(&key).unwrap_or(false);
        // What OpenSSL queued would surface in somebody else's next call on this thread.
        drop(ErrorStack::get());
        if !signed {
            return SignerCheck::NotSigned;
        }
        let mut signers = self.signers.write().unwrap_or_else(PoisonError::into_inner);
        if signers.len() < MOST_KEYS {
            signers.push(key);
        }
        SignerCheck::Signed
    }

    pub(super) fn algorithm(&self) -> &'static str {
        match self.algorithm {
            Algorithm::Ecdsa(Digest::Sha256) => "ecdsa-with-SHA256",
            Algorithm::Ecdsa(Digest::Sha384) => "ecdsa-with-SHA384",
            Algorithm::Ecdsa(Digest::Sha512) => "ecdsa-with-SHA512",
            Algorithm::Ed25519 => "Ed25519",
            Algorithm::Ed448 => "Ed448",
            Algorithm::Rsa(Digest::Sha256) => "sha256WithRSAEncryption",
            Algorithm::Rsa(Digest::Sha384) => "sha384WithRSAEncryption",
            Algorithm::Rsa(Digest::Sha512) => "sha512WithRSAEncryption",
            Algorithm::RsaPss { .. } => "RSASSA-PSS",
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.message.len() + self.signature.len()
    }

    fn check(&self, key: &PKeyRef<Public>) -> Result<bool, ErrorStack> {
        if !self.algorithm.fits(key.id()) {
            return Ok(false);
        }
        let Some(digest) = self.algorithm.digest() else {
            return Verifier::new_without_digest(key)?.verify_oneshot(&self.signature, &self.message);
        };
        let mut context = PkeyCtx::new(key)?;
        context.verify_init()?;
        match self.algorithm {
            Algorithm::Rsa(_) => context.set_rsa_padding(Padding::PKCS1)?,
            Algorithm::RsaPss { mask, salt, .. } => {
                context.set_rsa_padding(Padding::PKCS1_PSS)?;
                context.set_rsa_mgf1_md(mask.md())?;
                context.set_rsa_pss_saltlen(RsaPssSaltlen::custom(salt.into()))?;
            }
            Algorithm::Ecdsa(_) | Algorithm::Ed25519 | Algorithm::Ed448 => {}
        }
        context.set_signature_md(digest.md())?;
        context.verify(&self.message, &self.signature)
    }
}

impl Algorithm {
    /// Reads an AlgorithmIdentifier (RFC 3279, 4055, 5758, 8410).
    fn read(identifier: Tlv<'_>) -> Result<Self, SignatureError> {
        let mut fields = Reader::new(identifier.content);
        let name = fields.expect(tag::OID)?.content;
        let parameters = if fields.is_empty() { None } else { Some(fields.any()?) };
        fields.finish()?;
        let unknown = || SignatureError::Algorithm(oid::dotted(name));
        let algorithm = match name {
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A] => {
                return parameters.and_then(|it| Self::read_pss(it).ok()).ok_or_else(unknown);
            }
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B] => Self::Rsa(Digest::Sha256),
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0C] => Self::Rsa(Digest::Sha384),
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0D] => Self::Rsa(Digest::Sha512),
            [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02] => Self::Ecdsa(Digest::Sha256),
            [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03] => Self::Ecdsa(Digest::Sha384),
            [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x04] => Self::Ecdsa(Digest::Sha512),
            [0x2B, 0x65, 0x70] => Self::Ed25519,
            [0x2B, 0x65, 0x71] => Self::Ed448,
            _ => return Err(unknown()),
        };
        // NULL with PKCS #1 v1.5, nothing elsewhere (RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3); some CAs mix them up.
        match parameters {
            None => Ok(algorithm),
            Some(Tlv { der: [0x05, 0x00], .. }) => Ok(algorithm),
            Some(_) => Err(unknown()),
        }
    }

    /// RSASSA-PSS-params (RFC 4055 §3.1). Every default there is SHA-1, so what is not written is not accepted.
    fn read_pss(parameters: Tlv<'_>) -> Result<Self, DerError> {
        /// Content octets of 1.2.840.113549.1.1.8, id-mgf1.
        const MGF1: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x08];
        let mut fields = Reader::new(der::single(parameters.der, tag::SEQUENCE)?.content);
        let digest = Digest::read(fields.expect(tag::context_constructed(0))?.content)?;
        let mask = der::single(fields.expect(tag::context_constructed(1))?.content, tag::SEQUENCE)?;
        let mut mask = Reader::new(mask.content);
        if mask.expect(tag::OID)?.content != MGF1 {
            return Err(DerError::new("a mask generation other than MGF1"));
        }
        let mask = Digest::read(mask.any()?.der)?;
        let salt = der::single(fields.expect(tag::context_constructed(2))?.content, tag::INTEGER)?;
        fields.finish()?;
        match *salt.content {
            [salt @ 0..=0x7F] => Ok(Self::RsaPss { digest, mask, salt }),
            _ => Err(DerError::new("a salt that is too long")),
        }
    }

    fn digest(self) -> Option<Digest> {
        match self {
            Self::Ecdsa(digest) | Self::Rsa(digest) | Self::RsaPss { digest, .. } => Some(digest),
            Self::Ed25519 | Self::Ed448 => None,
        }
    }

    fn fits(self, key: Id) -> bool {
        match self {
            Self::Ecdsa(_) => key == Id::EC,
            Self::Ed25519 => key == Id::ED25519,
            Self::Ed448 => key == Id::ED448,
            Self::Rsa(_) => key == Id::RSA,
            Self::RsaPss { .. } => key == Id::RSA || key == Id::RSA_PSS,
        }
    }
}

impl Digest {
    /// Reads an AlgorithmIdentifier of a digest.
    fn read(der: &[u8]) -> Result<Self, DerError> {
        let mut fields = Reader::new(der::single(der, tag::SEQUENCE)?.content);
        match fields.expect(tag::OID)?.content {
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01] => Ok(Self::Sha256),
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02] => Ok(Self::Sha384),
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03] => Ok(Self::Sha512),
            _ => Err(DerError::new("a digest other than SHA-256, SHA-384, SHA-512")),
        }
    }

    fn message_digest(self) -> MessageDigest {
        match self {
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }

    fn md(self) -> &'static MdRef {
        match self {
            Self::Sha256 => Md::sha256(),
            Self::Sha384 => Md::sha384(),
            Self::Sha512 => Md::sha512(),
        }
    }
}
