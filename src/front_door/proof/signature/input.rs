//! `Signature-Input` and `Signature` (RFC 9421 §4), read by the rules of structured fields (RFC 9651): our label's members
//! alone count, but a field that is not well-formed counts as none.

use std::borrow::Cow;
use std::convert::Infallible;

use sfv::visitor::{DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ParameterVisitor};
use sfv::{BareItemFromInput, KeyRef, Parser};

use super::component::Component;
use super::{members, shortened};
use crate::refusal::{Refusal, Refused};
use crate::request_head::RequestHead;
use crate::secret::SignatureKey;

/// More components than any front door has headers to sign.
const MOST_COMPONENTS: usize = 64;

/// What a signature says that it covers, and its parameters.
#[derive(Debug, Default)]
pub(super) struct Input<'i> {
    pub(super) components: Vec<Component<'i>>,
    pub(super) created: Option<i64>,
    pub(super) expires: Option<i64>,
    pub(super) nonce: Option<Cow<'i, str>>,
    pub(super) alg: Option<Cow<'i, str>>,
    pub(super) keyid: Option<Cow<'i, str>>,
    pub(super) tag: Option<Cow<'i, str>>,
    /// The member's value as it was sent.
    raw: &'i [u8],
}

impl<'i> Input<'i> {
    /// Reads our label's member of `Signature-Input`.
    pub(super) fn parse(field: &'i [u8], label: &str) -> Result<Self, Refused> {
        let malformed = |why: String| Refused::new(Refusal::SignatureMalformed, format!("signature-input: {why}"));
        let mut read = Reading { label, times: 0, fault: None, input: Input::default() };
        Parser::new(field).parse_dictionary_with_visitor(&mut read).map_err(|why| malformed(why.to_string()))?;
        match read.times {
            0 => return Err(Refused::new(Refusal::SignatureMissing, format!("signature-input has no `{label}`"))),
            1 => {}
            _ => return Err(malformed(format!("`{label}` is there more than once"))),
        }
        if let Some(fault) = read.fault {
            return Err(malformed(fault));
        }
        let mut input = read.input;
        input.raw = members::raw_value(field, label).ok_or_else(|| malformed("the member cannot be found".into()))?;
        Ok(input)
    }

    /// Whether it covers a header field.
    pub(super) fn covers(&self, name: &str) -> bool {
        self.components.iter().any(|component| matches!(component, Component::Field(field) if field == name))
    }

    /// Whether a signature is the key's for this request: the signature base (RFC 9421 §2.5) goes through HMAC-SHA-256 as it
    /// is made.
    ///
    /// # Errors
    /// [`Refusal::SignatureWrong`].
    pub(super) fn verify(&self, head: &RequestHead, key: &SignatureKey, signature: &[u8]) -> Result<(), Refused> {
        let wrong = |why: String| Refused::new(Refusal::SignatureWrong, why);
        let mut message = key.begin();
        for component in &self.components {
            component.write(head, &mut message).map_err(wrong)?;
        }
        message.update(b"\"@signature-params\": ");
        message.update(self.raw);
        if message.is_signed_by(signature) { Ok(()) } else { Err(wrong("it does not fit the request".into())) }
    }
}

/// Our label's signature.
pub(super) fn signature(field: &[u8], label: &str) -> Result<Vec<u8>, Refused> {
    let malformed = |why: String| Refused::new(Refusal::SignatureMalformed, format!("signature: {why}"));
    let mut found = Found { label, times: 0, bytes: None };
    Parser::new(field).parse_dictionary_with_visitor(&mut found).map_err(|why| malformed(why.to_string()))?;
    match (found.times, found.bytes) {
        (0, _) => Err(Refused::new(Refusal::SignatureMissing, format!("signature has no `{label}`"))),
        (1, Some(bytes)) => Ok(bytes),
        (1, None) => Err(malformed(format!("`{label}` is no byte sequence alone"))),
        _ => Err(malformed(format!("`{label}` is there more than once"))),
    }
}

struct Reading<'l, 'i> {
    label: &'l str,
    times: usize,
    fault: Option<String>,
    input: Input<'i>,
}

impl<'i> Reading<'_, 'i> {
    fn fault(&mut self, why: impl Into<String>) {
        self.fault.get_or_insert_with(|| why.into());
    }

    fn component(&mut self, item: BareItemFromInput<'i>) {
        let Some(name) = text(item) else { return self.fault("a component is no string") };
        match Component::parse(name) {
            Ok(component) if self.input.components.contains(&component) => self.fault("a component is there twice"),
            Ok(_) if self.input.components.len() >= MOST_COMPONENTS => self.fault("too many components"),
            Ok(component) => self.input.components.push(component),
            Err(why) => self.fault(why),
        }
    }

    fn signature_parameter(&mut self, key: &str, value: BareItemFromInput<'i>) {
        let seen = match (key, value) {
            ("created", BareItemFromInput::Integer(value)) => self.input.created.replace(value.into()).is_some(),
            ("expires", BareItemFromInput::Integer(value)) => self.input.expires.replace(value.into()).is_some(),
            ("created" | "expires", _) => return self.fault(format!("`{key}` is no whole number")),
            ("nonce" | "alg" | "keyid" | "tag", value) => {
                let Some(value) = text(value) else { return self.fault(format!("`{key}` is no string")) };
                let slot = match key {
                    "nonce" => &mut self.input.nonce,
                    "alg" => &mut self.input.alg,
                    "keyid" => &mut self.input.keyid,
                    _ => &mut self.input.tag,
                };
                slot.replace(value).is_some()
            }
            _ => return self.fault("a parameter that is none of created, expires, nonce, alg, keyid, tag"),
        };
        if seen {
            self.fault(format!("`{key}` is there twice"));
        }
    }
}

