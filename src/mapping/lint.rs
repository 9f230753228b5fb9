//! Values that are sent, but probably are not what somebody hopes for.
//!
//! Some of that is wrong everywhere: a `NULL` that goes out as text, a character that nobody sees in
//! an id. The rest are the target's own limits and forms, handed in as [`Lints`] because this room
//! knows no target. Nothing here keeps a record back.

use std::borrow::Cow;

use crate::domain::is_invisible;
use crate::mapping::RecordWarning;
use crate::mapping::forms::{is_domain, is_exponent, is_mail, is_name};
use crate::mapping::rule::Role;
use crate::scim::AttributePath;

/// What a target is known to refuse. Empty: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lints {
    /// Most Unicode characters of an attribute, by its path.
    pub max_chars: Vec<(String, usize)>,
    /// Domains that sign-in names may have; empty: any.
    pub verified_domains: Vec<String>,
    /// Whether sign-in names and work mail addresses are held against the forms that are taken.
    pub address_forms: bool,
}

/// What a value is held against, made when the mapping is compiled.
#[derive(Debug, Default)]
pub(super) struct Lint {
    max_chars: Option<usize>,
    /// Whether a character that nobody sees is worth a warning.
    is_address: bool,
    form: Form,
}

#[derive(Debug, Default)]
enum Form {
    #[default]
    Any,
    SignInName {
        /// In lower case.
        domains: Vec<String>,
    },
    Mail,
}

/// What the quick path of a copied value must look at beside its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    Nothing,
    /// A telephone number: no exponent notation.
    Digits,
    /// An address: plain ASCII, so that no character is invisible.
    Ascii,
    /// A mail address in the form that is taken.
    Mail,
}

impl Lint {
    /// The lint of one attribute; `shortest` is what `max` already sees to.
    pub(super) fn new(path: &AttributePath, role: Role, lints: &Lints, max: Option<usize>) -> Self {
        let is_path = |text: &str| AttributePath::parse(text).is_ok_and(|parsed| parsed == *path);
        let limits = lints.max_chars.iter().filter(|(text, _)| is_path(text));
        let most = limits.map(|(_, most)| *most).min();
        let is_mail = path.custom_urn().is_none()
            && path.attribute() == "emails"
            && path.sub_attribute() == Some("value");
        let form = match role {
            Role::UserName if lints.address_forms => Form::SignInName {
                domains: lints.verified_domains.iter().map(|name| name.to_lowercase()).collect(),
            },
            _ if is_mail && lints.address_forms && path.entry_type() == Some("work") => Form::Mail,
            _ => Form::Any,
        };
        Self {
            max_chars: most.filter(|most| max.is_none_or(|max| max > *most)),
            is_address: role.is_reference() || is_mail,
            form,
        }
    }

    /// Bytes up to which a value needs no counting.
    pub(super) fn free_bytes(&self) -> usize {
        self.max_chars.unwrap_or(usize::MAX)
    }

    /// What the quick path has to look at.
    pub(super) const fn guard(&self) -> Guard {
        match self.form {
            Form::Mail => Guard::Mail,
            _ if self.is_address => Guard::Ascii,
            _ => Guard::Nothing,
        }
    }

    /// Warns of what is odd about a value; `from` names its column.
    pub(super) fn look(
        &self,
        text: &str,
        from: Option<&str>,
        path: &AttributePath,
        warnings: &mut Vec<RecordWarning>,
    ) {
        if let Some(most) = self.max_chars
            && text.len() > most
        {
            let found = text.chars().count();
            if found > most {
                warnings.push(too_long(from, path, found, most));
            }
        }
        if self.is_address && !text.is_ascii() && text.chars().any(is_invisible) {
            warnings.push(warning("mapping.invisible-character", format!(
                "{} holds a character that nobody sees, and `{path}` is sent with it: correct it at the source",
                whose(from)
            )));
        }
        match &self.form {
            Form::Any => {}
            Form::SignInName { domains } => sign_in_name(text, domains, from, warnings),
            Form::Mail if is_mail(text.as_bytes()) => {}
            Form::Mail => warnings.push(warning(
                "entra.mail",
                format!(
                    "{} is no plain mail address, so the target may refuse it: one `@`, a domain \
                     with a dot, no blanks and no accents",
                    whose(from)
                ),
            )),
        }
    }
}

