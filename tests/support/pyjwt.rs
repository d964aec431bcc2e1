//! Purpose: tokens checked by somebody else: PyJWT, with the keys that it fetches itself and keeps, as upstreams do.
//!
//! Include with `#[path = "support/pyjwt.rs"] mod pyjwt;`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// A token a line in, its claims a line out.
const PROGRAM: &str = r#"
import json, sys, jwt
address, issuer, audience = sys.argv[1:]
keys = jwt.PyJWKClient(address)
for line in sys.stdin:
    try:
        key = keys.get_signing_key_from_jwt(line.strip())
        wanted = {"require": ["iat", "exp", "iss", "aud"]}
        said = jwt.decode(line.strip(), key.key, algorithms=["ES256", "EdDSA"], audience=audience, issuer=issuer, options=wanted)
    except Exception as why:
        said = {"refused": "%s: %s" % (type(why).__name__, why)}
    print(json.dumps(said), flush=True)
"#;

/// A running verifier. It ends with the test.
pub(crate) struct PyJwt {
    child: Child,
    tokens: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
}

impl PyJwt {
    /// Starts one for an issuer and an audience. It fetches keys when it needs one.
    pub(crate) fn start(jwks: &str, issuer: &str, audience: &str) -> Self {
        // Debian's own: that is where scripts/install-missing puts the package.
        let mut child = Command::new("/usr/bin/python3")
            .args(["-c", PROGRAM, jwks, issuer, audience])
            .env("NO_PROXY", "*")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (tokens, said) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, tokens, said }
    }

    /// The claims of a token that is good; or `refused` with the reason.
    pub(crate) fn check(&mut self, token: &str) -> Value {
        writeln!(self.tokens.as_mut().unwrap(), "{token}").unwrap();
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "python3 with PyJWT (python3-jwt, python3-cryptography) has ended");
        serde_json::from_str(&line).unwrap()
    }

    /// The claims of a token that must be good.
    #[track_caller]
    pub(crate) fn accepts(&mut self, token: &str) -> Value {
        let claims = self.check(token);
        assert!(claims.get("refused").is_none(), "{claims}");
        claims
    }

    /// Why it refuses a token that must be bad.
    #[track_caller]
    pub(crate) fn refuses(&mut self, token: &str) -> String {
        let claims = self.check(token);
        claims["refused"].as_str().unwrap_or_else(|| panic!("taken: {claims}")).to_owned()
    }
}

impl Drop for PyJwt {
    fn drop(&mut self) {
        self.tokens = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