fn text(item: BareItemFromInput<'_>) -> Option<Cow<'_, str>> {
    match item {
        BareItemFromInput::String(Cow::Borrowed(text)) => Some(Cow::Borrowed(text.as_str())),
        BareItemFromInput::String(Cow::Owned(text)) => Some(Cow::Owned(text.into())),
        _ => None,
    }
}

impl<'i> DictionaryVisitor<'i> for &mut Reading<'_, 'i> {
    type Out = ();
    type Error = Infallible;

    fn entry(&mut self, key: &'i KeyRef) -> Result<impl EntryVisitor<'i>, Infallible> {
        let ours = key.as_str() == self.label;
        self.times += usize::from(ours);
        Ok(ours.then_some(OurEntry(self)))
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct OurEntry<'r, 'l, 'i>(&'r mut Reading<'l, 'i>);

impl<'i> EntryVisitor<'i> for OurEntry<'_, '_, 'i> {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'i>, Infallible> {
        self.0.fault("the label has no list of components");
        Ok(Ignored)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'i>, Infallible> {
        Ok(self)
    }
}

impl<'i> InnerListVisitor<'i> for OurEntry<'_, '_, 'i> {
    type Error = Infallible;

    fn item(&mut self) -> Result<impl ItemVisitor<'i>, Infallible> {
        Ok(OurComponent(self.0))
    }

    fn finish(self) -> Result<impl ParameterVisitor<'i>, Infallible> {
        Ok(self)
    }
}

impl<'i> ParameterVisitor<'i> for OurEntry<'_, '_, 'i> {
    type Out = ();
    type Error = Infallible;

    fn parameter(&mut self, key: &'i KeyRef, value: BareItemFromInput<'i>) -> Result<(), Infallible> {
        self.0.signature_parameter(key.as_str(), value);
        Ok(())
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct OurComponent<'r, 'l, 'i>(&'r mut Reading<'l, 'i>);

impl<'i> ItemVisitor<'i> for OurComponent<'_, '_, 'i> {
    type Out = ();
    type Error = Infallible;

    fn bare_item(self, item: BareItemFromInput<'i>) -> Result<impl ParameterVisitor<'i, Out = ()>, Infallible> {
        self.0.component(item);
        Ok(self)
    }
}

impl<'i> ParameterVisitor<'i> for OurComponent<'_, '_, 'i> {
    type Out = ();
    type Error = Infallible;

    fn parameter(&mut self, key: &'i KeyRef, _: BareItemFromInput<'i>) -> Result<(), Infallible> {
        self.0.fault(format!("the component parameter `{}` is not implemented", shortened(key.as_str())));
        Ok(())
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct Found<'l> {
    label: &'l str,
    times: usize,
    bytes: Option<Vec<u8>>,
}

impl<'i> DictionaryVisitor<'i> for &mut Found<'_> {
    type Out = ();
    type Error = Infallible;

    fn entry(&mut self, key: &'i KeyRef) -> Result<impl EntryVisitor<'i>, Infallible> {
        let ours = key.as_str() == self.label;
        self.times += usize::from(ours);
        Ok(ours.then_some(OurSignature(&mut self.bytes)))
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct OurSignature<'b>(&'b mut Option<Vec<u8>>);

impl<'i> EntryVisitor<'i> for OurSignature<'_> {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'i>, Infallible> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'i>, Infallible> {
        Ok(Ignored)
    }
}

impl<'i> ItemVisitor<'i> for OurSignature<'_> {
    type Out = ();
    type Error = Infallible;

    fn bare_item(self, item: BareItemFromInput<'i>) -> Result<impl ParameterVisitor<'i, Out = ()>, Infallible> {
        if let BareItemFromInput::ByteSequence(bytes) = item {
            *self.0 = Some(bytes);
        }
        Ok(self)
    }
}

impl<'i> ParameterVisitor<'i> for OurSignature<'_> {
    type Out = ();
    type Error = Infallible;

    fn parameter(&mut self, _: &'i KeyRef, _: BareItemFromInput<'i>) -> Result<(), Infallible> {
        *self.0 = None;
        Ok(())
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}