impl Guard {
    /// Whether there is nothing to look at more closely.
    #[inline]
    pub(super) fn lets_pass(self, text: &[u8]) -> bool {
        match self {
            Self::Nothing => true,
            Self::Digits => !is_exponent(text),
            Self::Ascii => text.is_ascii(),
            Self::Mail => is_mail(text),
        }
    }
}

/// Warns of a cell with a word that stands for nothing.
pub(super) fn placeholder(column: &str) -> RecordWarning {
    warning(
        "mapping.placeholder",
        format!(
            "column `{column}` holds a word that other exports write for an empty cell, and it is \
             sent as text: name it in `empty_words` if it means that"
        ),
    )
}

fn warning(code: &'static str, message: String) -> RecordWarning {
    RecordWarning { code, message: Cow::Owned(message) }
}

fn whose(from: Option<&str>) -> String {
    from.map_or_else(|| "the value".to_owned(), |column| format!("column `{column}`"))
}

#[cold]
fn too_long(from: Option<&str>, path: &AttributePath, found: usize, most: usize) -> RecordWarning {
    let message = format!(
        "{} has {found} characters, but the target takes at most {most} for `{path}`, so it may \
         refuse the record: shorten it at the source, or say so with `max` and `truncate`",
        whose(from)
    );
    warning("entra.too-long", message)
}

/// A sign-in name without `@` is left to the target's own recipe, unless the domains are known.
fn sign_in_name(
    text: &str,
    domains: &[String],
    from: Option<&str>,
    warnings: &mut Vec<RecordWarning>,
) {
    let Some((name, domain)) = text.rsplit_once('@') else {
        if !domains.is_empty() {
            let message =
                format!("{} is no sign-in name: it has no `@` and no domain", whose(from));
            warnings.push(warning("entra.user-principal-name", message));
        }
        return;
    };
    if !is_name(name.as_bytes()) || !is_domain(domain.as_bytes()) {
        let message = format!(
            "{} is no sign-in name that the target takes: letters without accents, digits and \
             `'.-_!#^~`, one `@`, no dot at the beginning or before the `@`",
            whose(from)
        );
        warnings.push(warning("entra.user-principal-name", message));
    }
    if !domains.is_empty() && !domains.iter().any(|known| known.eq_ignore_ascii_case(domain)) {
        let message = format!(
            "{} has a domain that is none of the target's `verified_domains`, so an account with \
             it cannot be made",
            whose(from)
        );
        warnings.push(warning("entra.unverified-domain", message));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn codes(text: &str, domains: &[&str]) -> Vec<&'static str> {
        let lints = Lints {
            verified_domains: domains.iter().map(ToString::to_string).collect(),
            address_forms: true,
            ..Lints::default()
        };
        let path = AttributePath::parse("userName").expect("a path");
        let mut warnings = Vec::new();
        Lint::new(&path, Role::UserName, &lints, None).look(text, None, &path, &mut warnings);
        warnings.iter().map(|warning| warning.code).collect()
    }

    #[test]
    fn sign_in_names_have_a_form_and_a_known_domain() {
        const FORM: &str = "entra.user-principal-name";
        const DOMAIN: &str = "entra.unverified-domain";
        assert_eq!(codes("ada", &[]), [""; 0]);
        assert_eq!(codes("ada", &["contoso.example"]), [FORM]);
        for text in ["ada.o'neil-1_x!#^~@contoso.example", "Ada@CONTOSO.example"] {
            assert_eq!(codes(text, &["Contoso.Example"]), [""; 0], "for {text}");
        }
        for text in [
            "zoë@contoso.example",
            "a b@contoso.example",
            ".ada@contoso.example",
            "ada.@contoso.example",
            "a@b@contoso.example",
            "@contoso.example",
            "a+b@contoso.example",
        ] {
            assert_eq!(codes(text, &["contoso.example"]), [FORM], "for {text}");
        }
        assert_eq!(codes("ada@fabrikam.example", &["contoso.example"]), [DOMAIN]);
        assert_eq!(codes("ada@", &[]), [FORM]);
        assert_eq!(codes("ada\u{200b}@x.example", &[]), ["mapping.invisible-character", FORM]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_checks_panic(text in any::<String>(), domain in any::<String>()) {
            let _ = codes(&text, &[&domain]);
        }
    }
}
