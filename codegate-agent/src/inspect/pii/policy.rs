//! What becomes of personal data, by family.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of something personal that was found.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "PiiAction")]
pub enum Action {
    /// It is not looked for.
    Off,
    /// It goes out, and the session says so.
    Report,
    /// It is sealed like a secret.
    Redact,
}

/// Families of personal data that the policy tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Payment cards.
    Card,
    /// Bank accounts.
    Iban,
    /// National identity, tax and health numbers.
    NationalId,
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// Addresses of crypto currencies.
    Crypto,
}

/// What becomes of each family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Payment cards.
    pub card: Action,
    /// Bank accounts.
    pub iban: Action,
    /// National identity, tax and health numbers.
    pub national_id: Action,
    /// E-mail addresses.
    pub email: Action,
    /// Telephone numbers.
    pub phone: Action,
    /// Addresses of crypto currencies.
    pub crypto: Action,
}

impl Policy {
    /// What becomes of a family.
    pub fn of(&self, family: Family) -> Action {
        match family {
            Family::Card => self.card,
            Family::Iban => self.iban,
            Family::NationalId => self.national_id,
            Family::Email => self.email,
            Family::Phone => self.phone,
            Family::Crypto => self.crypto,
        }
    }

    /// Whether nothing is looked for.
    pub fn is_off(&self) -> bool {
        *self == self.only(Action::Off)
    }

    /// The same, with everything off that another action is for.
    #[must_use]
    pub fn only(self, action: Action) -> Self {
        let keep = |own: Action| if own == action { own } else { Action::Off };
        Self {
            card: keep(self.card),
            iban: keep(self.iban),
            national_id: keep(self.national_id),
            email: keep(self.email),
            phone: keep(self.phone),
            crypto: keep(self.crypto),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            card: Action::Redact,
            iban: Action::Redact,
            national_id: Action::Redact,
            email: Action::Report,
            phone: Action::Report,
            crypto: Action::Report,
        }
    }
}
