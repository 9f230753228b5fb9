//! Who types a command: what they say of themselves, and what the system says.

use crate::domain::{Origin, Who};

/// Where whoever typed it can say who they are; Windows has the last.
const VARIABLES: [&str; 3] = ["USER", "LOGNAME", "USERNAME"];

/// What the system says of the user that the process was started by.
#[derive(Debug, PartialEq, Eq)]
pub struct Account {
    /// Their number.
    pub uid: u32,
    /// What they are called; directories are not asked, so that there may be none.
    pub name: Option<String>,
}

impl Account {
    /// That of this process, where the system has such numbers.
    #[cfg(unix)]
    #[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
    pub fn of_process() -> Option<Self> {
        let uid = rustix::process::getuid().as_raw();
        let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        Some(Self { uid, name: name_of(uid, &accounts) })
    }

    /// Windows tells who somebody is otherwise.
    #[cfg(not(unix))]
    pub fn of_process() -> Option<Self> {
        None
    }
}

#[cfg(any(unix, test))]
fn name_of(uid: u32, accounts: &str) -> Option<String> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid) && !name.is_empty()).then(|| name.to_owned())
    })
}

/// Who it is for the audit trail: the name that a variable of the environment says, which may be any, and
/// beside it what the system says. Where that is the same name, it need not be said twice.
pub fn who(
    variable: impl Fn(&str) -> Option<String>,
    account: Option<&Account>,
    host: Option<&str>,
) -> Who {
    let claimed = VARIABLES.iter().find_map(|name| {
        let value = variable(name)?.trim().to_owned();
        (!value.is_empty()).then_some((*name, value))
    });
    let of_system = account.and_then(|account| account.name.as_deref());
    let is_confirmed = match &claimed {
        Some((_, name)) => account.is_none() || of_system == Some(name),
        None => true,
    };
    let mut more = Vec::new();
    if let (Some((variable, _)), false) = (&claimed, is_confirmed) {
        more.push(format!("so says ${variable}"));
    }
    more.extend(account.map(|Account { uid, .. }| match of_system {
        Some(name) if !is_confirmed => format!("the system says uid {uid}, {name}"),
        _ if !is_confirmed => format!("the system says uid {uid}"),
        _ => format!("uid {uid}"),
    }));
    more.extend(host.map(|host| format!("host {host}")));
    let name = claimed.as_ref().map(|(_, name)| name.as_str()).or(of_system);
    Who::new(name.unwrap_or("unknown"), Origin::Cli).told(&more.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(user: Option<&str>, account: Option<(u32, Option<&str>)>) -> String {
        let account = account.map(|(uid, name)| Account { uid, name: name.map(str::to_owned) });
        let variable = |name: &str| user.filter(|_| name == "USER").map(str::to_owned);
        who(variable, account.as_ref(), Some("bridge")).actor()
    }

    #[test]
    fn what_somebody_says_of_themselves_is_told_apart_from_what_the_system_says() {
        let ada = Some((1000, Some("ada")));
        assert_eq!(actor(Some("ada"), ada), "ada (uid 1000, host bridge)");
        assert_eq!(
            actor(Some("root "), ada),
            "root (so says $USER, the system says uid 1000, ada, host bridge)"
        );
        // of a directory, or of nobody: the number alone is known
        assert_eq!(
            actor(Some("ada"), Some((4711, None))),
            "ada (so says $USER, the system says uid 4711, host bridge)"
        );
        assert_eq!(actor(None, ada), "ada (uid 1000, host bridge)");
        assert_eq!(actor(Some(" "), Some((7, None))), "unknown (uid 7, host bridge)");
        // no such folder, as on Windows
        assert_eq!(actor(Some("ada"), None), "ada (host bridge)");
    }

    #[test]
    fn a_user_has_a_name_where_the_machine_knows_it() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\n\nada:x:1000:1000::/:/bin/sh\n";
        assert_eq!(name_of(1000, accounts), Some("ada".to_owned()));
        assert_eq!(name_of(100, accounts), None);
    }
}
