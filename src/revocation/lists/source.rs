//! The lists that are known, by their URLs: who uses them, and when they are to be fetched again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use openssl::x509::X509;

use crate::clock::UnixTime;
use crate::revocation::flight::Attempts;
use crate::revocation::plan::Target;
use crate::revocation::schedule::due;
use crate::x509::crl::CrlIndex;
use crate::x509::revocation_lists::Put;
use crate::x509::trusted_ca::TrustedCas;

/// URLs that certificates named and that are remembered.
const MOST_NAMED: usize = 256;
/// Users of one URL: sets of CAs, each with the issuers that were met.
const MOST_USERS: usize = 256;
/// A URL that brought nothing is forgotten when nobody asked for so long, in seconds.
const FORGET: i64 = 600;

/// Every URL.
#[derive(Default)]
pub(in crate::revocation) struct Sources(pub(super) HashMap<Target, Source>);

/// One URL and the list that it brought.
#[derive(Default)]
pub(super) struct Source {
    pub(super) users: Vec<User>,
    pub(super) held: Option<Held>,
    /// It was read, but no CA that is known signed it. Whoever comes with another CA may know better.
    pub(super) unproven: Option<Arc<CrlIndex>>,
    pub(super) attempts: Attempts,
    pub(super) looked_into_folder: bool,
    pub(super) asked: Option<UnixTime>,
}

pub(super) struct Held {
    pub(super) list: Arc<CrlIndex>,
    pub(super) fetched: UnixTime,
}

/// Where a list is put.
#[derive(Clone)]
pub(in crate::revocation) struct User {
    pub(super) trust: Weak<TrustedCas>,
    pub(super) anchors: HashSet<[u8; 32]>,
    /// The CA that issued the certificate whose list it is; without it, any CA of the set whose name and key fit.
    pub(super) issuer: Option<X509>,
    /// The operator named the URL: it is fetched though nobody asks.
    pub(super) configured: bool,
    /// The list that was put last, whether it was taken or not.
    pub(super) has: Option<[u8; 32]>,
}

impl User {
    pub(in crate::revocation) fn configured(trust: &Arc<TrustedCas>) -> Self {
        let anchors = trust.anchors().copied().collect();
        Self { trust: Arc::downgrade(trust), anchors, issuer: None, configured: true, has: None }
    }

    pub(in crate::revocation) fn of_issuer(trust: &Arc<TrustedCas>, issuer: &X509) -> Self {
        Self { issuer: Some(issuer.clone()), configured: false, ..Self::configured(trust) }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.trust.ptr_eq(&other.trust) && self.issuer == other.issuer
    }

    /// Puts a list in force. None when its signature is none of a CA that this user knows.
    pub(super) fn put(&mut self, list: &Arc<CrlIndex>) -> Option<Put> {
        let trust = self.trust.upgrade()?;
        let lists = trust.revocation_lists();
        self.has = Some(*list.sha256());
        match &self.issuer {
            Some(issuer) => Some(lists.put(list, issuer)).filter(|put| *put != Put::NotSigned),
            None => trust.certificates().map(|ca| lists.put(list, ca)).find(|put| *put != Put::NotSigned),
        }
    }
}

impl Source {
    pub(super) fn is_configured(&self) -> bool {
        self.users.iter().any(|user| user.configured)
    }

    pub(super) fn add(&mut self, user: User) {
        if self.users.iter().any(|known| known.is_same(&user)) {
            return;
        }
        if self.users.len() >= MOST_USERS {
            let oldest = self.users.iter().position(|user| !user.configured);
            oldest.map(|at| self.users.remove(at));
        }
        self.users.push(user);
    }

    /// Puts what is held where it is not yet.
    pub(super) fn spread(&mut self, now: UnixTime) {
        if let Some(list) = self.unproven.clone()
            && self.users.iter_mut().filter(|user| user.has != Some(*list.sha256())).any(|user| user.put(&list).is_some())
        {
            // What another user's CA signed stays.
            self.held.get_or_insert(Held { list, fetched: now });
            self.unproven = None;
        }
        let Some(held) = &self.held else { return };
        for user in self.users.iter_mut().filter(|user| user.has != Some(*held.list.sha256())) {
            user.put(&held.list);
        }
    }

    pub(super) fn is_fresh(&self, now: UnixTime) -> bool {
        self.held.as_ref().is_some_and(|held| now <= held.list.next_update())
    }

    pub(super) fn is_due(&self, now: UnixTime) -> bool {
        match &self.held {
            Some(held) => due(held.list.this_update(), held.list.next_update(), held.fetched) <= now,
            None => true,
        }
    }
}

impl Sources {
    pub(super) fn forget(&mut self, now: UnixTime) {
        self.0.retain(|_, source| {
            let asked = source.asked.map_or(i64::MIN, |asked| asked.0);
            let needed = match &source.held {
                Some(held) => now <= held.list.next_update() || asked > held.list.next_update().0,
                None => now.0.saturating_sub(asked) < FORGET,
            };
            let keep = !source.attempts.may_begin() || (!source.users.is_empty() && (source.is_configured() || needed));
            if !keep {
                source.take_out_of_force();
            }
            keep
        });
    }

