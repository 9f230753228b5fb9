//! The name of an uploaded file: from `Content-Disposition`, or from the query.

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_DISPOSITION, ContentDisposition};

use crate::server::problem::{Kind, Problem};

/// Longest name that file systems take, in bytes.
const MAX_BYTES: usize = 255;
/// What a file is called that nobody named.
const NAMELESS: &str = "upload";

/// The name of a file.
///
/// # Errors
///
/// When it is given and is none: a problem document with status 400.
pub(super) fn of(request: &HttpRequest, in_query: Option<&str>) -> Result<String, Problem> {
    let in_header = match request.headers().get(CONTENT_DISPOSITION) {
        None => None,
        Some(header) => {
            let header = ContentDisposition::from_raw(header).map_err(|_| {
                Problem::new(Kind::BadRequest)
                    .detail("`Content-Disposition` cannot be read")
                    .hint("write it like `attachment; filename=\"workers.csv\"`")
            })?;
            let extended = header.get_filename_ext();
            match extended {
                Some(name) => Some(String::from_utf8(name.value.clone()).map_err(|_| unfit())?),
                None => header.get_filename().map(str::to_owned),
            }
        }
    };
    let name = in_query.map(str::to_owned).or(in_header);
    let Some(name) = name else { return Ok(NAMELESS.to_owned()) };
    if is_fit(&name) { Ok(name) } else { Err(unfit()) }
}

fn unfit() -> Problem {
    Problem::new(Kind::BadRequest)
        .detail("the file's name is none: it has a slash, a control character, or is too long")
        .hint("give the name alone, without folders, such as `workers.csv`")
}

/// A name alone: no folders, nothing that a terminal or a file system takes for an order.
fn is_fit(name: &str) -> bool {
    let is_bad = |letter: char| {
        letter.is_control() || matches!(letter, '/' | '\\' | ':' | '\u{202a}'..='\u{202e}')
    };
    !name.trim().is_empty()
        && name.len() <= MAX_BYTES
        && !name.starts_with('.')
        && !name.contains(is_bad)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn name(header: Option<&str>, query: Option<&str>) -> Option<String> {
        let mut request = TestRequest::default();
        if let Some(header) = header {
            request = request.insert_header((CONTENT_DISPOSITION, header));
        }
        of(&request.to_http_request(), query).ok()
    }

    #[test]
    fn a_name_comes_from_the_query_or_the_header() {
        let given = |name: &str| Some(name.to_owned());
        assert_eq!(name(None, None), given("upload"));
        assert_eq!(name(Some("attachment"), None), given("upload"));
        assert_eq!(name(Some("attachment; filename=\"w 1.csv\""), None), given("w 1.csv"));
        let extended = "attachment; filename=\"x\"; filename*=UTF-8''M%C3%BCller.csv";
        assert_eq!(name(Some(extended), None), given("Müller.csv"));
        assert_eq!(name(Some("attachment; filename=a.csv"), Some("b.csv")), given("b.csv"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "x".repeat(256);
        for bad in
            ["", " ", "..", ".", ".ssh", "../a.csv", "a/b", "a\\b", "c:a", "a\nb", "a\0b", &long]
        {
            assert_eq!(name(None, Some(bad)), None, "{bad:?}");
        }
        assert_eq!(name(Some("attachment; filename=\"../../etc/passwd\""), None), None);
        assert_eq!(name(Some("attachment; filename*=UTF-8''%ff.csv"), None), None);
        assert_eq!(name(Some("attachment; filename*=UTF-8''..%2Fa.csv"), None), None);
    }
}
