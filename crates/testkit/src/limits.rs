//! The tables of limits on the page about security, held against the code.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What a limit is where nobody says another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// There is none.
    None,
    /// So many, of bytes or whatever it is.
    Count(u64),
    /// So long.
    Time(Duration),
}

impl From<usize> for Limit {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl From<Duration> for Limit {
    fn from(time: Duration) -> Self {
        Self::Time(time)
    }
}

impl From<Option<Duration>> for Limit {
    fn from(time: Option<Duration>) -> Self {
        time.map_or(Self::None, Self::Time)
    }
}

/// Looks up each default in the section of `docs/src/security.md` whose heading begins so: that of a setting in
/// `settings`, and that of a constant, `module::NAME`, in the sources of the package whose folder this is. A
/// row names as many of them as its default has parts, `, ` between them; what it names beside, and what comes
/// behind, is for those who read it.
///
/// # Panics
///
/// When one is another, or is not there; when a setting has no row.
pub fn check_limits(folder: &str, heading: &str, settings: &[(&str, Limit)]) {
    let page = Path::new(folder).ancestors().map(|above| above.join("docs/src/security.md"));
    let page = page.filter_map(|page| fs::read_to_string(page).ok()).next().expect("the book");
    let heading = format!("### {heading}");
    let section = page.lines().skip_while(|line| !line.starts_with(&heading)).skip(1);
    let section = section.take_while(|line| !line.starts_with('#'));
    let sources = sources(&Path::new(folder).join("src"));
    let mut left: Vec<&str> = settings.iter().map(|(name, _)| *name).collect();
    let mut checked = 0;
    for row in section.filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for (name, default) in names(cells[2]).iter().zip(cells[3].split(", ")) {
            let said = limit(default);
            let setting = settings.iter().find(|(setting, _)| setting == name);
            let is = match setting {
                Some((_, limit)) => *limit,
                None if said == Some(Limit::None) => continue,
                None => constant(&sources, name),
            };
            assert_eq!(said, Some(is), "{name}: {row}");
            left.retain(|setting| setting != name);
            checked += 1;
        }
        let is_none = matches!(limit(cells[3]), None | Some(Limit::None));
        assert!(is_none || !names(cells[2]).is_empty(), "nothing is named for a default: {row}");
    }
    assert!(left.is_empty() && checked > 0, "no rows for {left:?}, {checked} in all");
}

/// What stands between backticks; one without a path has that of the one before.
fn names(cell: &str) -> Vec<String> {
    let mut path = String::new();
    let name = |name: &str| match name.rsplit_once("::") {
        Some((of, _)) => {
            path = format!("{of}::");
            name.to_owned()
        }
        None => format!("{path}{name}"),
    };
    cell.split('`').skip(1).step_by(2).map(name).collect()
}

/// The number that a text begins with, and its unit.
fn limit(text: &str) -> Option<Limit> {
    if text.starts_with("none") || text == "-" {
        return Some(Limit::None);
    }
    let (number, rest) = text.split_once(' ').unwrap_or((text, ""));
    let number: u64 = number.trim_end_matches([';', ':']).replace(',', "").parse().ok()?;
    let unit = rest.split([' ', ',', ';', ':']).next().unwrap_or_default();
    Some(match unit {
        "KiB" => Limit::Count(number << 10),
        "MiB" => Limit::Count(number << 20),
        "GiB" => Limit::Count(number << 30),
        "TiB" => Limit::Count(number << 40),
        "s" => Limit::Time(Duration::from_secs(number)),
        "ms" => Limit::Time(Duration::from_millis(number)),
        _ => Limit::Count(number),
    })
}

/// All files of a folder, and what is in them.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder).expect("sources").flatten();
    let files = entries.flat_map(|entry| match entry.path() {
        path if path.is_dir() => sources(&path),
        path => fs::read_to_string(&path).map(|text| vec![(path, text)]).unwrap_or_default(),
    });
    files.collect()
}

