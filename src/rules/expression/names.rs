//! The names that expressions may use: our variables in groups, with types.

use super::evaluate::{Number, Test, Text, Texts};
use crate::consumer::ConsumerVariable;
use crate::rules::phase::Phase;
use crate::rules::scope::Scope;
use crate::rules::variable::{Kind, Variable};
use crate::variables::CertificateVariable;

/// What a name stands for.
pub(super) enum Named {
    Number(Number),
    Test(Test),
    Text(Text),
    Texts(Texts),
}

/// The groups, for messages.
const GROUPS: &str = "certificate, identity, request, response";

/// Finds what a dotted name stands for, and the variable behind it, when there is one.
///
/// `certificate.X` is `ssl_client_X`, `finding_…`, a variable of a profile, `subject.CN` or `issuer.CN`; `request.X` is `X` or
/// `request_X`; `identity` and `response` have names of their own; `identity.oauth_X` is `oauth_X`.
pub(super) fn find(path: &[&str], scope: &Scope<'_>) -> Result<(Named, Option<Variable>), String> {
    let written = path.join(".");
    let Some((group, rest)) = path.split_first() else { return Err("a name is empty".into()) };
    let rest = rest.join(".");
    let unknown = || format!("there is no `{written}`; there are {}, and more in docs/rules.md", like(group));
    let parse = |name: &str| Variable::parse(name, scope);
    match *group {
        "certificate" => match rest.as_str() {
            "not_after" => Ok((Named::Number(Number::NotAfter), Some(parse("ssl_client_v_end")?))),
            "not_before" => Ok((Named::Number(Number::NotBefore), Some(parse("ssl_client_v_start")?))),
            name => {
                let variable = parse(&format!("ssl_client_{name}")).or_else(|_| parse(name)).map_err(|_| unknown())?;
                let fits = matches!(variable, Variable::Certificate(_) | Variable::Finding(_) | Variable::Profile(_));
                if fits && !name.starts_with("ssl_client_") { Ok(typed(variable)) } else { Err(unknown()) }
            }
        },
        "identity" => match rest.as_str() {
            "validated" => {
                let variable = Variable::ClientCertificateValidation;
                Ok((Named::Test(Test::Variable(variable.clone())), Some(variable)))
            }
            "verify" => Ok(typed(parse("ssl_client_verify")?)),
            "basis" => Ok(typed(Variable::ClientCertificateBasis)),
            "status" => Ok(typed(Variable::SslVerificationStatus)),
            name => match ConsumerVariable::parse(name) {
                Some(ConsumerVariable::Anonymous) => {
                    let variable = Variable::Consumer(ConsumerVariable::Anonymous);
                    Ok((Named::Test(Test::Variable(variable.clone())), Some(variable)))
                }
                Some(of_consumer) => Ok(typed(Variable::Consumer(of_consumer))),
                None => parse(name).ok().filter(Variable::is_about_oauth).map(typed).ok_or_else(unknown),
            },
        },
        "request" => match rest.as_str() {
            "time" => Ok((Named::Number(Number::Now), None)),
            name => {
                let plain = parse(name);
                let variable = match plain {
                    Err(why) if !why.starts_with("there is no variable") => return Err(why),
                    plain => plain.or_else(|_| parse(&format!("request_{name}"))).map_err(|_| unknown())?,
                };
                let other = variable.is_about_certificate() || variable.is_about_oauth() || variable.is_about_answer();
                if other { Err(unknown()) } else { Ok(typed(variable)) }
            }
        },
        "response" if scope.phase != Phase::Response => {
            Err(format!("`{written}` is about the answer, which only the response phase sees"))
        }
        "response" => {
            let variable = match rest.as_str() {
                name if name == "status" || name == "upstream_addr" || name.starts_with("sent_http_") => parse(name),
                name => parse(&format!("upstream_{name}")),
            };
            let variable = variable.ok().filter(Variable::is_about_answer);
            variable.map(typed).ok_or_else(unknown)
        }
        _ => Err(format!("there is no `{written}`; names begin with one of {GROUPS}")),
    }
}

/// Some names of a group, for whoever guessed wrong.
fn like(group: &str) -> &'static str {
    match group {
        "certificate" => "certificate.s_dn, .subject.CN, .issuer.O, .san_dns, .serial, .fingerprint_sha256, .v_remain",
        "identity" => "identity.validated, .verify, .status, .basis",
        "request" => "request.host, .method, .uri, .args, .remote_addr, .http_NAME, .arg_NAME, .cookie_NAME, .time",
        _ => "response.status, .http_NAME, .sent_http_NAME, .cookie_NAME, .upstream_addr",
    }
}

fn typed(variable: Variable) -> (Named, Option<Variable>) {
    let list = match &variable {
        Variable::Certificate(of_certificate @ (CertificateVariable::Attribute(..) | CertificateVariable::San(_))) => {
            of_certificate.is_list()
        }
        Variable::Consumer(of_consumer) => of_consumer.is_list(),
        Variable::OAuth(of_oauth) => of_oauth.is_list(),
        Variable::Profile(of_profile) => of_profile.is_list(),
        _ => false,
    };
    let named = match variable.kind() {
        _ if list => Named::Texts(Texts::Variable(variable.clone())),
        Kind::Number => Named::Number(Number::Variable(variable.clone())),
        _ => Named::Text(Text::Variable(variable.clone())),
    };
    (named, Some(variable))
}
