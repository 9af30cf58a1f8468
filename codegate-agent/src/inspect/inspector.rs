//! All that is looked for in a text, and what becomes of it.

use super::{
    Finding, Known,
    pii::{Action, Pii, Policy},
    secrets::{self, RuleError, Scanner, UserRules},
};

/// Secrets and personal data, by one policy. One is enough for all threads.
#[derive(Debug)]
pub struct Inspector {
    secrets: Scanner,
    pii: Pii,
}

/// What was found in a text. No two findings overlap; each list is in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// What must not leave the machine.
    pub sealed: Vec<Finding>,
    /// What may leave, and is worth telling.
    pub reported: Vec<Finding>,
}

impl Inspector {
    /// The rules that are compiled in, and personal data as the policy says.
    ///
    /// # Errors
    /// If a rule is wrong or this processor can't run the engine.
    pub fn builtin(policy: Policy) -> Result<Self, RuleError> {
        Ok(Self::new(Scanner::builtin()?, policy))
    }

    /// The rules that are compiled in and the user's, and personal data as the policy says.
    ///
    /// # Errors
    /// If a rule is wrong or this processor can't run the engine.
    pub fn with_rules(rules: &UserRules, policy: Policy) -> Result<Self, RuleError> {
        Ok(Self::new(Scanner::with_rules(rules)?, policy))
    }

    /// Rules of secrets, and personal data as the policy says.
    pub fn new(secrets: Scanner, policy: Policy) -> Self {
        let pii = Pii::new(policy);
        Self { secrets, pii }
    }

    /// Everything in a text of any bytes. What is a secret is not told of again as personal.
    pub fn inspect(&self, text: &[u8]) -> Inspection {
        self.inspect_for(None, text)
    }

    /// Everything in a text of any bytes, and what somebody named.
    pub fn inspect_for(&self, known: Option<&dyn Known>, text: &[u8]) -> Inspection {
        let mut sealed = self.secrets.scan(text);
        if let Some(known) = known {
            sealed.extend(known.find(text));
            sealed = secrets::settle(sealed);
        }
        let mut reported = Vec::new();
        for personal in self.pii.scan(text, &sealed) {
            match personal.action {
                Action::Redact => sealed.push(personal.finding),
                Action::Report => reported.push(personal.finding),
                Action::Off => {}
            }
        }
        sealed.sort_by_key(|finding| finding.range.start);
        Inspection { sealed, reported }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn the_policy_decides_and_secrets_come_first() {
        let inspector = Inspector::builtin(Policy::default()).unwrap();
        let text = "card 4242 4242 4242 4242, jane@acme.com, \
                    key ghp_pR4kx9TqLm2ZsVb7NcY1WdHf8JgA3E0iu5Ko and postgres://u:hunter2x9@db.acme.com/x";
        let found = inspector.inspect(text.as_bytes());
        let kinds = |list: &[Finding]| list.iter().map(|f| f.kind.to_string()).collect::<Vec<_>>();
        let sealed = kinds(&found.sealed);
        assert_eq!(sealed[..2], ["CARD", "GITHUB"]);
        assert!(sealed.len() > 2, "the connection's password: {sealed:?}");
        assert_eq!(kinds(&found.reported), ["EMAIL"]);
        let apart = |pair: &[Finding]| pair[0].range.end <= pair[1].range.start;
        assert!(found.sealed.windows(2).all(apart));
    }
}
