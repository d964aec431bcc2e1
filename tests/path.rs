//! The search for paths stays within its budget, whatever is presented.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support {
    pub(crate) mod pki;
}

use std::time::{Duration, Instant};

use support::pki::{Ca, Dates, Leaf, NOW, certificate, new_key, trust};
use vestibule::verifier::{ChainFinding, VerificationSettings, verify};

/// Generous: the machine that runs this may be busy and the build unoptimized.
const LONG: Duration = Duration::from_secs(5);

#[test]
fn junk_cas_of_the_same_name_cost_no_more_than_the_budget() {
    let roots: Vec<Ca> = (0..200).map(|_| Ca::root("Same name")).collect();
    let leaf = certificate(&roots[199].issue(&Leaf::named("client")));
    let trust = trust(&roots.iter().collect::<Vec<_>>(), &[], &[]);
    let started = Instant::now();
    let verification = verify(&leaf, &[], &trust, &VerificationSettings::default(), NOW);
    assert!(started.elapsed() < LONG);
    assert!(verification.is_success(), "key identifiers tell them apart");
}

#[test]
fn mutually_issuing_cas_spend_the_budget_and_are_refused() {
    let keys: Vec<_> = (0..10).map(|_| new_key()).collect();
    let seeds: Vec<Ca> =
        keys.iter().enumerate().map(|(at, key)| Ca::self_signed(&format!("CA {at}"), key.clone(), Dates::VALID)).collect();
    let mut mesh: Vec<Ca> = Vec::new();
    for issuer in &seeds {
        for (at, key) in keys.iter().enumerate() {
            mesh.push(issuer.certify(&format!("CA {at}"), key.clone(), Dates::VALID));
        }
    }
    let chain: Vec<_> = mesh.iter().map(|ca| certificate(&ca.certificate)).collect();
    let leaf = certificate(&seeds[0].issue(&Leaf::named("client")));
    let trust = trust(&[&Ca::root("Root")], &[], &[]);
    let settings = VerificationSettings { max_presented: 100, ..VerificationSettings::default() };
    let started = Instant::now();
    let verification = verify(&leaf, &chain, &trust, &settings, NOW);
    assert!(started.elapsed() < LONG, "{:?}", started.elapsed());
    assert!(matches!(verification.chain(), ChainFinding::BudgetSpent(_)), "{verification:?}");
    assert!(!verification.is_success() && !verification.is_exactly_expired());
}

#[test]
fn too_many_presented_certificates_are_refused_before_any_search() {
    let root = Ca::root("Root");
    let chain: Vec<_> = (0..11).map(|at| certificate(&Ca::root(&format!("CA {at}")).certificate)).collect();
    let leaf = certificate(&root.issue(&Leaf::named("client")));
    let trust = trust(&[&root], &[], &[]);
    let settings = VerificationSettings::default();
    assert!(!verify(&leaf, &chain, &trust, &settings, NOW).is_success());
    assert!(verify(&leaf, &chain[..10], &trust, &settings, NOW).is_success());
}

#[test]
fn forged_chains_below_a_real_name_are_bounded_too() {
    // No key identifiers, so that names alone link: ten CAs of one name, each issued by that name, below the anchor's name.
    let anchor = Ca::root("Anchor");
    let group = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::SECP521R1).unwrap();
    let key = || openssl::pkey::PKey::from_ec_key(openssl::ec::EcKey::generate(&group).unwrap()).unwrap();
    let chain: Vec<Ca> = (0..10).map(|_| Ca::self_signed("Anchor", key(), Dates::VALID)).collect();
    let leaf = certificate(&chain[0].forge(&Leaf::expired("client")));
    let presented: Vec<_> = chain.iter().map(|ca| certificate(&ca.certificate)).collect();
    let trust = trust(&[&anchor], &[], &[]);
    let started = Instant::now();
    let verification = verify(&leaf, &presented, &trust, &VerificationSettings::default(), NOW);
    assert!(started.elapsed() < LONG, "{:?}", started.elapsed());
    assert!(!verification.is_success() && !verification.is_exactly_expired());
    assert!(matches!(verification.chain(), ChainFinding::BudgetSpent(_)), "{verification:?}");
}

#[test]
fn policy_constraints_without_policies_are_not_shown_to_openssl() {
    // requireExplicitPolicy after 10 certificates, with which a path would be good. OpenSSL 3.0 leaks what it reads of it.
    let constraints = || ("2.5.29.36", true, vec![0x30, 3, 0x80, 1, 10]);
    let policies = || ("2.5.29.32", false, vec![0x30, 6, 0x30, 4, 0x06, 2, 0x2A, 3]);
    let root = Ca::root("Root");
    let odd = root.intermediate_with("Issuing", &[constraints()]);
    let whole = root.intermediate_with("Issuing", &[constraints(), policies()]);
    let standard = VerificationSettings::default();
    let trusted = trust(&[&root], &[], &[]);
    let check = |leaf: &openssl::x509::X509, ca: &Ca, trusted| {
        verify(&certificate(leaf), &[certificate(&ca.certificate)], trusted, &standard, NOW)
    };

    let leaf = root.issue(&Leaf { extra: vec![constraints()], ..Leaf::named("client") });
    let found = check(&leaf, &whole, &trusted);
    assert!(found.path().is_empty() && !found.is_success(), "{found:?}");
    assert!(found.remarks().iter().any(|remark| remark.contains("no certificate policies")), "{found:?}");

    let found = check(&odd.issue(&Leaf::named("client")), &odd, &trusted);
    assert!(found.path().len() == 1 && !found.is_success(), "{found:?}");
    assert!(found.remarks().iter().any(|remark| remark.contains("left out")), "{found:?}");

    assert!(check(&whole.issue(&Leaf::named("client")), &whole, &trusted).is_success());
    let configured = trust(&[&root], &[&odd], &[]);
    assert!(
        check(&odd.issue(&Leaf::named("client")), &whole, &configured).is_success(),
        "the configuration's own are read once"
    );
}
