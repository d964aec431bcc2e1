//! Credentials of subject attributes: all of them must be in the subject.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::directory::{Credited, Mapped, Scope, Taken};
use crate::x509::name::Name;

/// The most sets of attribute types that a tenant's credentials may ask for: each one is looked up by itself.
pub(super) const MOST_SHAPES: usize = 16;
/// The most combinations of a subject's values that are looked up, for each set. A subject with several values of one type has
/// more than one.
const MOST_COMBINATIONS: usize = 64;

/// Attributes by their OIDs' content octets.
pub(super) type Attributes = BTreeMap<Box<[u8]>, Box<str>>;

#[derive(Default)]
pub(super) struct SubjectIndex {
    /// Those with the most attributes first: what says more counts before what says less.
    shapes: Vec<Shape>,
}

struct Shape {
    kinds: Vec<Box<[u8]>>,
    mapped: HashMap<String, Mapped>,
}

/// Why attributes were not taken in.
pub(super) enum NotTaken {
    Taken,
    TooManyShapes,
}

impl SubjectIndex {
    /// Where the credential of these attributes stands.
    pub(super) fn entry(&mut self, attributes: &Attributes) -> Result<&mut Mapped, NotTaken> {
        let same = |shape: &Shape| shape.kinds.iter().eq(attributes.keys());
        let at = match self.shapes.iter().position(same) {
            Some(at) => at,
            None if self.shapes.len() >= MOST_SHAPES => return Err(NotTaken::TooManyShapes),
            None => {
                let before = |shape: &Shape| shape.kinds.len() >= attributes.len();
                let at = self.shapes.iter().take_while(|shape| before(shape)).count();
                self.shapes.insert(at, Shape { kinds: attributes.keys().cloned().collect(), mapped: HashMap::new() });
                at
            }
        };
        let values: Vec<&str> = attributes.values().map(AsRef::as_ref).collect();
        let shape = self.shapes.get_mut(at).ok_or(NotTaken::TooManyShapes)?;
        Ok(shape.mapped.entry(key(values.into_iter())).or_default())
    }

    pub(super) fn find(&self, subject: &Name, scope: Scope<'_>) -> Option<&Credited> {
        self.shapes.iter().find_map(|shape| shape.find(subject, scope))
    }
}

impl Shape {
    fn find(&self, subject: &Name, scope: Scope<'_>) -> Option<&Credited> {
        let values: Vec<Vec<Cow<'_, str>>> = self.kinds.iter().map(|kind| subject.values_of(kind).collect()).collect();
        let combinations = values.iter().try_fold(1_usize, |product, values| product.checked_mul(values.len()))?;
        if combinations > MOST_COMBINATIONS {
            return None;
        }
        (0..combinations).find_map(|combination| {
            let mut rest = combination;
            let chosen = values.iter().map(|values| {
                let value = values.get(rest % values.len().max(1)).map(Cow::as_ref).unwrap_or_default();
                rest /= values.len().max(1);
                value
            });
            self.mapped.get(&key(chosen))?.get(scope)
        })
    }
}

/// One text for several values; their lengths keep them apart.
fn key<'v>(values: impl Iterator<Item = &'v str>) -> String {
    let mut key = String::new();
    for value in values {
        key.push_str(&value.len().to_string());
        key.push(':');
        key.push_str(value);
    }
    key
}

impl From<Taken> for NotTaken {
    fn from(_: Taken) -> Self {
        Self::Taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn different_values_have_different_keys(one: Vec<String>, other: Vec<String>) {
            let text = |values: &[String]| key(values.iter().map(String::as_str));
            prop_assert_eq!(text(&one) == text(&other), one == other);
        }
    }
}
