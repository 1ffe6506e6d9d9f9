//! The systems that an export can come from.

/// A system whose export can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    Auth0,
    Authctl,
    Authjs,
    BetterAuth,
    Clerk,
    Cognito,
    /// A table of no particular system.
    Csv,
    Devise,
    Django,
    Firebase,
    FusionAuth,
    Htpasswd,
    /// Objects of no particular system, one a line or in one array.
    JsonLines,
    Keycloak,
    Kratos,
    Laravel,
    Ldif,
    Lucia,
    PocketBase,
    Shadow,
    Supabase,
    WordPress,
    WorkOs,
}

impl Format {
    /// All systems in the order of their names.
    pub const ALL: [Self; 23] = [
        Self::Auth0,
        Self::Authctl,
        Self::Authjs,
        Self::BetterAuth,
        Self::Clerk,
        Self::Cognito,
        Self::Csv,
        Self::Devise,
        Self::Django,
        Self::Firebase,
        Self::FusionAuth,
        Self::Htpasswd,
        Self::JsonLines,
        Self::Keycloak,
        Self::Kratos,
        Self::Laravel,
        Self::Ldif,
        Self::Lucia,
        Self::PocketBase,
        Self::Shadow,
        Self::Supabase,
        Self::WordPress,
        Self::WorkOs,
    ];

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth0 => "auth0",
            Self::Authctl => "authctl",
            Self::Authjs => "authjs",
            Self::BetterAuth => "better-auth",
            Self::Clerk => "clerk",
            Self::Cognito => "cognito",
            Self::Csv => "csv",
            Self::Devise => "devise",
            Self::Django => "django",
            Self::Firebase => "firebase",
            Self::FusionAuth => "fusionauth",
            Self::Htpasswd => "htpasswd",
            Self::JsonLines => "jsonl",
            Self::Keycloak => "keycloak",
            Self::Kratos => "kratos",
            Self::Laravel => "laravel",
            Self::Ldif => "ldif",
            Self::Lucia => "lucia",
            Self::PocketBase => "pocketbase",
            Self::Shadow => "shadow",
            Self::Supabase => "supabase",
            Self::WordPress => "wordpress",
            Self::WorkOs => "workos",
        }
    }

    /// The system of a name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(name))
    }

    /// Whether roles of the system are roles of authctl.
    pub fn takes_roles(self) -> bool {
        matches!(self, Self::BetterAuth | Self::Authctl)
    }

    /// Whether the format is a plain table, which fits the tables of other systems as well.
    pub(super) fn is_plain(self) -> bool {
        matches!(self, Self::Csv | Self::JsonLines)
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The names, separated by commas.
pub(super) fn names(formats: &[Format]) -> String {
    formats.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_formats() {
        for format in Format::ALL {
            assert_eq!(Format::from_name(format.name()), Some(format));
        }
        assert_eq!(Format::from_name("Better-Auth"), Some(Format::BetterAuth));
        assert_eq!(Format::from_name("sqlite"), None);
        assert!(Format::ALL.is_sorted_by_key(|format| format.name()));
    }
}