/// The constant of this path, which ends in a module, or in a type or trait wherever it is.
fn constant(sources: &[(PathBuf, String)], path: &str) -> Limit {
    let (of, name) = path.rsplit_once("::").unwrap_or(("", path));
    let module = of.replace("::", "/");
    let is_type = of.is_empty() || of.contains(char::is_uppercase);
    let ends = [format!("src/{module}.rs"), format!("src/{module}/mod.rs")];
    let there = |file: &Path| is_type || ends.iter().any(|end| file.ends_with(end));
    let head = format!("const {name}: ");
    let values = sources.iter().filter(|(file, _)| there(file)).flat_map(|(_, text)| {
        let behind = text.split(&head).skip(1);
        behind.filter_map(|rest| rest.split_once(';')?.0.split_once(" = "))
    });
    let values: Vec<&str> = values.map(|(_, value)| value).collect();
    let [value] = values[..] else { panic!("{} constants are {path}", values.len()) };
    value_of(sources, value).unwrap_or_else(|| panic!("{path} is {value}"))
}

fn value_of(sources: &[(PathBuf, String)], value: &str) -> Option<Limit> {
    let number = |text: &str| text.replace('_', "").parse::<u64>().ok();
    let within = |text: &str| number(value.strip_prefix(text)?.strip_suffix(')')?);
    if let Some(seconds) = within("Duration::from_secs(") {
        return Some(Limit::Time(Duration::from_secs(seconds)));
    }
    if let Some(millis) = within("Duration::from_millis(") {
        return Some(Limit::Time(Duration::from_millis(millis)));
    }
    if let Some((count, by)) = value.split_once(" << ") {
        return Some(Limit::Count(number(count)? << number(by)?));
    }
    let is_name = !value.is_empty() && value.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    if is_name { Some(constant(sources, value)) } else { number(value).map(Limit::Count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_a_number_and_its_unit() {
        for (text, is) in [
            ("64", Some(Limit::Count(64))),
            ("262,144", Some(Limit::Count(262_144))),
            ("16 KiB", Some(Limit::Count(16_384))),
            ("64; always", Some(Limit::Count(64))),
            ("1 TiB; and so on", Some(Limit::Count(1 << 40))),
            ("500 ms", Some(Limit::Time(Duration::from_millis(500)))),
            ("none: it must be said", Some(Limit::None)),
            ("the system's", None),
        ] {
            assert_eq!(limit(text), is, "{text}");
        }
        assert_eq!(names("`a::B`, `C` of it"), ["a::B", "a::C"]);
    }

    #[test]
    fn constants_are_found_in_their_modules() {
        let file = |name: &str, text: &str| (PathBuf::from(name), text.to_owned());
        let sources = [
            file("x/src/a/mod.rs", "pub(crate) const BLOCK: usize = 16 << 10;"),
            file(
                "x/src/a/b.rs",
                "const BLOCK: usize = 1_000;\nconst TIME: Duration = Duration::from_secs(3);",
            ),
            file(
                "x/src/c.rs",
                "impl Most {\n    pub const OTHER: usize = LAST;\n}\nconst LAST: u64 = 7;",
            ),
        ];
        assert_eq!(constant(&sources, "a::BLOCK"), Limit::Count(16_384));
        assert_eq!(constant(&sources, "a::b::BLOCK"), Limit::Count(1_000));
        assert_eq!(constant(&sources, "a::b::TIME"), Limit::Time(Duration::from_secs(3)));
        assert_eq!(constant(&sources, "Most::OTHER"), Limit::Count(7));
    }

    #[test]
    #[should_panic(expected = "0 constants are c::BLOCK")]
    fn one_that_is_elsewhere_is_not_found() {
        constant(
            &[(PathBuf::from("x/src/b.rs"), "const BLOCK: usize = 1;".to_owned())],
            "c::BLOCK",
        );
    }
}