    /// Of too many URLs the one that was of no use for the longest time goes; first of those that brought no list which still
    /// counts: URLs that lead nowhere do not drive out what is known.
    pub(super) fn make_room(&mut self, now: UnixTime) -> bool {
        let named = self.0.iter().filter(|(_, source)| !source.is_configured());
        if named.clone().count() < MOST_NAMED {
            return true;
        }
        let idle = named.filter(|(_, source)| !source.attempts.is_under_way());
        let least = idle.min_by_key(|(_, source)| (source.is_fresh(now), source.asked));
        let Some(target) = least.map(|(target, _)| target.clone()) else { return false };
        if let Some(source) = self.0.remove(&target) {
            source.take_out_of_force();
        }
        true
    }
}

impl Source {
    fn take_out_of_force(&self) {
        let Some(held) = &self.held else { return };
        for trust in self.users.iter().filter_map(|user| user.trust.upgrade()) {
            trust.revocation_lists().remove(&held.list);
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::*;
    use crate::revocation::client::Reach;

    fn target(number: usize) -> Target {
        Target { url: Url::parse(&format!("http://crl.example/{number}")).unwrap(), reach: Reach::Public }
    }

    #[test]
    fn the_one_of_least_use_makes_room() {
        let mut sources = Sources::default();
        for number in 0..MOST_NAMED {
            assert!(sources.make_room(UnixTime(0)));
            let asked = Some(UnixTime(1_000 - i64::try_from(number).unwrap()));
            sources.0.insert(target(number), Source { asked, ..Source::default() });
        }
        assert!(sources.make_room(UnixTime(0)));
        assert_eq!(sources.0.len(), MOST_NAMED - 1);
        assert!(!sources.0.contains_key(&target(MOST_NAMED - 1)) && sources.0.contains_key(&target(0)));
    }

    #[test]
    fn what_is_known_stays_when_others_lead_nowhere() {
        let mut sources = Sources::default();
        for number in 0..MOST_NAMED {
            let mut source = Source { asked: Some(UnixTime(1_000)), ..Source::default() };
            source.attempts.begin();
            source.attempts.end(std::time::Duration::from_secs(3_600));
            sources.0.insert(target(number), source);
        }
        let list = CrlIndex::from_der(&a_list()).unwrap();
        let known = Source {
            held: Some(Held { list: Arc::new(list), fetched: UnixTime(0) }),
            asked: Some(UnixTime(0)),
            ..Source::default()
        };
        sources.0.insert(target(0), known);
        assert!(sources.make_room(UnixTime(0)));
        assert!(sources.0.contains_key(&target(0)), "a list that counts gave way to a URL that failed");
    }

    /// Of 2026 to 2036.
    fn a_list() -> Vec<u8> {
        use openssl::asn1::{Asn1Object, Asn1OctetString, Asn1Time};
        use openssl::hash::MessageDigest;
        use openssl::x509::{X509CrlBuilder, X509Extension, X509Name};
        let key = openssl::pkey::PKey::generate_ed25519().unwrap();
        let mut name = X509Name::builder().unwrap();
        name.append_entry_by_text("CN", "CA").unwrap();
        let mut list = X509CrlBuilder::new().unwrap();
        list.set_issuer_name(&name.build()).unwrap();
        list.set_last_update(&Asn1Time::from_unix(1_768_478_400).unwrap()).unwrap();
        list.set_next_update(&Asn1Time::from_unix(2_084_011_200).unwrap()).unwrap();
        for (oid, der) in [("2.5.29.20", &[2, 1, 1][..]), ("2.5.29.35", &[0x30, 3, 0x80, 1, 7])] {
            let (oid, der) = (Asn1Object::from_str(oid).unwrap(), Asn1OctetString::new_from_bytes(der).unwrap());
            list.append_extension(X509Extension::new_from_der(&oid, false, &der).unwrap()).unwrap();
        }
        list.sign(&key, MessageDigest::null()).unwrap();
        list.build().unwrap().to_der().unwrap()
    }

    #[test]
    fn those_on_their_way_stay() {
        let mut sources = Sources::default();
        for number in 0..MOST_NAMED {
            let mut source = Source::default();
            source.attempts.begin();
            sources.0.insert(target(number), source);
        }
        assert!(!sources.make_room(UnixTime(0)));
        assert_eq!(sources.0.len(), MOST_NAMED);
    }

    #[test]
    fn what_brought_nothing_is_forgotten() {
        let mut sources = Sources::default();
        sources.0.insert(target(0), Source { asked: Some(UnixTime(0)), ..Source::default() });
        sources.forget(UnixTime(FORGET));
        assert!(sources.0.is_empty(), "nobody uses it, nobody asked");
    }
}
